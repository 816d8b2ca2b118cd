// Normalisations.

import { groupSize, range, sameAtoms } from '../layout';
import type { Constant } from '../tensor';
import { floatsOf, lastAxis, vector } from './filters';
import { activationValue, type ImportNode, type NodeCall, type WeightSource } from './types';

/** Channels are axis 1 of the tensor, the first one of the sample. */
const channelAxis = 0;

export const batchNorm: ImportNode = (call) => {
  const { attributes } = call.node;
  const activation = call.activation(0);
  if (activation.layout.logical.length === 0) throw call.unsupported('its input has no channels');
  if (!attributes.flag('spatial', true))
    throw call.unsupported('it normalises each position alone');
  if (attributes.flag('training_mode', false)) {
    call.note(
      'The file was exported in training mode; its batch norms are taken with their stored statistics.',
    );
  }
  const last = lastAxis(call, activation, channelAxis);
  const values = (index: number): WeightSource =>
    vector(call, call.constant(index), last.size, last.order);
  const weights = call.weights({
    gamma: values(1),
    beta: values(2),
    mean: values(3),
    variance: values(4),
  });
  const attrs = {
    epsilon: attributes.float('epsilon', 1e-5),
    momentum: attributes.float('momentum', 0.9),
  };
  const tensor = call.add('batchNorm', [last.tensor], attrs, { weights });
  return [activationValue(tensor, last)];
};

export const layerNorm: ImportNode = (call) => {
  const { attributes } = call.node;
  const activation = call.activation(0);
  const axis = call.sampleAxis(attributes.int('axis', -1), activation);
  const rank = activation.layout.logical.length;
  const { tensor, logical, order } =
    axis === rank - 1 ? call.aligned(activation) : call.inOrder(activation, range(rank));
  const axes = range(rank).slice(axis);
  const places = axes.map((each) => order.indexOf(each)).sort((a, b) => a - b);
  const count = axes.reduce((product, each) => product * groupSize(logical[each]!), 1);
  const shape = places.map((place) => groupSize(logical[order[place]!]!));
  const source = (constant: Constant): WeightSource => ({
    constant,
    variant: shape.join(),
    make() {
      const floats = floatsOf(call, constant);
      if (floats.length !== count && floats.length !== 1) {
        throw call.corrupt(
          `the weight "${constant.name}" holds ${floats.length} numbers instead of ${count}`,
        );
      }
      const data = Float32Array.from(
        { length: count },
        (_, i) => floats[floats.length === 1 ? 0 : i]!,
      );
      return { shape, dtype: 'float32', data };
    },
  });
  const [gamma, beta] = [call.optional(1), call.optional(2)];
  const weights = call.weights({
    ...(gamma === null ? {} : { gamma: source(gamma) }),
    ...(beta === null ? {} : { beta: source(beta) }),
  });
  const attrs = { epsilon: attributes.float('epsilon', 1e-5), axes: places };
  const output = call.add('layerNorm', [tensor], attrs, { weights });
  return [activationValue(output, { logical, stored: order.map((each) => logical[each]!) })];
};

/** Adds a group norm on channels last; `expand` makes a number a channel of what is stored. */
function groupNormOf(call: NodeCall, tensor: string, groups: number, channels: number): string {
  const expand = (constant: Constant): WeightSource => ({
    constant,
    variant: `${groups} of ${channels}`,
    make() {
      const floats = floatsOf(call, constant);
      const each = channels / floats.length;
      if (!Number.isInteger(each)) {
        throw call.corrupt(
          `the weight "${constant.name}" holds ${floats.length} numbers for ${channels} channels`,
        );
      }
      const data = Float32Array.from({ length: channels }, (_, i) => floats[Math.floor(i / each)]!);
      return { shape: [channels], dtype: 'float32', data };
    },
  });
  const [gamma, beta] = [call.constant(1), call.constant(2)];
  const all = (constant: Constant, value: number): boolean =>
    floatsOf(call, constant).every((number) => number === value);
  const weights = call.weights({
    ...(all(gamma, 1) ? {} : { gamma: expand(gamma) }),
    ...(all(beta, 0) ? {} : { beta: expand(beta) }),
  });
  const epsilon = call.node.attributes.float('epsilon', 1e-5);
  return call.add('groupNorm', [tensor], { epsilon, groups }, { weights });
}

/**
 * Over each channel alone; or, behind a reshape to [N, groups, …], what PyTorch makes of a group norm: then the axis
 * is the slower part of the channels.
 */
export const instanceNorm: ImportNode = (call) => {
  const activation = call.activation(0);
  const { logical, stored } = activation.layout;
  const groups = logical[channelAxis] ?? [];
  const channels = stored.at(-1) ?? [];
  const isGroupNorm =
    logical.length === 2 &&
    stored.length > 1 &&
    channels.length > groups.length &&
    sameAtoms(channels.slice(0, groups.length), groups);
  if (isGroupNorm) {
    const tensor = groupNormOf(call, activation.tensor, groupSize(groups), groupSize(channels));
    return [activationValue(tensor, activation.layout)];
  }
  const last = lastAxis(call, activation, channelAxis);
  if (last.order !== null || last.stored.length < 2)
    throw call.unsupported('its input is no image');
  return [activationValue(groupNormOf(call, last.tensor, last.size, last.size), last)];
};

export const groupNorm: ImportNode = (call) => {
  const activation = call.activation(0);
  const last = lastAxis(call, activation, channelAxis);
  if (last.order !== null) throw call.unsupported('its input is no image');
  const groups = call.node.attributes.int('num_groups');
  if (groups < 1 || last.size % groups !== 0) {
    throw call.corrupt(`${last.size} channels do not divide by ${groups} groups`);
  }
  return [activationValue(groupNormOf(call, last.tensor, groups, last.size), last)];
};
