// Functions called on tensors while a model was built: Keras keeps them among the layers. Keras 3 does so under
// the names of its operations (keras/src/ops), Keras 2 as layers of the class TFOpLambda.

import type { ActivationFn, OpAttrs } from '../../../graph/types';
import { sampleAxis } from './activation';
import { merge } from './arithmetic';
import { concatenate } from './layout';
import type { ImportLayer, LayerCall } from './types';

function activation(fn: ActivationFn): ImportLayer {
  return ({ builder, name, input }) => builder.activation(input, fn, { name });
}

/** Axes that count the batch, as axes of the sample. @throws AppError where the batch is among them */
function axesOf(call: LayerCall): readonly number[] {
  const rank = call.builder.shapeOf(call.input).length;
  if (!call.config.has('axis')) {
    throw call.unsupported('it reduces all axes, the samples of a batch with them');
  }
  return call.config.numbers('axis').map((axis) => {
    const positive = axis < 0 ? axis + rank + 1 : axis;
    if (positive < 1 || positive > rank) throw call.unsupported(`it works along the axis ${axis}`);
    return positive - 1;
  });
}

function reduce(fn: OpAttrs['reduce']['fn']): ImportLayer {
  return (call) => {
    const keepDims = call.config.flag('keepdims', false);
    const attrs = { fn, axes: axesOf(call), keepDims };
    return call.builder.apply('reduce', [call.input], attrs, { name: call.name });
  };
}

const reshape: ImportLayer = (call) => {
  const { builder, config, name, input } = call;
  const [batch, ...rest] = config.list('newshape').map((size) => (size === null ? -1 : size));
  const total = builder.shapeOf(input).reduce((a, b) => a * b, 1);
  const known = rest.filter((size): size is number => typeof size === 'number' && size > 0);
  const open = rest.length - known.length;
  const product = known.reduce((a, b) => a * b, 1);
  if (batch !== -1 || open > 1 || (open === 0 && product !== total)) {
    throw call.unsupported('it moves values between the samples of a batch');
  }
  const shape = rest.map((size) => (typeof size === 'number' && size > 0 ? size : total / product));
  return builder.apply('reshape', [input], { shape }, { name });
};

const softmax: ImportLayer = ({ builder, config, name, input }) =>
  builder.apply('softmax', [input], { axis: sampleAxis(config.int('axis', -1)) }, { name });

const square: ImportLayer = ({ builder, name, input }) => builder.mul([input, input], { name });

/** relu6(x + 3) / 6 */
const hardSigmoid: ImportLayer = ({ builder, name, input }) => {
  const shifted = builder.apply('rescale', [input], { scale: [1], offset: [3] }, { name });
  const clipped = builder.activation(shifted, 'relu6', { name });
  return builder.apply('rescale', [clipped], { scale: [1 / 6], offset: [0] }, { name });
};

/** By the class of the operation. */
export const operations: Readonly<Record<string, ImportLayer>> = {
  Abs: activation('abs'),
  Absolute: activation('abs'),
  Add: merge('add'),
  Concatenate: concatenate,
  Divide: merge('div'),
  Elu: ({ builder, config, name, input }) => {
    const alpha = config.number('alpha', 1);
    return builder.activation(input, 'elu', { name, ...(alpha === 1 ? {} : { alpha }) });
  },
  Exp: activation('exp'),
  Gelu: ({ builder, config, name, input }) =>
    builder.activation(input, config.flag('approximate', true) ? 'geluTanh' : 'gelu', { name }),
  HardSigmoid: hardSigmoid,
  HardSilu: activation('hardSwish'),
  LeakyRelu: ({ builder, config, name, input }) =>
    builder.activation(input, 'leakyRelu', { name, alpha: config.number('negative_slope', 0.2) }),
  Max: reduce('max'),
  Maximum: merge('max'),
  Mean: reduce('mean'),
  Min: reduce('min'),
  Minimum: merge('min'),
  Multiply: merge('mul'),
  Negative: activation('neg'),
  Prod: reduce('prod'),
  Relu: activation('relu'),
  Relu6: activation('relu6'),
  Reshape: reshape,
  Selu: activation('selu'),
  Sigmoid: activation('sigmoid'),
  Silu: activation('swish'),
  Softmax: softmax,
  Softplus: activation('softplus'),
  Softsign: activation('softsign'),
  Sqrt: activation('sqrt'),
  Square: square,
  Subtract: merge('sub'),
  Sum: reduce('sum'),
  Tanh: activation('tanh'),
  TrueDivide: merge('div'),
};

/** By the function of TensorFlow that Keras 2 noted. */
const functions: Readonly<Record<string, ImportLayer>> = {
  '__operators__.add': merge('add'),
  'math.add': merge('add'),
  'math.divide': merge('div'),
  'math.maximum': merge('max'),
  'math.minimum': merge('min'),
  'math.multiply': merge('mul'),
  'math.sigmoid': activation('sigmoid'),
  'math.subtract': merge('sub'),
  'math.truediv': merge('div'),
  'nn.relu': activation('relu'),
  'nn.relu6': activation('relu6'),
  'nn.silu': activation('swish'),
};

export const tensorFlowFunction: ImportLayer = (call) => {
  const name = call.config.text('function', '');
  const importer = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (importer !== undefined) return importer(call);
  throw call.unsupported(`it is the function "${name}" of TensorFlow`);
};
