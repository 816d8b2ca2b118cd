// Copies the kept positions of a weight along several axes in one pass.

import type { Weight } from '../graph/types';
import type { KeptAxes } from './cut-preview';
import { allIndices } from './indices';

/**
 * The weight with only the kept positions of the given axes; the same object when no axis is given.
 * @param kept ascending positions by axis.
 */
export function sliceWeight(weight: Weight, kept: KeptAxes): Weight {
  if (kept.size === 0) return weight;
  const shape = weight.shape.map((size, axis) => kept.get(axis)?.length ?? size);
  const length = shape.reduce((product, size) => product * size, 1);
  const data = emptyLike(weight.data, length);
  // Everything behind the last cut axis is contiguous and is copied as a block.
  const last = Math.max(...kept.keys());
  const block = weight.shape.slice(last + 1).reduce((product, size) => product * size, 1);
  const positions = kept.get(last)!;
  const rows = rowStarts(weight.shape.slice(0, last), kept, weight.shape[last]! * block);
  if (block === 1) gatherEntries(weight.data, data, rows, positions);
  else copyBlocks(weight.data, data, rows, positions, block);
  return { shape, dtype: weight.dtype, data };
}

function gatherEntries(
  source: Weight['data'],
  target: Weight['data'],
  rows: Float64Array,
  positions: Int32Array,
): void {
  let next = 0;
  for (const row of rows) {
    for (let i = 0; i < positions.length; i++) target[next++] = source[row + positions[i]!]!;
  }
}

function copyBlocks(
  source: Weight['data'],
  target: Weight['data'],
  rows: Float64Array,
  positions: Int32Array,
  block: number,
): void {
  let next = 0;
  for (const row of rows) {
    for (const position of positions) {
      const start = row + position * block;
      target.set(source.subarray(start, start + block), next);
      next += block;
    }
  }
}

function emptyLike(data: Weight['data'], length: number): Weight['data'] {
  if (data instanceof Float32Array) return new Float32Array(length);
  return data instanceof Int32Array ? new Int32Array(length) : new Uint8Array(length);
}

/** Offsets of the kept rows over the axes before the last cut one, in row-major order. */
function rowStarts(shape: readonly number[], kept: KeptAxes, rowLength: number): Float64Array {
  let starts: Float64Array = Float64Array.of(0);
  shape.forEach((size, axis) => {
    const positions = kept.get(axis) ?? allIndices(size);
    const next = new Float64Array(starts.length * positions.length);
    let i = 0;
    for (const start of starts) {
      for (const position of positions) next[i++] = start * size + position;
    }
    starts = next;
  });
  return starts.map((row) => row * rowLength);
}
