// Operators that give the same values in other places: reshapes and transpositions, which only change how axes are
// spoken of until somebody needs them moved, and joining tensors.

import { sizeOf } from '../../../graph/ops/check';
import type { Shape } from '../../../graph/types';
import { groupSize, groupsOf, permuteLogical, range, reshapeLogical, shapeOf } from '../layout';
import { integersOf, targetShape } from '../parameters';
import {
  activationValue,
  type Activation,
  type ImportNode,
  type NodeCall,
  type Value,
} from './types';

/** The same values under another shape, the batch in front. */
function reshaped(call: NodeCall, activation: Activation, shape: Shape): Value {
  if (shape[0] !== call.batch) {
    throw call.unsupported(
      `it joins the batch with other axes: [${call.shapeOf(activation).join(', ')}] to [${shape.join(', ')}]`,
    );
  }
  const sample = shape.slice(1);
  const layout = reshapeLogical(activation.layout, sample);
  if (layout !== null) {
    return {
      kind: 'activation',
      activation: { tensor: activation.tensor, layout, pending: call.name },
    };
  }
  // Axes are cut across: the values in the order of the file, then as they are told.
  const { tensor } = call.inOrder(activation, range(activation.layout.logical.length));
  const logical = groupsOf(sample);
  const moved =
    sample.length === 1
      ? call.add('flatten', [tensor], {})
      : call.add('reshape', [tensor], { shape: sample });
  return activationValue(moved, { logical, stored: logical });
}

export const reshape: ImportNode = (call) => {
  const activation = call.activation(0);
  const wanted = call.node.attributes.has('shape')
    ? call.node.attributes.ints('shape')
    : integersOf(call.constant(1));
  const allowZero = call.node.attributes.flag('allowzero', false);
  return [
    reshaped(call, activation, targetShape(call, call.shapeOf(activation), wanted, allowZero)),
  ];
};

export const flatten: ImportNode = (call) => {
  const activation = call.activation(0);
  const shape = call.shapeOf(activation);
  const given = call.node.attributes.int('axis', 1);
  const axis = given < 0 ? given + shape.length : given;
  if (axis < 0 || axis > shape.length)
    throw call.corrupt(`axis ${given} is outside rank ${shape.length}`);
  return [reshaped(call, activation, [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))])];
};

/** Axes as an attribute in older sets, as an input in newer ones; null where they are left out. */
function axesOf(call: NodeCall): readonly number[] | null {
  const { attributes } = call.node;
  if (attributes.has('axes')) return attributes.ints('axes');
  const given = call.optional(1);
  return given === null ? null : integersOf(given);
}

export const squeeze: ImportNode = (call) => {
  const activation = call.activation(0);
  const shape = call.shapeOf(activation);
  const axes = axesOf(call)?.map((axis) => call.sampleAxis(axis, activation) + 1);
  if (axes === undefined && call.batch === 1) {
    throw call.unsupported(
      'it drops every axis of 1, the batch among them',
      'Name the axes to drop in the program that made the model, and export again.',
    );
  }
  const dropped = new Set(axes ?? shape.flatMap((size, axis) => (size === 1 ? [axis] : [])));
  if ([...dropped].some((axis) => shape[axis] !== 1))
    throw call.corrupt('it drops an axis that is not 1');
  return [
    reshaped(
      call,
      activation,
      shape.filter((_, axis) => !dropped.has(axis)),
    ),
  ];
};

export const unsqueeze: ImportNode = (call) => {
  const activation = call.activation(0);
  const axes = axesOf(call);
  if (axes === null) throw call.corrupt('it does not say where the new axes go');
  const shape = [...call.shapeOf(activation)];
  const rank = shape.length + axes.length;
  const places = new Set(axes.map((axis) => (axis < 0 ? axis + rank : axis)));
  const valid =
    places.size === axes.length && [...places].every((axis) => axis >= 0 && axis < rank);
  if (!valid) throw call.corrupt(`the new axes ${axes.join(', ')} do not fit rank ${rank}`);
  if (places.has(0)) throw call.unsupported('it puts an axis in front of the batch');
  const result = range(rank).map((axis) => (places.has(axis) ? 1 : shape.shift()!));
  return [reshaped(call, activation, result)];
};

export const transpose: ImportNode = (call) => {
  const activation = call.activation(0);
  const rank = activation.layout.logical.length + 1;
  const perm = call.node.attributes.ints('perm', [...range(rank)].reverse());
  if (perm.length !== rank || [...perm].sort((a, b) => a - b).some((axis, i) => axis !== i)) {
    throw call.corrupt(`[${perm.join(', ')}] does not order its ${rank} axes`);
  }
  if (perm[0] !== 0) throw call.unsupported('it moves the batch axis');
  const layout = permuteLogical(
    activation.layout,
    perm.slice(1).map((axis) => axis - 1),
  );
  return [
    { kind: 'activation', activation: { tensor: activation.tensor, layout, pending: call.name } },
  ];
};

