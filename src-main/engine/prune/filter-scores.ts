// Importance of the positions of one weight: norms, geometric median, LAMP. Plain loops over typed arrays, in
// memory order, each kernel read once (FPGM: once per pair of filters).

import type { Weight } from '../graph/types';

/** Sizes before, on and behind one axis: the weight seen as [outer, size, inner]. */
interface AxisView {
  readonly outer: number;
  readonly size: number;
  readonly inner: number;
}

function viewAlong(weight: Weight, axis: number): AxisView {
  const product = (sizes: readonly number[]): number => sizes.reduce((n, size) => n * size, 1);
  return {
    outer: product(weight.shape.slice(0, axis)),
    size: weight.shape[axis]!,
    inner: product(weight.shape.slice(axis + 1)),
  };
}

/** Sum of |w| over each filter: Li et al. 2017, "Pruning Filters for Efficient ConvNets", section 3.1. */
export function l1Norms(weight: Weight, axis: number): Float64Array {
  const { outer, size, inner } = viewAlong(weight, axis);
  const { data } = weight;
  const sums = new Float64Array(size);
  let i = 0;
  if (inner === 1) {
    for (let row = 0; row < outer; row++) {
      for (let c = 0; c < size; c++, i++) sums[c]! += Math.abs(data[i]!);
    }
    return sums;
  }
  for (let row = 0; row < outer; row++) {
    for (let c = 0; c < size; c++) {
      let sum = 0;
      for (const end = i + inner; i < end; i++) sum += Math.abs(data[i]!);
      sums[c]! += sum;
    }
  }
  return sums;
}

/** Sum of w^2 over each filter. */
export function squaredNorms(weight: Weight, axis: number): Float64Array {
  const { outer, size, inner } = viewAlong(weight, axis);
  const { data } = weight;
  const sums = new Float64Array(size);
  let i = 0;
  for (let row = 0; row < outer; row++) {
    for (let c = 0; c < size; c++) {
      let sum = 0;
      for (const end = i + inner; i < end; i++) sum += data[i]! * data[i]!;
      sums[c]! += sum;
    }
  }
  return sums;
}

/** Euclidean norm of each filter. */
export function l2Norms(weight: Weight, axis: number): Float64Array {
  return squaredNorms(weight, axis).map(Math.sqrt);
}

/**
 * Sum of a filter's Euclidean distances to all filters of its layer. Small means close to the geometric median,
 * so that the others can stand in for it: He et al. 2019, "Filter Pruning via Geometric Median", equation 6.
 */
export function distanceSums(weight: Weight, axis: number): Float64Array {
  const filters = filterMatrix(weight, axis);
  const norms = squaredNorms(weight, axis);
  const sums = new Float64Array(filters.length);
  for (let a = 0; a < filters.length; a++) {
    for (let b = a + 1; b < filters.length; b++) {
      // |x - y|^2 = |x|^2 + |y|^2 - 2xy; rounding may leave a little less than nothing.
      const squared = norms[a]! + norms[b]! - 2 * dot(filters[a]!, filters[b]!);
      const distance = Math.sqrt(Math.max(squared, 0));
      sums[a]! += distance;
      sums[b]! += distance;
    }
  }
  return sums;
}

/** Each filter's values in one array. */
function filterMatrix(weight: Weight, axis: number): Float64Array[] {
  const { outer, size, inner } = viewAlong(weight, axis);
  const { data } = weight;
  const filters = Array.from({ length: size }, () => new Float64Array(outer * inner));
  let i = 0;
  for (let row = 0; row < outer; row++) {
    for (const filter of filters) {
      for (let k = row * inner; k < (row + 1) * inner; k++, i++) filter[k] = data[i]!;
    }
  }
  return filters;
}

/** Four sums side by side: one alone would wait for each addition. */
function dot(a: Float64Array, b: Float64Array): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  const whole = a.length - (a.length % 4);
  for (let i = 0; i < whole; i += 4) {
    s0 += a[i]! * b[i]!;
    s1 += a[i + 1]! * b[i + 1]!;
    s2 += a[i + 2]! * b[i + 2]!;
    s3 += a[i + 3]! * b[i + 3]!;
  }
  for (let i = whole; i < a.length; i++) s0 += a[i]! * b[i]!;
  return s0 + s1 + s2 + s3;
}

/**
 * LAMP over whole filters: a squared norm divided by the sum of those that are not smaller (Lee et al. 2021,
 * "Layer-adaptive Sparsity for the Magnitude-based Pruning", equation 2, with filters in place of single
 * weights). The largest filter of a layer scores 1. Of equal norms the lower index counts as the smaller.
 */
export function lampScores(weight: Weight, axis: number): Float64Array {
  const squared = squaredNorms(weight, axis);
  const descending = Array.from(squared.keys()).sort((a, b) => squared[b]! - squared[a]! || b - a);
  const scores = new Float64Array(squared.length);
  let sum = 0;
  for (const filter of descending) {
    sum += squared[filter]!;
    scores[filter] = sum === 0 ? 0 : squared[filter]! / sum;
  }
  return scores;
}

/** |gamma|: Liu et al. 2017, "Learning Efficient Convolutional Networks through Network Slimming". */
export function magnitudes(weight: Weight): Float64Array {
  return Float64Array.from(weight.data, Math.abs);
}
