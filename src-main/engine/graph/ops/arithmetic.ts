// Element-wise operations on several tensors, with NumPy broadcasting of the per-sample shapes.
//
// Shapes are aligned at the last axis, sample by sample: [C] meets [H, W, C] as [1, 1, C], for activations
// as for constants.
import type { Op, Shape } from '../types';
import { broadcastShapes, shapeError, sizeOf } from './check';
import { maxLabelPositions, ownFrozenOutput, readStrided, stridesOf, trimLabels } from './labels';
import type { ChannelContext, Labels, OpDef } from './types';

type ArithmeticOp = 'add' | 'sub' | 'mul' | 'div' | 'max' | 'min' | 'average';

/** Labels of an operand at every position of the result's labelled block. */
function broadcastLabels(labels: Labels, shape: Shape, block: Shape): Int32Array {
  const strides = stridesOf(labels.shape);
  const steps = block.map((_, axis) => {
    const fromEnd = block.length - axis;
    const stride = strides[strides.length - fromEnd] ?? 0;
    return shape[shape.length - fromEnd] === 1 ? 0 : stride;
  });
  return readStrided(labels.ids, block, steps);
}

/**
 * Whether an operand with one channel for all differs along another axis on which there are channels: a column
 * [C, 1, 1] beside an image that was turned to [C, H, W]. It could not follow a cut there.
 */
function crossesChannels(shape: Shape, block: Shape): boolean {
  return shape.slice(-block.length, -1).some((size) => size > 1);
}

/** Operands of equal channels share them; an operand with one channel for all is not tied to them. */
function elementwiseChannels<K extends Op>(context: ChannelContext<K>): void {
  const output = context.outputShapes[0]!;
  const tied: { readonly labels: Labels; readonly shape: Shape }[] = [];
  const untied: Shape[] = [];
  for (const [index, shape] of context.inputShapes.entries()) {
    const labels = trimLabels(context.in(index));
    if (labels.ids.length === 0) continue;
    if (shape.at(-1) === 1 && output.at(-1) !== 1) {
      context.freeze(labels.ids, 'OP_MIXES_CHANNELS');
      untied.push(shape);
    } else tied.push({ labels, shape });
  }
  const rank = Math.max(0, ...tied.map(({ labels }) => labels.shape.length));
  const block = output.slice(output.length - rank);
  if (rank === 0 || sizeOf(block) > maxLabelPositions) {
    for (const { labels } of tied) context.freeze(labels.ids, 'TOO_LARGE');
    ownFrozenOutput(context, 0, 'TOO_LARGE');
    return;
  }
  const [first, ...others] = tied.map(({ labels, shape }) => broadcastLabels(labels, shape, block));
  for (const ids of others) context.couple(first!, ids);
  if (untied.some((shape) => crossesChannels(shape, block))) {
    context.freeze(first!, 'OP_WITHOUT_RULE');
  }
  context.out(0, { shape: block, ids: first! });
}

function elementwise<K extends ArithmeticOp>(
  summary: string,
  inputs: { readonly min: number; readonly max: number },
): OpDef<K> {
  return {
    summary,
    inputs,
    weightShapes: () => ({}),
    infer(node, shapes) {
      const output = broadcastShapes(shapes);
      if (output === null) throw shapeError(node, shapes, 'the shapes do not broadcast');
      return [output];
    },
    channels: elementwiseChannels,
  };
}

const two = { min: 2, max: 2 };
const many = { min: 2, max: Infinity };

export const add: OpDef<'add'> = elementwise('Sum of tensors', many);
export const sub: OpDef<'sub'> = elementwise('Difference of two tensors', two);
export const mul: OpDef<'mul'> = elementwise('Element-wise product of tensors', many);
export const div: OpDef<'div'> = elementwise('Element-wise quotient of two tensors', two);
export const max: OpDef<'max'> = elementwise('Element-wise maximum of tensors', many);
export const min: OpDef<'min'> = elementwise('Element-wise minimum of tensors', many);
export const average: OpDef<'average'> = elementwise('Element-wise mean of tensors', many);
