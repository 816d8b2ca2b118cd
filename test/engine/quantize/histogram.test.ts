// Ranges of activations by each method, against loops over the numbers themselves.

import { describe, expect, it } from 'vitest';
import { createRng } from '../../../src-main/engine/graph/rng';
import { Histogram } from '../../../src-main/engine/quantize/histogram';
import { rangeOf } from '../../../src-main/engine/quantize/parameters';
import type { Range } from '../../../src-main/engine/quantize/types';

/** Bell-shaped numbers with a few that lie far out. */
function withOutliers(length: number, seed: number, lowest = -30, highest = 50): Float32Array {
  const rng = createRng(seed);
  const values = Float32Array.from({ length }, () => rng.normal());
  values[5] = highest;
  values[length - 7] = lowest;
  return values;
}

function histogramOf(values: Float32Array): Histogram {
  const histogram = new Histogram(rangeOf(values));
  const middle = Math.floor(values.length / 3);
  histogram.add(values.subarray(0, middle));
  histogram.add(values.subarray(middle));
  return histogram;
}

/** Mean square of what 8 bits over a range make wrong, number by number as in the specification. */
function meanSquaredError(values: Float32Array, { min, max }: Range): number {
  const scale = (Math.max(max, 0) - Math.min(min, 0)) / 255;
  const zeroPoint = Math.round(-128 - Math.min(min, 0) / scale);
  let sum = 0;
  for (const value of values) {
    const stored = Math.max(-128, Math.min(127, Math.round(value / scale) + zeroPoint));
    sum += (value - (stored - zeroPoint) * scale) ** 2;
  }
  return sum / values.length;
}

describe('min-max', () => {
  it('is the whole range', () => {
    const values = withOutliers(4000, 41);
    expect(histogramOf(values).rangeBy('minmax')).toEqual({ min: -30, max: 50 });
  });
});

describe('percentile', () => {
  it('leaves out one number in ten thousand at each end, to a bin', () => {
    const values = withOutliers(60_000, 42);
    const sorted = [...values].sort((a, b) => a - b);
    const { min, max } = histogramOf(values).rangeBy('percentile');
    const bin = 80 / 4096;
    // Six numbers may be left out: the seventh is in.
    expect(min).toBeLessThanOrEqual(sorted[6]!);
    expect(min).toBeGreaterThan(sorted[6]! - bin);
    expect(max).toBeGreaterThanOrEqual(sorted.at(-7)!);
    expect(max).toBeLessThan(sorted.at(-7)! + bin);
  });

  it('keeps all of a tensor of a few numbers', () => {
    const values = withOutliers(1000, 43);
    const { min, max } = histogramOf(values).rangeBy('percentile');
    expect(min).toBeCloseTo(-30, 6);
    expect(max).toBeCloseTo(50, 6);
  });
});

describe('smallest mean squared error', () => {
  it.each([
    ['outliers at both ends', withOutliers(5000, 44)],
    ['an outlier above', withOutliers(5000, 45, -1, 25)],
    ['a ReLU', withOutliers(5000, 46).map((value) => Math.max(value, 0))],
  ])('%s: no pair of ends from a grid is better', (_what, values) => {
    const whole = rangeOf(values);
    const found = meanSquaredError(values, histogramOf(values).rangeBy('mse'));
    let best = Infinity;
    for (let low = 0.1; low < 1.01; low += 0.03) {
      for (let high = 0.1; high < 1.01; high += 0.03) {
        const range = { min: whole.min * low, max: whole.max * high };
        best = Math.min(best, meanSquaredError(values, range));
      }
    }
    expect(found).toBeLessThan(best * 1.02);
    expect(found).toBeLessThanOrEqual(meanSquaredError(values, whole));
  });

  it('gives up outliers of many numbers, and keeps an even spread', () => {
    const many = withOutliers(200_000, 47, -20, 20);
    const { min, max } = histogramOf(many).rangeBy('mse');
    expect(max - min).toBeLessThan(30);
    const rng = createRng(48);
    const even = Float32Array.from({ length: 20_000 }, () => rng.uniform(-1, 1));
    const kept = histogramOf(even).rangeBy('mse');
    expect(kept.min).toBeLessThan(-0.98);
    expect(kept.max).toBeGreaterThan(0.98);
  });
});

describe('every method', () => {
  it.each(['minmax', 'percentile', 'mse'] as const)('%s of one number over and over', (method) => {
    const values = new Float32Array(50).fill(3);
    expect(histogramOf(values).rangeBy(method)).toEqual({ min: 3, max: 3 });
  });
});
