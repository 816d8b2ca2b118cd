// Joining tensors along an axis and taking them apart again.
import type { NodeOf, Shape } from '../types';
import { inputAt, requireIntegers, resolveAxis, shapeError, withAxis } from './check';
import { lastAxisLabels } from './labels';
import type { OpDef } from './types';

function axisOf(node: NodeOf<'concat'> | NodeOf<'split'>, inputs: readonly Shape[]): number {
  return resolveAxis(node, inputs, node.attrs.axis, inputAt(node, inputs, 0).length);
}

function joinIds(parts: readonly Int32Array[]): Int32Array {
  const joined = new Int32Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

export const concat: OpDef<'concat'> = {
  summary: 'Joins tensors along an axis',
  inputs: { min: 1, max: Infinity },
  weightShapes: () => ({}),
  infer(node, inputs) {
    const axis = axisOf(node, inputs);
    const [first, ...others] = inputs as readonly [Shape, ...Shape[]];
    for (const shape of others) {
      const fits =
        shape.length === first.length && shape.every((size, i) => i === axis || size === first[i]);
      if (!fits) throw shapeError(node, inputs, `shapes must agree on all axes but ${axis}`);
    }
    return [
      withAxis(
        first,
        axis,
        inputs.reduce((sum, shape) => sum + shape[axis]!, 0),
      ),
    ];
  },
  channels(context) {
    const { node, inputShapes } = context;
    const [first, ...others] = inputShapes.map((_, i) => context.lastAxis(i)) as [
      Int32Array,
      ...Int32Array[],
    ];
    if (axisOf(node, inputShapes) === inputShapes[0]!.length - 1) {
      context.out(0, lastAxisLabels(joinIds([first, ...others])));
      return;
    }
    for (const ids of others) context.couple(first, ids);
    context.out(0, lastAxisLabels(first));
  },
};

export const split: OpDef<'split'> = {
  summary: 'Takes a tensor apart along an axis',
  inputs: { min: 1, max: 1 },
  weightShapes: () => ({}),
  infer(node, inputs) {
    const input = inputAt(node, inputs, 0);
    const axis = axisOf(node, inputs);
    const { sizes } = node.attrs;
    requireIntegers(node, inputs, 'sizes', sizes);
    if (sizes.reduce((sum, size) => sum + size, 0) !== input[axis]) {
      throw shapeError(node, inputs, `sizes ${sizes.join(', ')} must add up to axis ${axis}`);
    }
    return sizes.map((size) => withAxis(input, axis, size));
  },
  channels(context) {
    const { node, inputShapes } = context;
    const ids = context.lastAxis(0);
    const onChannels = axisOf(node, inputShapes) === inputShapes[0]!.length - 1;
    let offset = 0;
    for (const [i, size] of node.attrs.sizes.entries()) {
      context.out(i, lastAxisLabels(onChannels ? ids.subarray(offset, offset + size) : ids));
      offset += size;
    }
  },
  recut(node, cut) {
    const axis = resolveAxis(node, [], node.attrs.axis, cut.inputShape(0).length);
    const sizes = node.attrs.sizes.map((_, i) => cut.outputShape(i)[axis]!);
    return { op: 'split', attrs: { ...node.attrs, sizes } };
  },
};
