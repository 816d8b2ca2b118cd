// Activations, and what else acts on every value alone.
import { broadcastShapes, formatShape, inputAt, resolveAxis, shapeError } from './check';
import { lastAxisLabels, passLastAxis } from './labels';
import type { OpDef } from './types';

export const activation: OpDef<'activation'> = {
  summary: 'A function of each value alone',
  inputs: { min: 1, max: 1 },
  weightShapes: () => ({}),
  infer: (node, inputs) => [inputAt(node, inputs, 0)],
  channels: (context) => context.out(0, context.in(0)),
};

export const prelu: OpDef<'prelu'> = {
  summary: 'Leaky ReLU with stored slopes, broadcast against the input',
  inputs: { min: 1, max: 1 },
  weightShapes: () => ({ alpha: { shape: null, optional: false } }),
  infer(node, inputs, weight) {
    const input = inputAt(node, inputs, 0);
    const alpha = weight('alpha');
    const joined = alpha && broadcastShapes([input, alpha.shape]);
    if (alpha && (joined === null || formatShape(joined ?? []) !== formatShape(input))) {
      throw shapeError(
        node,
        inputs,
        `slopes of shape ${formatShape(alpha.shape)} do not fit the input`,
      );
    }
    return [input];
  },
  channels(context) {
    const ids = context.lastAxis(0);
    const shape = context.weightShape('alpha');
    if (shape !== undefined && shape.length > 0 && (shape.at(-1) !== 1 || ids.length === 1)) {
      context.site('alpha', shape.length - 1, ids, 'param');
    }
    context.out(0, lastAxisLabels(ids));
  },
};

export const softmax: OpDef<'softmax'> = {
  summary: 'Softmax along one axis',
  inputs: { min: 1, max: 1 },
  weightShapes: () => ({}),
  infer(node, inputs) {
    const input = inputAt(node, inputs, 0);
    resolveAxis(node, inputs, node.attrs.axis, input.length);
    return [input];
  },
  channels(context) {
    const { node, inputShapes } = context;
    const rank = inputShapes[0]!.length;
    if (resolveAxis(node, inputShapes, node.attrs.axis, rank) === rank - 1) {
      context.freeze(context.lastAxis(0), 'OP_MIXES_CHANNELS');
    }
    passLastAxis(context);
  },
};

export const dropout: OpDef<'dropout'> = {
  summary: 'Identity at inference; drops values at random in training',
  inputs: { min: 1, max: 1 },
  weightShapes: () => ({}),
  infer: (node, inputs) => [inputAt(node, inputs, 0)],
  channels: (context) => context.out(0, context.in(0)),
};
