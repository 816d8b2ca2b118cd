// Activations: as layers of their own, and as the setting that most layers have.

import type { ActivationFn, TensorId } from '../../../graph/types';
import { isObject } from '../config';
import type { ImportLayer, LayerCall, WeightedLayer } from './types';

/** Names that Keras and TensorFlow.js use, in lower case and without underscores. */
const functions: Readonly<Record<string, ActivationFn>> = {
  linear: 'linear',
  relu: 'relu',
  relu6: 'relu6',
  leakyrelu: 'leakyRelu',
  elu: 'elu',
  selu: 'selu',
  sigmoid: 'sigmoid',
  hardsigmoid: 'hardSigmoid',
  tanh: 'tanh',
  softplus: 'softplus',
  softsign: 'softsign',
  swish: 'swish',
  silu: 'swish',
  hardswish: 'hardSwish',
  hardsilu: 'hardSwish',
  gelu: 'gelu',
  gelunew: 'geluTanh',
  mish: 'mish',
  exponential: 'exp',
  exp: 'exp',
};

/** Slope of Keras 3's activation 'leaky_relu'. */
const kerasLeak = 0.2;

/** The setting's name: a text, or an object of a class. */
function identifierOf(call: LayerCall, value: unknown): string {
  if (typeof value === 'string') return value;
  if (isObject(value) && typeof value['class_name'] === 'string') {
    const { config } = value;
    // A function of Python is serialised as an object whose "config" is its name.
    return typeof config === 'string' ? config : value['class_name'];
  }
  throw call.config.wrong('activation', 'the name of an activation');
}

/**
 * Adds an activation named by Keras.
 * @throws AppError MODEL_UNSUPPORTED_OP naming the layer and the activation
 */
function addActivation(call: LayerCall, x: TensorId, name: string, identifier: string): TensorId {
  const { builder } = call;
  const key = identifier.replace(/_/g, '').toLowerCase();
  if (key === 'softmax') return builder.apply('softmax', [x], { axis: -1 }, { name });
  // Keras 3 changed the function: relu6(x + 3) / 6 instead of clip(0.2 x + 0.5, 0, 1).
  if (key === 'hardsigmoid' && call.kerasMajor >= 3) {
    const shifted = builder.apply('rescale', [x], { scale: [1], offset: [3] }, { name });
    const clipped = builder.activation(shifted, 'relu6', { name });
    return builder.apply('rescale', [clipped], { scale: [1 / 6], offset: [0] }, { name });
  }
  const fn = functions[key];
  if (fn === undefined) throw call.unsupported(`the activation "${identifier}" is not known`);
  return builder.activation(x, fn, { name, ...(fn === 'leakyRelu' ? { alpha: kerasLeak } : {}) });
}

/** Adds the activation that a layer has as a setting, as a node of its own; 'linear' is none. */
export function withActivation(call: LayerCall, x: TensorId): TensorId {
  const value = call.config.raw('activation');
  if (value === undefined) return x;
  const identifier = identifierOf(call, value);
  if (identifier === 'linear') return x;
  return addActivation(call, x, `${call.name}_${identifier}`, identifier);
}

export const activation: ImportLayer = (call) =>
  addActivation(call, call.input, call.name, identifierOf(call, call.config.raw('activation')));

export const relu: ImportLayer = (call) => {
  const { builder, config, name } = call;
  const slope = config.number('negative_slope', 0);
  const max = config.has('max_value') ? config.number('max_value') : Infinity;
  if (config.number('threshold', 0) !== 0) throw call.unsupported('it has a threshold');
  if (slope !== 0) {
    if (max !== Infinity) throw call.unsupported('it has a slope and a maximum at once');
    return builder.activation(call.input, 'leakyRelu', { name, alpha: slope });
  }
  if (max === 6) return builder.activation(call.input, 'relu6', { name });
  const positive = builder.activation(call.input, 'relu', { name });
  if (max === Infinity) return positive;
  const limit = builder.constant(
    { shape: [1], dtype: 'float32', data: Float32Array.of(max) },
    { name: `${name}_max` },
  );
  return builder.apply('min', [positive, limit], {}, { name: `${name}_limit` });
};

export const leakyRelu: ImportLayer = ({ builder, config, name, input }) => {
  const key = config.has('negative_slope') ? 'negative_slope' : 'alpha';
  return builder.activation(input, 'leakyRelu', { name, alpha: config.number(key, 0.3) });
};

export const elu: ImportLayer = ({ builder, config, name, input }) => {
  const alpha = config.number('alpha', 1);
  return builder.activation(input, 'elu', { name, ...(alpha === 1 ? {} : { alpha }) });
};

export const prelu: WeightedLayer = {
  variables: () => [{ name: 'alpha', trainable: true }],
  add: (call) =>
    call.builder.prelu(call.input, { name: call.name, weights: call.weights({ alpha: 'alpha' }) }),
};

export const softmax: ImportLayer = (call) => {
  const { builder, config, name, input } = call;
  // The layer of TensorFlow.js takes axis 1 where none is stated, that of Keras the last.
  const axis = config.has('axis') ? config.numbers('axis') : [call.kerasMajor > 0 ? -1 : 1];
  if (axis.length !== 1) throw call.unsupported('it works over several axes at once');
  return builder.apply('softmax', [input], { axis: sampleAxis(axis[0]!) }, { name });
};

/** An axis that counts the batch, as an axis of the sample. */
export function sampleAxis(axis: number): number {
  return axis < 0 ? axis : axis - 1;
}