/** Repeating along an axis of 1 is left to the arithmetic that follows; anything else would make values. */
export const expand: ImportNode = (call) => {
  const activation = call.activation(0);
  const shape = call.shapeOf(activation);
  const wanted = integersOf(call.constant(1));
  const missing = shape.length - wanted.length;
  const same = wanted.every((size, axis) => size === 1 || size === shape[axis + missing]);
  if (missing >= 0 && same) return [{ kind: 'activation', activation }];
  throw call.unsupported(`it repeats [${shape.join(', ')}] to [${wanted.join(', ')}]`);
};

export const tile: ImportNode = (call) => {
  if (integersOf(call.constant(1)).every((times) => times === 1)) return [call.value(0)];
  throw call.unsupported('it repeats its input');
};

export const concat: ImportNode = (call) => {
  const inputs = range(call.inputCount).map((i) => call.activation(i));
  const [first] = inputs;
  if (first === undefined) throw call.corrupt('it has no input');
  const axis = call.sampleAxis(call.node.attributes.int('axis', 1), first);
  const shapes = inputs.map(({ layout }) => shapeOf(layout.logical));
  const fits = shapes.every(
    (shape) =>
      shape.length === shapes[0]!.length &&
      shape.every((size, i) => i === axis || size === shapes[0]![i]),
  );
  if (!fits)
    throw call.corrupt(`it joins ${shapes.map((shape) => `[${shape.join(', ')}]`).join(' and ')}`);
  if (inputs.length === 1) return [call.value(0)];
  const { order, logical } = call.aligned(first);
  const tensors = inputs.map((input) => call.inOrder(input, order).tensor);
  const tensor = call.add('concat', tensors, { axis: order.indexOf(axis) });
  const total = shapes.reduce((sum, shape) => sum + shape[axis]!, 0);
  const joined = logical.map((group, i) => (i === axis ? groupsOf([total])[0]! : group));
  return [activationValue(tensor, { logical: joined, stored: order.map((i) => joined[i]!) })];
};

/** Along one axis: over a joint one of several where the older operator means that. */
function softmaxAxis(call: NodeCall, activation: Activation): number {
  const old = call.opset < 13;
  const axis = call.sampleAxis(call.node.attributes.int('axis', old ? 1 : -1), activation);
  const { logical } = activation.layout;
  // Up to set 12 all axes from this one on are taken together.
  const joint = old && logical.slice(axis + 1).some((group) => groupSize(group) > 1);
  if (joint) throw call.unsupported('it works along several axes at once');
  return axis;
}

export const softmax: ImportNode = (call) => {
  const activation = call.activation(0);
  const axis = softmaxAxis(call, activation);
  const { tensor, logical, order } = call.aligned(activation);
  const output = call.add('softmax', [tensor], { axis: order.indexOf(axis) });
  return [activationValue(output, { logical, stored: order.map((i) => logical[i]!) })];
};

/** x - max - log(sum(exp(x - max))): the form that neither overflows nor loses small probabilities. */
export const logSoftmax: ImportNode = (call) => {
  const activation = call.activation(0);
  const axis = softmaxAxis(call, activation);
  const { tensor, logical, order } = call.aligned(activation);
  const along = { axes: [order.indexOf(axis)], keepDims: true };
  const top = call.add('reduce', [tensor], { fn: 'max', ...along }, { suffix: 'max' });
  const shifted = call.add('sub', [tensor, top], {}, { suffix: 'shift' });
  const powers = call.add('activation', [shifted], { fn: 'exp' }, { suffix: 'exp' });
  const total = call.add('reduce', [powers], { fn: 'sum', ...along }, { suffix: 'sum' });
  const log = call.add('activation', [total], { fn: 'log' }, { suffix: 'log' });
  const output = call.add('sub', [shifted, log], {});
  return [activationValue(output, { logical, stored: order.map((i) => logical[i]!) })];
};

/** The shape of what the network computes is known: exporters compute with it. */
export const shape: ImportNode = (call) => {
  const sizes = call.shapeOf(call.activation(0));
  const { attributes } = call.node;
  const part = sizes.slice(attributes.int('start', 0), attributes.int('end', sizes.length));
  const data = Float64Array.from(part);
  const constant = {
    name: call.node.outputs[0] ?? '',
    shape: [part.length],
    kind: 'int',
    numbers: () => data,
  } as const;
  return [{ kind: 'constant', constant }];
};

export const size: ImportNode = (call) => {
  const data = Float64Array.of(sizeOf(call.shapeOf(call.activation(0))));
  const constant = {
    name: call.node.outputs[0] ?? '',
    shape: [],
    kind: 'int',
    numbers: () => data,
  } as const;
  return [{ kind: 'constant', constant }];
};
