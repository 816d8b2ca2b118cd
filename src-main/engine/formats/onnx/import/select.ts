// Taking a part of a tensor, putting a border around it, and blocks of positions as channels.

import { groupsOf, layoutInOrder, range, shapeOf, type Group } from '../layout';
import { integersOf, sliceRange, splitSizes } from '../parameters';
import type { OpAttrs, Shape } from '../../../graph/types';
import { imageValue } from './filters';
import {
  activationValue,
  type Activation,
  type Aligned,
  type ImportNode,
  type NodeCall,
  type Value,
} from './types';

function withSize(logical: readonly Group[], axis: number, size: number): readonly Group[] {
  return logical.map((group, i) => (i === axis ? groupsOf([size])[0]! : group));
}

/** Takes a part of each stored axis. */
function takePart(
  call: NodeCall,
  aligned: Aligned,
  { start, strides, shape }: { start: readonly number[]; strides: readonly number[]; shape: Shape },
): Value {
  const { tensor, logical, order } = aligned;
  if (shape.some((size) => size < 1)) throw call.corrupt('it takes nothing of its input');
  const begin = order.map((axis) => start[axis]!);
  const steps = order.map((axis) => strides[axis]!);
  const end = order.map((axis) => start[axis]! + (shape[axis]! - 1) * strides[axis]! + 1);
  const sizes = shapeOf(logical);
  const taken = logical.map((group, axis) =>
    shape[axis] === sizes[axis] ? group : groupsOf([shape[axis]!])[0]!,
  );
  const output = call.add('slice', [tensor], { begin, end, strides: steps });
  return activationValue(output, layoutInOrder(taken, order));
}

export const slice: ImportNode = (call) => {
  const activation = call.activation(0);
  const sizes = call.shapeOf(activation);
  const { start, strides, shape } = sliceRange(call, sizes);
  if (start[0] !== 0 || strides[0] !== 1 || shape[0] !== sizes[0]) {
    throw call.unsupported('it takes a part of the batch');
  }
  if (strides.some((step) => step < 0)) throw call.unsupported('it runs backwards');
  if (shape.join() === sizes.join()) return [{ kind: 'activation', activation }];
  const part = { start: start.slice(1), strides: strides.slice(1), shape: shape.slice(1) };
  return [takePart(call, call.aligned(activation), part)];
};

function splitParts(
  call: NodeCall,
  activation: Activation,
  axis: number,
  sizes: readonly number[],
): readonly Activation[] {
  const { tensor, logical, order } = call.aligned(activation);
  const tensors =
    sizes.length === 1
      ? [tensor]
      : call.addAll('split', [tensor], { axis: order.indexOf(axis), sizes });
  return tensors.map((part, i) => ({
    tensor: part,
    layout: layoutInOrder(withSize(logical, axis, sizes[i]!), order),
    pending: null,
  }));
}

export const split: ImportNode = (call) => {
  const activation = call.activation(0);
  const axis = call.sampleAxis(call.node.attributes.int('axis', 0), activation);
  const sizes = splitSizes(call, shapeOf(activation.layout.logical)[axis]!);
  if (sizes.some((length) => !Number.isInteger(length) || length < 1)) {
    throw call.corrupt(`it takes parts of ${sizes.join(', ')}`);
  }
  return splitParts(call, activation, axis, sizes).map((part) => ({
    kind: 'activation',
    activation: part,
  }));
};

/** A split whose parts are picked by number afterwards. */
export const splitToSequence: ImportNode = (call) => {
  const activation = call.activation(0);
  const axis = call.sampleAxis(call.node.attributes.int('axis', 0), activation);
  const total = shapeOf(activation.layout.logical)[axis]!;
  const given = call.optional(1);
  const lengths = given === null ? [1] : integersOf(given);
  const isList = given !== null && given.shape.length === 1;
  const each = lengths[0] ?? 0;
  if (!isList && each < 1) throw call.corrupt(`it takes parts of ${each}`);
  const sizes = isList
    ? lengths
    : range(Math.ceil(total / each)).map((i) => Math.min(each, total - i * each));
  const valid = sizes.every((length) => length > 0) && sizes.reduce((a, b) => a + b, 0) === total;
  if (!valid) throw call.corrupt(`parts of ${sizes.join(', ')} do not make up ${total}`);
  if (given === null && !call.node.attributes.flag('keepdims', true)) {
    throw call.unsupported('it drops the axis that it splits');
  }
  return [{ kind: 'sequence', items: splitParts(call, activation, axis, sizes) }];
};

export const sequenceAt: ImportNode = (call) => {
  const sequence = call.value(0);
  if (sequence.kind !== 'sequence') throw call.corrupt('it picks from what is no list of tensors');
  const index = integersOf(call.constant(1))[0] ?? 0;
  const activation = sequence.items[index < 0 ? index + sequence.items.length : index];
  if (activation === undefined)
    throw call.corrupt(`it picks part ${index} of ${sequence.items.length}`);
  return [{ kind: 'activation', activation }];
};

