// Building blocks of channel rules: making and passing on the labels of tensors.
import type { Op, Shape, WeightRole } from '../types';
import { sizeOf } from './check';
import type { ChannelContext, FreezeCode, Labels, SiteKind } from './types';

/**
 * Labels of one tensor that are followed at most (16 MiB of ids). Only reshapes and permutes that spread
 * channels over image positions come near; beyond it their channels are frozen as TOO_LARGE.
 */
export const maxLabelPositions = 1 << 22;

/** Labels over the last axis alone. */
export function lastAxisLabels(ids: Int32Array): Labels {
  return { shape: [ids.length], ids };
}

/** Output `output` carries the channels of input `input` on its last axis, position by position. */
export function passLastAxis<K extends Op>(
  context: ChannelContext<K>,
  input = 0,
  output = 0,
): void {
  context.out(output, lastAxisLabels(context.lastAxis(input)));
}

/** The output has a last axis, but none of the inputs' channels: new ids that stay whole. */
export function ownFrozenOutput<K extends Op>(
  context: ChannelContext<K>,
  output: number,
  code: FreezeCode,
): void {
  const channels = context.outputShapes[output]!.at(-1);
  if (channels === undefined) {
    context.out(output, { shape: [], ids: new Int32Array(0) });
    return;
  }
  const ids = context.fresh(channels);
  context.freeze(ids, code);
  context.out(output, lastAxisLabels(ids));
}

/** A weight site for a role that the node may lack. */
export function siteIfPresent<K extends Op>(
  context: ChannelContext<K>,
  role: WeightRole,
  axis: number,
  ids: Int32Array,
  kind: SiteKind,
): void {
  if (context.node.weights[role] !== undefined) context.site(role, axis, ids, kind);
}

/** Each id `times` times in a row: [a, b] -> [a, a, b, b]. */
export function repeatEach(ids: Int32Array, times: number): Int32Array {
  const result = new Int32Array(ids.length * times);
  for (let i = 0; i < ids.length; i++) result.fill(ids[i]!, i * times, (i + 1) * times);
  return result;
}

/** The whole list `times` times: [a, b] -> [a, b, a, b]. */
export function repeatWhole(ids: Int32Array, times: number): Int32Array {
  const result = new Int32Array(ids.length * times);
  for (let i = 0; i < times; i++) result.set(ids, i * ids.length);
  return result;
}

/** Row-major strides of a shape. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * shape[i + 1]!;
  return strides;
}

/**
 * Reads a row-major array at every position of `shape`, with a step of its own for each axis.
 * A step of 0 repeats (broadcast); permuted steps transpose; larger steps skip (strided slice).
 */
export function readStrided(
  ids: Int32Array,
  shape: Shape,
  steps: readonly number[],
  start = 0,
): Int32Array {
  const result = new Int32Array(sizeOf(shape));
  const position = new Array<number>(shape.length).fill(0);
  let source = start;
  for (let i = 0; i < result.length; i++) {
    result[i] = ids[source]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      source += steps[axis]!;
      position[axis]!++;
      if (position[axis]! < shape[axis]!) break;
      source -= steps[axis]! * shape[axis]!;
      position[axis] = 0;
    }
  }
  return result;
}

/** Labels of a tensor over its last `rank` axes; axes that carried no labels repeat them. */
export function expandLabels(labels: Labels, shape: Shape, rank: number): Labels {
  if (labels.shape.length >= rank) return labels;
  const block = shape.slice(shape.length - rank);
  return { shape: block, ids: repeatWhole(labels.ids, sizeOf(block) / labels.ids.length) };
}

/** Drops leading axes over which the ids do not differ: they carry no channel information. */
export function trimLabels(labels: Labels): Labels {
  let { shape, ids } = labels;
  while (shape.length > 1) {
    const inner = ids.length / shape[0]!;
    for (let i = inner; i < ids.length; i++) {
      if (ids[i] !== ids[i - inner]) return { shape, ids };
    }
    shape = shape.slice(1);
    ids = ids.slice(0, inner);
  }
  return { shape, ids };
}
