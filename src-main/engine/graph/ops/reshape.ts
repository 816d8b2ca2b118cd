// Ops that keep every value and change where it stands: flatten, reshape, permute.
import type { Op, Shape } from '../types';
import { formatShape, inputAt, requireIntegers, shapeError, sizeOf } from './check';
import {
  maxLabelPositions,
  ownFrozenOutput,
  readStrided,
  repeatWhole,
  stridesOf,
  trimLabels,
} from './labels';
import type { ChannelContext, OpDef } from './types';

/** The channels cannot be followed through this node: they stay whole on both sides. */
function giveUp<K extends Op>(context: ChannelContext<K>): void {
  context.freeze(context.in(0).ids, 'TOO_LARGE');
  ownFrozenOutput(context, 0, 'TOO_LARGE');
}

/**
 * Follows channels through a change of shape that keeps the row-major order. Flat position f carries
 * ids[f mod block] where block is the size of the labelled block; that is stated over the shortest tail of
 * the new shape whose size is a multiple of the block ([H, W, C] -> [H, W, g, C/g] over [g, C/g],
 * [H, W, C] -> [H*W*C] over everything with the ids of C repeated).
 */
function reshapeChannels<K extends Op>(context: ChannelContext<K>): void {
  const labels = trimLabels(context.in(0));
  const block = labels.ids.length;
  const output = context.outputShapes[0]!;
  if (block === 0 || output.length === 0) {
    context.freeze(labels.ids, 'OP_WITHOUT_RULE');
    ownFrozenOutput(context, 0, 'OP_WITHOUT_RULE');
    return;
  }
  let first = output.length;
  let size = 1;
  // The whole tensor is a multiple of the block, so this ends.
  do size *= output[--first]!;
  while (size % block !== 0);
  if (size > maxLabelPositions) {
    giveUp(context);
    return;
  }
  const ids = repeatWhole(labels.ids, size / block);
  context.out(0, trimLabels({ shape: output.slice(first), ids }));
}

export const flatten: OpDef<'flatten'> = {
  summary: 'All values in one axis, channels fastest',
  inputs: { min: 1, max: 1 },
  weightShapes: () => ({}),
  infer: (node, inputs) => [[sizeOf(inputAt(node, inputs, 0))]],
  channels: reshapeChannels,
};

export const reshape: OpDef<'reshape'> = {
  summary: 'The same values in another shape, in row-major order',
  inputs: { min: 1, max: 1 },
  weightShapes: () => ({}),
  infer(node, inputs) {
    const { shape } = node.attrs;
    requireIntegers(node, inputs, 'sizes', shape);
    if (sizeOf(shape) !== sizeOf(inputAt(node, inputs, 0))) {
      throw shapeError(
        node,
        inputs,
        `the shape ${formatShape(shape)} has another number of values`,
      );
    }
    return [shape];
  },
  channels: reshapeChannels,
  recut: (_node, cut) => ({ op: 'reshape', attrs: { shape: cut.outputShape(0) } }),
};

export const permute: OpDef<'permute'> = {
  summary: 'The axes in another order',
  inputs: { min: 1, max: 1 },
  weightShapes: () => ({}),
  infer(node, inputs) {
    const input = inputAt(node, inputs, 0);
    const { perm } = node.attrs;
    const sorted = [...perm].sort((a, b) => a - b);
    if (perm.length !== input.length || sorted.some((axis, i) => axis !== i)) {
      throw shapeError(node, inputs, `${perm.join(', ')} does not order the axes`);
    }
    return [perm.map((axis) => input[axis]!)];
  },
  // The labelled axes may leave the end ([H, W, C] -> [C, H, W]); then the labels are stated over the
  // shortest tail that holds them all.
  channels(context) {
    const { perm } = context.node.attrs;
    const labels = trimLabels(context.in(0));
    const offset = perm.length - labels.shape.length;
    const first = perm.findIndex((axis) => axis >= offset);
    const block: Shape = first < 0 ? [] : context.outputShapes[0]!.slice(first);
    if (sizeOf(block) > maxLabelPositions) {
      giveUp(context);
      return;
    }
    if (labels.ids.length === 0) {
      context.out(0, labels);
      return;
    }
    const strides = stridesOf(labels.shape);
    const steps = perm.slice(first).map((axis) => strides[axis - offset] ?? 0);
    context.out(0, trimLabels({ shape: block, ids: readStrided(labels.ids, block, steps) }));
  },
};
