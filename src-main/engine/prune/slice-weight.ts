// Copies the kept positions of a weight along several axes in one pass, whole blocks at a time.

import type { Weight } from '../graph/types';
import type { KeptAxes } from './cut-preview';

/** Kept positions as stretches of neighbours: the first of each stretch, and its length. */
interface Runs {
  readonly starts: readonly number[];
  readonly lengths: readonly number[];
}

/** From this many values on, a typed-array copy beats a loop. */
const blockCopyLength = 16;

/**
 * The weight with only the kept positions of the given axes; the same object when no axis is given.
 * @param kept ascending positions by axis.
 */
export function sliceWeight(weight: Weight, kept: KeptAxes): Weight {
  if (kept.size === 0) return weight;
  const shape = weight.shape.map((size, axis) => kept.get(axis)?.length ?? size);
  const length = shape.reduce((product, size) => product * size, 1);
  const data = emptyLike(weight.data, length);
  // Everything behind the last cut axis is contiguous, and so is each run of neighbours on it.
  const last = Math.max(...kept.keys());
  const inner = weight.shape.slice(last + 1).reduce((product, size) => product * size, 1);
  const runs = runsOf(kept.get(last)!);
  const rows = rowStarts(weight.shape.slice(0, last), kept, weight.shape[last]! * inner);
  let target = 0;
  for (const row of rows) {
    for (let r = 0; r < runs.starts.length; r++) {
      const source = row + runs.starts[r]! * inner;
      const count = runs.lengths[r]! * inner;
      if (count >= blockCopyLength) data.set(weight.data.subarray(source, source + count), target);
      else for (let i = 0; i < count; i++) data[target + i] = weight.data[source + i]!;
      target += count;
    }
  }
  return { shape, dtype: weight.dtype, data };
}

function emptyLike(data: Weight['data'], length: number): Weight['data'] {
  if (data instanceof Float32Array) return new Float32Array(length);
  return data instanceof Int32Array ? new Int32Array(length) : new Uint8Array(length);
}

/** Offsets of the kept rows over the axes before the last cut one, in row-major order. */
function rowStarts(shape: readonly number[], kept: KeptAxes, rowLength: number): Float64Array {
  let starts: Float64Array = Float64Array.of(0);
  shape.forEach((size, axis) => {
    const positions = kept.get(axis) ?? Int32Array.from({ length: size }, (_, i) => i);
    const next = new Float64Array(starts.length * positions.length);
    let i = 0;
    for (const start of starts) {
      for (const position of positions) next[i++] = start * size + position;
    }
    starts = next;
  });
  return starts.map((row) => row * rowLength);
}

function runsOf(positions: Int32Array): Runs {
  const starts: number[] = [];
  const lengths: number[] = [];
  for (let i = 0; i < positions.length; i++) {
    if (i > 0 && positions[i] === positions[i - 1]! + 1) lengths[lengths.length - 1]!++;
    else {
      starts.push(positions[i]!);
      lengths.push(1);
    }
  }
  return { starts, lengths };
}
