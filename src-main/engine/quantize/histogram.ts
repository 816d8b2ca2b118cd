// How often the numbers of an activation occur, and the ranges that this suggests.

import { activationParameters } from './parameters';
import type { CalibrationMethod, Range } from './types';

/** Fine enough that a bin is an eighth of a step of 8 bits even over half of the range. */
const bins = 4096;

/** Share of the numbers that the percentile method leaves out at each end. */
const clippedShare = 1e-4;

/** Ranges that are tried to each end, from the whole down to this share of it. */
const smallestShare = 0.1;
const steps = 60;

export class Histogram {
  private readonly counts = new Float64Array(bins);
  private readonly width: number;
  private total = 0;

  /** @param range that holds all numbers that will be added */
  constructor(private readonly range: Range) {
    this.width = (range.max - range.min) / bins;
  }

  add(values: Float32Array): void {
    const { min } = this.range;
    const perBin = this.width === 0 ? 0 : 1 / this.width;
    const { counts } = this;
    for (let i = 0; i < values.length; i++) {
      const bin = Math.min(((values[i]! - min) * perBin) | 0, bins - 1);
      counts[bin]! += 1;
    }
    this.total += values.length;
  }

  rangeBy(method: CalibrationMethod): Range {
    if (this.width === 0 || this.total === 0) return this.range;
    switch (method) {
      case 'minmax':
        return this.range;
      case 'percentile':
        return this.percentile();
      case 'mse':
        return this.smallestError();
    }
  }

  private percentile(): Range {
    const allowed = this.total * clippedShare;
    const edge = (from: number, step: 1 | -1): number => {
      let bin = from;
      for (let seen = this.counts[bin]!; seen <= allowed; seen += this.counts[bin]!) bin += step;
      return bin;
    };
    return {
      min: this.range.min + edge(0, 1) * this.width,
      max: this.range.min + (edge(bins - 1, -1) + 1) * this.width,
    };
  }

  /** Each end in turn goes to where the error is smallest, twice: the ends hardly depend on each other. */
  private smallestError(): Range {
    let best = this.range;
    for (let round = 0; round < 2; round++) {
      best = this.bestOf(best, (share) => ({ min: best.min, max: this.range.max * share }));
      best = this.bestOf(best, (share) => ({ min: this.range.min * share, max: best.max }));
    }
    return best;
  }

  private bestOf(start: Range, at: (share: number) => Range): Range {
    let [best, error] = [start, this.meanSquaredError(start)];
    for (let step = 0; step <= steps; step++) {
      const candidate = at(1 - ((1 - smallestShare) * step) / steps);
      const candidateError = this.meanSquaredError(candidate);
      if (candidateError < error) [best, error] = [candidate, candidateError];
    }
    return best;
  }

  /** Of the numbers after rounding and clipping to 8 bits over a range; each bin counts as its middle. */
  private meanSquaredError(range: Range): number {
    const { scale, zeroPoint } = activationParameters(range);
    let sum = 0;
    for (let bin = 0; bin < bins; bin++) {
      const count = this.counts[bin]!;
      if (count === 0) continue;
      const value = this.range.min + (bin + 0.5) * this.width;
      const stored = Math.min(Math.max(Math.round(value / scale) + zeroPoint, -128), 127);
      sum += count * (value - (stored - zeroPoint) * scale) ** 2;
    }
    return sum / this.total;
  }
}
