// Integers for activations, against the TFLite 8-bit specification read number by number: asymmetric, from -128 to 127,
// with an integer for 0, to the nearest.

import { describe, expect, it } from 'vitest';
import { createRng } from '../../../src-main/engine/graph/rng';
import {
  activationParameters,
  dequantized,
  quantized,
  rangeOf,
  unionOf,
} from '../../../src-main/engine/quantize/parameters';
import type { Affine, Range } from '../../../src-main/engine/quantize/types';

/** real = (stored - zeroPoint) * scale. */
const real = (stored: number, { scale, zeroPoint }: Affine): number => (stored - zeroPoint) * scale;

/** The zero point of all 256 that brings the lowest number closest to the lower end of a range. */
function nearestZeroPoint(low: number, scale: number): number {
  let [best, distance] = [0, Infinity];
  for (let zeroPoint = -128; zeroPoint <= 127; zeroPoint++) {
    const apart = Math.abs(real(-128, { scale, zeroPoint }) - low);
    if (apart < distance) [best, distance] = [zeroPoint, apart];
  }
  return best;
}

/** The integer of all 256 whose real number is nearest; of two equally near ones that further from 0. */
function nearestInteger(value: number, affine: Affine): number {
  let [best, distance] = [0, Infinity];
  for (let stored = -128; stored <= 127; stored++) {
    const apart = Math.abs(real(stored, affine) - value);
    const isFurther = Math.abs(real(stored, affine)) > Math.abs(real(best, affine));
    if (apart < distance || (apart === distance && isFurther)) [best, distance] = [stored, apart];
  }
  return best;
}

describe('scale and zero point', () => {
  it('are those of the specification, over ranges of all sizes', () => {
    const rng = createRng(11);
    for (let i = 0; i < 500; i++) {
      const size = 10 ** rng.uniform(-6, 6);
      const min = -size * rng.uniform(0, 1);
      const max = size * rng.uniform(0, 1);
      const affine = activationParameters({ min, max });
      expect(affine.scale).toBe(Math.fround((max - min) / 255));
      expect(affine.zeroPoint).toBeCloseTo(nearestZeroPoint(min, affine.scale), 12);
      // Both ends are within half a step, although the zero point is rounded.
      for (const value of [min, max]) {
        const stored = nearestInteger(value, affine);
        expect(Math.abs(real(stored, affine) - value) / affine.scale).toBeLessThan(0.501);
      }
    }
  });

  it.each<[string, Range, Affine]>([
    ['a ReLU', { min: 0, max: 255 }, { scale: 1, zeroPoint: -128 }],
    ['negative numbers alone', { min: -510, max: -2 }, { scale: 2, zeroPoint: 127 }],
    ['positive numbers alone', { min: 3, max: 127.5 }, { scale: 0.5, zeroPoint: -128 }],
    ['both signs', { min: -128, max: 127 }, { scale: 1, zeroPoint: 0 }],
    ['zeros alone', { min: 0, max: 0 }, { scale: 2 ** -40, zeroPoint: -128 }],
  ])('of %s', (_what, range, expected) => {
    expect(activationParameters(range)).toEqual(expected);
  });

  it('are no finer than asked for', () => {
    expect(activationParameters({ min: -1, max: 1 }, 0.25)).toEqual({
      scale: 0.25,
      zeroPoint: -124,
    });
    expect(activationParameters({ min: 0, max: 510 }, 0.25).scale).toBe(2);
  });
});

describe('integers', () => {
  it('are the nearest of all 256, halves away from 0', () => {
    const rng = createRng(12);
    for (const affine of [
      { scale: 0.5, zeroPoint: -3 },
      { scale: 0.5, zeroPoint: -128 },
      { scale: 4, zeroPoint: 127 },
    ]) {
      const halves = Array.from({ length: 300 }, (_, i) => (i - 150) * affine.scale * 0.5);
      const others = Array.from({ length: 300 }, () => rng.uniform(-200, 200) * affine.scale);
      const values = Float32Array.from([...halves, ...others]);
      const expected = [...values].map((value) => nearestInteger(value, affine));
      expect([...quantized(values, affine)]).toEqual(expected);
    }
  });

  it('stand for (stored - zero point) * scale', () => {
    const affine = { scale: 0.25, zeroPoint: 5 };
    expect([...dequantized([-128, 0, 5, 127], affine)]).toEqual([-33.25, -1.25, 0, 30.5]);
  });

  it('hold 0 exactly, whatever the range', () => {
    const rng = createRng(13);
    for (let i = 0; i < 100; i++) {
      const affine = activationParameters({ min: -rng.uniform(0, 9), max: rng.uniform(0, 9) });
      const stored = quantized(Float32Array.of(0), affine);
      expect(stored[0]).toBe(affine.zeroPoint);
      expect(dequantized(stored, affine)[0]).toBe(0);
    }
  });
});

describe('ranges', () => {
  it('of numbers', () => {
    expect(rangeOf(Float32Array.of(3, -2, 5, 0))).toEqual({ min: -2, max: 5 });
    expect(rangeOf(Float32Array.of(4))).toEqual({ min: 4, max: 4 });
  });

  it('of several ranges together', () => {
    const ranges = [
      { min: 1, max: 2 },
      { min: -3, max: 1 },
      { min: 0, max: 7 },
    ];
    expect(unionOf(ranges)).toEqual({ min: -3, max: 7 });
    expect(unionOf([])).toBeNull();
  });
});
