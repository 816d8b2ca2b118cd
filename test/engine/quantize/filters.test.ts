// Filters and biases as integers, against loops over indices: symmetric with a scale a channel, biases in int32 with the
// scale of the products that they are added to.

import { describe, expect, it } from 'vitest';
import { createRng } from '../../../src-main/engine/graph/rng';
import { LayerFilters, quantizeFilters } from '../../../src-main/engine/quantize/filters';
import { activationParameters, quantized } from '../../../src-main/engine/quantize/parameters';

function random(length: number, seed: number, spread = 1): Float32Array {
  const rng = createRng(seed);
  return Float32Array.from({ length }, () => rng.uniform(-spread, spread));
}

/** Filters of a convolution [out, height, width, in], or of a depthwise one [1, height, width, out]. */
const layouts = [
  { name: 'output channels first', channels: 4, inner: 18, of: (i: number) => Math.floor(i / 18) },
  { name: 'output channels last', channels: 6, inner: 1, of: (i: number) => i % 6 },
] as const;

describe.each(layouts)('filters with $name', ({ channels, inner, of }) => {
  const kernel = random(72, 21);
  // Channels differ in size; one has nothing but zeros.
  kernel.forEach((_, i) => (kernel[i]! *= of(i) === 1 ? 0 : 10 ** (of(i) - 2)));
  const { values, scales } = quantizeFilters(kernel, { channels, inner });

  it('have the largest magnitude of each channel over 127 as scale', () => {
    for (let c = 0; c < channels; c++) {
      let largest = 0;
      for (let i = 0; i < 72; i++)
        if (of(i) === c) largest = Math.max(largest, Math.abs(kernel[i]!));
      if (c === 1) expect(scales[c]).toBeGreaterThan(0);
      else expect(scales[c]).toBe(Math.fround(largest / 127));
    }
  });

  it('are the nearest integers from -127 to 127, without zero point', () => {
    for (let i = 0; i < 72; i++) {
      const steps = kernel[i]! / scales[of(i)]!;
      let nearest = 0;
      for (let stored = -127; stored <= 127; stored++) {
        if (Math.abs(stored - steps) < Math.abs(nearest - steps)) nearest = stored;
      }
      expect(values[i]).toBe(nearest);
    }
  });

  it('use the whole range, in each channel', () => {
    for (let c = 0; c < channels; c++) {
      const own = [...values].filter((_, i) => of(i) === c).map(Math.abs);
      expect(Math.max(...own)).toBe(c === 1 ? 0 : 127);
    }
  });
});

describe('a layer', () => {
  const layout = { channels: 3, inner: 40 };
  const kernel = random(120, 22, 0.3);
  const bias = Float32Array.of(0.7, -2.5, 0);
  const inputScale = 0.031;

  it('has biases in steps of input scale times filter scale', () => {
    const layer = new LayerFilters(kernel, layout).quantize(bias, inputScale);
    for (let c = 0; c < 3; c++) {
      const step = inputScale * layer.scales[c]!;
      expect(layer.biasScales[c]).toBe(Math.fround(step));
      expect(Math.abs(layer.bias[c]! * step - bias[c]!)).toBeLessThan(step * 0.51);
    }
    expect(layer.bias[2]).toBe(0);
    expect(layer.scales).toEqual(quantizeFilters(kernel, layout).scales);
  });

  it('gives the sums of the real numbers, computed with integers alone', () => {
    const layer = new LayerFilters(kernel, layout).quantize(bias, inputScale);
    const input = random(40, 23, 3);
    const affine = { ...activationParameters({ min: -3, max: 4 }), scale: inputScale };
    const stored = quantized(input, affine);
    for (let c = 0; c < 3; c++) {
      let [sum, exact, allowed] = [layer.bias[c]!, bias[c]!, layer.biasScales[c]!];
      for (let i = 0; i < 40; i++) {
        const [weight, value] = [kernel[c * 40 + i]!, input[i]!];
        sum += (stored[i]! - affine.zeroPoint) * layer.values[c * 40 + i]!;
        exact += weight * value;
        // Half a step of each factor, times the other one; and once more for both at once.
        const [weightError, valueError] = [layer.scales[c]! * 0.501, inputScale * 0.501];
        allowed +=
          Math.abs(weight) * valueError + Math.abs(value) * weightError + weightError * valueError;
      }
      expect(Math.abs(sum * layer.biasScales[c]! - exact)).toBeLessThan(allowed);
      expect(Number.isInteger(sum)).toBe(true);
    }
  });

  it('takes larger steps where a bias would not fit, in that channel alone', () => {
    const large = Float32Array.of(0, 5e7, 0);
    const plain = quantizeFilters(kernel, layout);
    const layer = new LayerFilters(kernel, layout).quantize(large, inputScale);
    expect(layer.scales[0]).toBe(plain.scales[0]);
    expect(layer.scales[2]).toBe(plain.scales[2]);
    expect(layer.scales[1]).toBeGreaterThan(plain.scales[1]!);
    expect(Math.abs(layer.bias[1]!)).toBeLessThanOrEqual(2 ** 30);
    expect(Math.abs(layer.bias[1]! * layer.biasScales[1]! - 5e7) / 5e7).toBeLessThan(1e-6);
  });

  it('shares its filters between inputs, unless a bias asks for other steps', () => {
    const filters = new LayerFilters(kernel, layout);
    const first = filters.quantize(bias, inputScale);
    const second = filters.quantize(bias, inputScale / 3);
    expect(second.values).toBe(first.values);
    expect(second.bias).not.toEqual(first.bias);
    const large = Float32Array.of(0, 5e7, 0);
    for (const scale of [inputScale, inputScale / 7]) {
      const shared = filters.quantize(large, scale);
      expect(shared).toEqual(new LayerFilters(kernel, layout).quantize(large, scale));
      expect(shared.values).not.toEqual(first.values);
    }
    expect(filters.quantize(bias, inputScale)).toEqual(first);
  });
});
