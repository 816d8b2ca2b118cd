// What Reshape, Slice and Split are told, in the forms of all operator sets; for constants and for activations.

import { sizeOf } from '../../graph/ops/check';
import type { Shape } from '../../graph/types';
import type { OnnxNode } from './model';
import type { Constant } from './tensor';

/** Who asks: a fold or an import. */
export interface ParameterCall {
  readonly node: OnnxNode;
  readonly outputCount: number;
  /** A stored input; null where it is left out. */
  optional(index: number): Constant | null;
  corrupt(problem: string): Error;
}

/** The numbers of a stored list, as whole numbers. */
export function integersOf(constant: Constant): readonly number[] {
  return Array.from(constant.numbers(), Math.trunc);
}

/** The shape that a reshape leads to: 0 takes the old size, -1 what remains. */
export function targetShape(
  call: ParameterCall,
  old: Shape,
  wanted: readonly number[],
  allowZero: boolean,
): Shape {
  const shape = wanted.map((size, axis) => (size === 0 && !allowZero ? (old[axis] ?? 0) : size));
  const open = shape.indexOf(-1);
  const known = sizeOf(shape.filter((_, axis) => axis !== open));
  if (open >= 0 && known > 0) shape[open] = sizeOf(old) / known;
  const valid = shape.every((size) => Number.isInteger(size) && size >= 0);
  if (valid && sizeOf(shape) === sizeOf(old)) return shape;
  throw call.corrupt(`[${old.join(', ')}] cannot be reshaped to [${wanted.join(', ')}]`);
}

export interface SliceRange {
  /** First position of each axis, and the step from one to the next: negative ones run backwards. */
  readonly start: readonly number[];
  readonly strides: readonly number[];
  /** Positions of each axis that are taken. */
  readonly shape: Shape;
}

/** What a slice takes, per axis. Attributes up to set 9, inputs from set 10 on. */
export function sliceRange(call: ParameterCall, shape: Shape): SliceRange {
  const { attributes } = call.node;
  const list = (name: string, place: number): readonly number[] | null => {
    if (attributes.has(name)) return attributes.ints(name);
    const given = call.optional(place);
    return given === null ? null : integersOf(given);
  };
  const starts = list('starts', 1);
  const ends = list('ends', 2);
  if (starts === null || ends === null) throw call.corrupt('it has no beginning or no end');
  const axes = list('axes', 3) ?? [...starts.keys()];
  const steps = list('steps', 4) ?? starts.map(() => 1);
  if (
    ends.length !== starts.length ||
    axes.length !== starts.length ||
    steps.length !== starts.length
  ) {
    throw call.corrupt('beginnings, ends, axes and steps do not have one entry each');
  }
  const start: number[] = shape.map(() => 0);
  const strides: number[] = shape.map(() => 1);
  const taken = [...shape];
  for (const [i, given] of axes.entries()) {
    const axis = given < 0 ? given + shape.length : given;
    const size = shape[axis];
    const step = steps[i]!;
    if (size === undefined || step === 0) throw call.corrupt(`it slices axis ${given} by ${step}`);
    const from = clamp(starts[i]!, size, step > 0 ? 0 : -1, step > 0 ? size : size - 1);
    const to = clamp(ends[i]!, size, step > 0 ? 0 : -1, size);
    start[axis] = Math.max(from, 0);
    strides[axis] = step;
    taken[axis] = Math.max(0, Math.ceil((to - from) / step));
  }
  return { start, strides, shape: taken };
}

/** A position that may count from the end, within its limits. */
function clamp(position: number, size: number, min: number, max: number): number {
  const resolved = position < 0 ? position + size : position;
  return Math.min(Math.max(resolved, min), max);
}

/** Sizes of the parts of an axis: stated, or as equal as they can be. */
export function splitSizes(call: ParameterCall, size: number): readonly number[] {
  const { attributes } = call.node;
  const given = attributes.has('split') ? null : call.optional(1);
  if (attributes.has('split') || given !== null) {
    const sizes = given === null ? attributes.ints('split') : integersOf(given);
    if (sizes.length === call.outputCount && sizes.reduce((a, b) => a + b, 0) === size)
      return sizes;
    throw call.corrupt(`parts of ${sizes.join(', ')} do not make up ${size}`);
  }
  const count = attributes.int('num_outputs', call.outputCount);
  if (count !== call.outputCount) {
    throw call.corrupt(`it makes ${count} parts and names ${call.outputCount}`);
  }
  const part = Math.ceil(size / count);
  const sizes = Array.from({ length: count }, (_, i) =>
    i < count - 1 ? part : size - part * (count - 1),
  );
  if (sizes.every((length) => length > 0)) return sizes;
  throw call.corrupt(`an axis of ${size} cannot be split into ${count} parts`);
}
