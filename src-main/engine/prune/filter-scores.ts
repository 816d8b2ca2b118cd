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
  for (let row = 0; row < outer; row++) {
    if (inner === 1) {
      for (let c = 0; c < size; c++, i++) sums[c]! += Math.abs(data[i]!);
    } else {
      for (let c = 0; c < size; c++) {
        for (const end = i + inner; i < end; i++) sums[c]! += Math.abs(data[i]!);
      }
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
    if (inner === 1) {
      for (let c = 0; c < size; c++, i++) sums[c]! += data[i]! * data[i]!;
    } else {
      for (let c = 0; c < size; c++) {
        for (const end = i + inner; i < end; i++) sums[c]! += data[i]! * data[i]!;
      }
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
  const products = new Float64Array(4);
  for (let a = 0; a < filters.length; a++) {
    for (let b = a + 1; b < filters.length; b += 4) {
      dotWithFour(filters[a]!, filters, b, products);
      const end = Math.min(b + 4, filters.length);
      for (let other = b; other < end; other++) {
        // |x - y|^2 = |x|^2 + |y|^2 - 2xy; rounding may leave a little less than nothing.
        const squared = norms[a]! + norms[other]! - 2 * products[other - b]!;
        const distance = Math.sqrt(Math.max(squared, 0));
        sums[a]! += distance;
        sums[other]! += distance;
      }
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

/** Products of one filter with the four from `first` on: one read of it serves four sums. */
function dotWithFour(
  a: Float64Array,
  filters: readonly Float64Array[],
  first: number,
  products: Float64Array,
): void {
  const last = filters.length - 1;
  const b0 = filters[first]!;
  const b1 = filters[Math.min(first + 1, last)]!;
  const b2 = filters[Math.min(first + 2, last)]!;
  const b3 = filters[Math.min(first + 3, last)]!;
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const value = a[i]!;
    s0 += value * b0[i]!;
    s1 += value * b1[i]!;
    s2 += value * b2[i]!;
    s3 += value * b3[i]!;
  }
  products[0] = s0;
  products[1] = s1;
  products[2] = s2;
  products[3] = s3;
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
