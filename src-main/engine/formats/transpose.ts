// Brings the axes of stored numbers into another order: kernels differ between formats in little else.

import { stridesOf } from '../graph/ops/labels';
import type { Shape } from '../graph/types';

/** Numbers that are written next to each other before the next row is read: a cache line. */
const tile = 16;

/** Axis i of the result, a new array, is axis perm[i] of the row-major data. */
export function transposed(
  data: Float32Array,
  shape: Shape,
  perm: readonly number[],
): Float32Array {
  const merged = mergeAxes(shape, perm);
  if (merged.perm.every((axis, i) => axis === i)) return data.slice();
  const result = new Float32Array(data.length);
  const strides = stridesOf(merged.shape);
  const resultStrides = stridesOf(merged.perm.map((axis) => merged.shape[axis]!));
  const walk = merged.shape.map((size, axis): Axis => {
    return { size, step: strides[axis]!, resultStep: resultStrides[merged.perm.indexOf(axis)]! };
  });
  // The result's last axis is walked innermost, in tiles; all others in the order of the data, so that reads run
  // along rows and writes fill whole lines.
  const [inner] = walk.splice(merged.perm.at(-1)!, 1) as [Axis];
  const row = walk.pop()!;
  for (let start = 0; start < inner.size; start += tile) {
    const end = Math.min(start + tile, inner.size);
    const index = new Array<number>(walk.length).fill(0);
    let [source, target] = [0, 0];
    for (let axis = 0; axis >= 0;) {
      let [from, to] = [source, target];
      for (let j = 0; j < row.size; j++) {
        for (let i = start; i < end; i++) result[to + i] = data[from + i * inner.step]!;
        from += row.step;
        to += row.resultStep;
      }
      for (axis = walk.length - 1; axis >= 0; axis--) {
        const { size, step, resultStep } = walk[axis]!;
        source += step;
        target += resultStep;
        if (++index[axis]! < size) break;
        source -= step * size;
        target -= resultStep * size;
        index[axis] = 0;
      }
    }
  }
  return result;
}

interface Axis {
  readonly size: number;
  /** Numbers from one position to the next, in the data and in the result. */
  readonly step: number;
  readonly resultStep: number;
}

/** The same transposition with axes of size 1 left out and those that stay neighbours made one. */
function mergeAxes(
  shape: Shape,
  perm: readonly number[],
): { readonly shape: Shape; readonly perm: readonly number[] } {
  const runs: number[][] = [];
  for (const axis of perm) {
    if (shape[axis] === 1) continue;
    const last = runs.at(-1);
    const between = last && shape.slice(last.at(-1)! + 1, axis).every((size) => size === 1);
    if (last && axis > last.at(-1)! && between) last.push(axis);
    else runs.push([axis]);
  }
  const inDataOrder = [...runs].sort((a, b) => a[0]! - b[0]!);
  return {
    shape: inDataOrder.map((run) => run.reduce((product, axis) => product * shape[axis]!, 1)),
    perm: runs.map((run) => inDataOrder.indexOf(run)),
  };
}