export const gather: ImportNode = (call) => {
  const activation = call.activation(0);
  const axis = call.sampleAxis(call.node.attributes.int('axis', 0), activation);
  const size = shapeOf(activation.layout.logical)[axis]!;
  const constant = call.constant(1);
  const indices = integersOf(constant).map((index) => (index < 0 ? index + size : index));
  if (indices.length === 0 || indices.some((index) => index < 0 || index >= size)) {
    throw call.corrupt(`it picks entries outside of the ${size} that there are`);
  }
  if (constant.shape.length > 1) throw call.unsupported('it picks entries by a table of indices');
  if (constant.shape.length === 0) {
    const { logical } = activation.layout;
    const start = logical.map((_, i) => (i === axis ? indices[0]! : 0));
    const shape = shapeOf(logical).map((whole, i) => (i === axis ? 1 : whole));
    const part = takePart(call, call.aligned(activation), {
      start,
      strides: shape.map(() => 1),
      shape,
    });
    if (part.kind !== 'activation') return [part];
    const { tensor, layout } = part.activation;
    const dropped = { logical: layout.logical.filter((_, i) => i !== axis), stored: layout.stored };
    return [{ kind: 'activation', activation: { tensor, layout: dropped, pending: call.name } }];
  }
  // The graph picks along the last axis.
  const aligned = call.aligned(activation);
  const last =
    aligned.order.at(-1) === axis
      ? aligned
      : call.inOrder(activation, [...aligned.order.filter((other) => other !== axis), axis]);
  const tensor = call.add('gather', [last.tensor], { indices });
  const logical = withSize(last.logical, axis, indices.length);
  return [activationValue(tensor, layoutInOrder(logical, last.order))];
};

const padModes: Readonly<Record<string, OpAttrs['pad']['mode']>> = {
  constant: 'constant',
  reflect: 'reflect',
};

/** Amounts per axis, in front and behind; attributes up to set 10, inputs from set 11 on. */
function padAmounts(call: NodeCall, rank: number): readonly (readonly [number, number])[] {
  const { attributes } = call.node;
  const given = attributes.has('pads') ? attributes.ints('pads') : integersOf(call.constant(1));
  const stated = call.optional(3);
  const axes =
    stated === null
      ? range(rank)
      : integersOf(stated).map((axis) => (axis < 0 ? axis + rank : axis));
  if (given.length !== 2 * axes.length || axes.some((axis) => axis < 0 || axis >= rank)) {
    throw call.corrupt(`amounts ${given.join(', ')} do not fit ${rank} axes`);
  }
  const amounts = range(rank).map((): [number, number] => [0, 0]);
  axes.forEach((axis, i) => (amounts[axis] = [given[i]!, given[i + axes.length]!]));
  return amounts;
}

export const pad: ImportNode = (call) => {
  const activation = call.activation(0);
  const sizes = call.shapeOf(activation);
  const [batch, ...amounts] = padAmounts(call, sizes.length);
  if (batch![0] !== 0 || batch![1] !== 0) throw call.unsupported('it pads the batch');
  if (amounts.flat().every((amount) => amount === 0)) return [{ kind: 'activation', activation }];
  const { attributes } = call.node;
  const name = attributes.text('mode', 'constant');
  // Next to one border value, repeating it and mirroring with it are the same.
  const narrow = amounts.flat().every((amount) => amount <= 1);
  const mode = name === 'edge' && narrow ? 'symmetric' : padModes[name];
  if (mode === undefined) throw call.unsupported(`padding in the mode "${name}" cannot be run`);
  const value = attributes.has('value')
    ? attributes.float('value')
    : (call.optional(2)?.numbers()[0] ?? 0);
  let aligned = call.aligned(activation);
  let { logical } = aligned;
  if (amounts.flat().some((amount) => amount < 0)) {
    // Negative amounts cut off.
    const start = amounts.map(([before]) => Math.max(0, -before));
    const shape = shapeOf(logical).map(
      (size, axis) => size - start[axis]! - Math.max(0, -amounts[axis]![1]),
    );
    const part = takePart(call, aligned, { start, strides: shape.map(() => 1), shape });
    if (amounts.flat().every((amount) => amount <= 0) || part.kind !== 'activation') return [part];
    aligned = call.aligned(part.activation);
    ({ logical } = aligned);
  }
  const positive = amounts.map(([a, b]) => [Math.max(a, 0), Math.max(b, 0)] as const);
  const paddings = aligned.order.map((axis) => positive[axis]!);
  const tensor = call.add('pad', [aligned.tensor], { paddings, mode, value });
  const padded = logical.map((group, axis) => {
    const [before, after] = positive[axis]!;
    return before + after === 0 ? group : groupsOf([shapeOf([group])[0]! + before + after])[0]!;
  });
  return [activationValue(tensor, layoutInOrder(padded, aligned.order))];
};

export const depthToSpace: ImportNode = (call) => {
  const { tensor } = call.image(call.activation(0));
  const block = call.node.attributes.int('blocksize');
  const mode = call.node.attributes.text('mode', 'DCR');
  if (mode !== 'DCR' && mode !== 'CRD') throw call.corrupt(`"mode" is "${mode}"`);
  const order = mode === 'DCR' ? 'dcr' : 'crd';
  return [imageValue(call, call.add('depthToSpace', [tensor], { block, order }))];
};

export const spaceToDepth: ImportNode = (call) => {
  const { tensor } = call.image(call.activation(0));
  const block = call.node.attributes.int('blocksize');
  return [imageValue(call, call.add('spaceToDepth', [tensor], { block }))];
};
