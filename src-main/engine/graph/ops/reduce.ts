// Ops that sum over axes of activations: reductions and the matrix product.
import type { NodeOf, Shape } from '../types';
import { broadcastShapes, inputAt, resolveAxis, shapeError } from './check';
import { ownFrozenOutput, passLastAxis } from './labels';
import type { OpDef } from './types';

function reducedAxes(node: NodeOf<'reduce'>, inputs: readonly Shape[]): ReadonlySet<number> {
  const rank = inputAt(node, inputs, 0).length;
  return new Set(node.attrs.axes.map((axis) => resolveAxis(node, inputs, axis, rank)));
}

export const reduce: OpDef<'reduce'> = {
  summary: 'Mean, sum, maximum, minimum or product over axes',
  inputs: { min: 1, max: 1 },
  weightShapes: () => ({}),
  infer(node, inputs) {
    const axes = reducedAxes(node, inputs);
    if (axes.size === 0 || axes.size !== node.attrs.axes.length) {
      throw shapeError(node, inputs, 'axes must name at least one axis, each once');
    }
    const input = inputAt(node, inputs, 0);
    if (node.attrs.keepDims) return [input.map((size, axis) => (axes.has(axis) ? 1 : size))];
    return [input.filter((_, axis) => !axes.has(axis))];
  },
  // Over channels, a mean divides by their number and a maximum sees the zero of a masked one.
  channels(context) {
    const last = context.inputShapes[0]!.length - 1;
    if (!reducedAxes(context.node, context.inputShapes).has(last)) {
      passLastAxis(context);
      return;
    }
    context.freeze(context.in(0).ids, 'OP_MIXES_CHANNELS');
    ownFrozenOutput(context, 0, 'OP_MIXES_CHANNELS');
  },
};

export const matmul: OpDef<'matmul'> = {
  summary: 'Matrix product of two activations over their last two axes',
  inputs: { min: 2, max: 2 },
  weightShapes: () => ({}),
  infer(node, inputs) {
    const a = inputAt(node, inputs, 0);
    const b = inputAt(node, inputs, 1);
    if (a.length < 2 || b.length < 2)
      throw shapeError(node, inputs, 'both inputs must be matrices');
    const [rows, inner] = node.attrs.transposeA ? [a.at(-1)!, a.at(-2)!] : [a.at(-2)!, a.at(-1)!];
    const [depth, columns] = node.attrs.transposeB
      ? [b.at(-1)!, b.at(-2)!]
      : [b.at(-2)!, b.at(-1)!];
    const batch = broadcastShapes([a.slice(0, -2), b.slice(0, -2)]);
    if (inner !== depth || batch === null) {
      throw shapeError(node, inputs, 'the matrices do not fit');
    }
    return [[...batch, rows, columns]];
  },
  channels(context) {
    context.freeze(context.in(0).ids, 'OP_MIXES_CHANNELS');
    context.freeze(context.in(1).ids, 'OP_MIXES_CHANNELS');
    ownFrozenOutput(context, 0, 'OP_MIXES_CHANNELS');
  },
};
