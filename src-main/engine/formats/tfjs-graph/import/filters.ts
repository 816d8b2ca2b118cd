// Operations with filters: convolutions and matrix products, with what TensorFlow fuses into them.

import { dilatedSize } from '../../../graph/ops/windows';
import type {
  ExplicitPadding,
  Op,
  OpAttrs,
  Padding,
  Pair,
  TensorId,
  Weight,
  WeightId,
} from '../../../graph/types';
import { transposed } from '../../transpose';
import { addPrelu, join } from './elementwise';
import type { Call, Importer } from './session';
import { activation, type Activation, type Constant, type Layout } from './values';

/** Height and width of a list of four in the order of the data format. */
export function spatial(call: Call, name: string, axes: readonly [number, number]): Pair {
  const list = call.attrs.ints(name);
  if (list.length === 0) return [1, 1];
  if (list.length !== 4) throw call.attrs.wrong(name, 'a list of four numbers');
  if (list.some((size, axis) => size !== 1 && !axes.includes(axis))) {
    throw call.unsupported(`its ${name} move along samples or channels`);
  }
  return [list[axes[0]]!, list[axes[1]]!];
}

export function paddingOf(call: Call, axes: readonly [number, number]): Padding {
  const name = call.attrs.text('padding', 'VALID').toUpperCase();
  if (name === 'SAME') return 'same';
  if (name === 'VALID') return 'valid';
  const list = call.attrs.ints('explicit_paddings');
  if (name !== 'EXPLICIT' || list.length !== 8) throw call.attrs.wrong('padding', 'a padding');
  const along = (axis: number): readonly [number, number] => [list[2 * axis]!, list[2 * axis + 1]!];
  return [along(axes[0]), along(axes[1])];
}

interface Filters {
  readonly constant: Constant;
  readonly kernel: Weight;
}

function filtersOf(call: Call, rank: number): Filters {
  const constant = call.constant(1, 'filter');
  if (constant.shape.length !== rank || constant.shape.includes(0)) {
    throw call.corrupt(`its filter has the shape [${constant.shape.join(', ')}]`);
  }
  const kernel: Weight = {
    shape: constant.shape,
    dtype: 'float32',
    data: call.floats(constant),
  };
  return { constant, kernel };
}

/** The stride, dilation and padding of a convolution. */
function windowOf(
  call: Call,
  axes: readonly [number, number],
): Pick<OpAttrs['conv2d'], 'strides' | 'dilations' | 'padding'> {
  const { spelt } = call.node;
  const strides = spatial(call, 'strides', axes);
  if (spelt?.kind === 'dilated') {
    return { strides, dilations: spelt.dilations, padding: spelt.padding };
  }
  return { strides, dilations: spatial(call, 'dilations', axes), padding: paddingOf(call, axes) };
}

function isVector({ shape }: Constant): boolean {
  return shape.filter((size) => size !== 1).length <= 1;
}

/** One number a channel, from a constant that may have axes of size 1 around them. */
function vector(call: Call, constant: Constant, what: string): Weight {
  const { data } = constant;
  if (!isVector(constant)) {
    throw call.unsupported(`its ${what} is not one number a channel`);
  }
  return { shape: [data.length], dtype: 'float32', data: call.floats(constant) };
}

function vectorWeight(call: Call, index: number, what: string): WeightId {
  const constant = call.constant(index, what);
  return call.weight(constant, 'vector', () => vector(call, constant, what));
}

/** A filter layer, and what the node computes on its result: "BiasAdd", "FusedBatchNorm", an activation. */
function addFilters<K extends 'conv2d' | 'depthwiseConv2d' | 'dense'>(
  call: Call,
  op: K,
  x: TensorId,
  attrs: OpAttrs[K],
  kernel: WeightId,
  filters: Constant,
  { channels, layout }: { readonly channels: number; readonly layout: Layout },
): Activation {
  const fused = call.node.op.includes('Fused') ? call.attrs.texts('fused_ops') : [];
  const rest = [...fused].filter((name) => name !== '');
  let next = 2;
  const term = rest[0] === 'BiasAdd' ? call.input(next) : null;
  if (term !== null) {
    rest.shift();
    next++;
  }
  // The converter calls every addition behind filters so: of a shortcut, or of one number for all channels.
  const isBias = term?.kind === 'constant' && isVector(term) && term.data.length === channels;
  const bias = isBias ? call.weight(term, 'vector', () => vector(call, term, 'bias')) : null;
  const name = call.name(op, fused.length > 0 ? filters.name : call.node.name);
  let y = call.add(op as Op, [x], attrs, { name, weights: { kernel, bias } });
  if (term !== null && !isBias)
    y = aligned(call, join(call, 'add', activation(y, layout), term), layout);
  for (const step of rest) {
    if (step === 'FusedBatchNorm') {
      const [gamma, beta, mean, variance] = ['scale', 'offset', 'mean', 'variance'].map((what, i) =>
        vectorWeight(call, next + i, what),
      );
      next += 4;
      const weights = { gamma: gamma!, beta: beta!, mean: mean!, variance: variance! };
      const epsilon = call.attrs.number('epsilon', 1e-4);
      const own = call.name('batchnorm');
      y = call.add('batchNorm', [y], { epsilon, momentum: 0.99 }, { name: own, weights });
    } else if (step === 'Prelu') {
      y = addPrelu(call, y, call.constant(next++, 'slopes'));
    } else y = addFusedActivation(call, y, step);
  }
  return activation(y, layout);
}

/** The tensor in a layout that it may have lost when it met one of another. */
function aligned(call: Call, value: Activation, layout: Layout): TensorId {
  if (value.layout === layout) return value.tensor;
  return layout === 'channelsFirst' ? call.channelsLast(value) : call.plain(value);
}

function addFusedActivation(call: Call, y: TensorId, step: string): TensorId {
  if (step === 'LeakyRelu') {
    return call.activate(y, 'leakyRelu', call.attrs.number('leakyrelu_alpha', 0.2));
  }
  const fn = Object.hasOwn(fusedActivations, step) ? fusedActivations[step] : undefined;
  if (fn !== undefined) return call.activate(y, fn);
  throw call.unsupported(`it has ${JSON.stringify(step.slice(0, 40))} fused into it`);
}

const fusedActivations: Readonly<Record<string, Parameters<Call['activate']>[1]>> = {
  Elu: 'elu',
  GeluApproximate: 'geluTanh',
  GeluExact: 'gelu',
  Relu: 'relu',
  Relu6: 'relu6',
  Sigmoid: 'sigmoid',
  Tanh: 'tanh',
  _FusedHardSwish: 'hardSwish',
  _FusedSwish: 'swish',
};

export const conv2d: Importer = (call) => {
  const { tensor, layout, axes } = call.image(0);
  const { constant, kernel } = filtersOf(call, 4);
  const [height, width, depth, filters] = kernel.shape as readonly [number, number, number, number];
  const channels = call.shapeOf(tensor).at(-1)!;
  if (channels % depth !== 0) {
    throw call.corrupt(`its filters read ${depth} channels of ${channels}`);
  }
  const attrs = {
    ...windowOf(call, axes),
    filters,
    kernelSize: [height, width] as const,
    groups: channels / depth,
  };
  const id = call.weight(constant, 'kernel', () => kernel);
  return addFilters(call, 'conv2d', tensor, attrs, id, constant, { channels: filters, layout });
};

export const depthwiseConv2d: Importer = (call) => {
  const { tensor, layout, axes } = call.image(0);
  const { constant, kernel } = filtersOf(call, 4);
  const [height, width, , multiplier] = kernel.shape as readonly [number, number, number, number];
  const attrs = { ...windowOf(call, axes), kernelSize: [height, width] as const, multiplier };
  const id = call.weight(constant, 'kernel', () => kernel);
  const channels = call.shapeOf(tensor).at(-1)! * multiplier;
  return addFilters(call, 'depthwiseConv2d', tensor, attrs, id, constant, { channels, layout });
};

/** The gradient of a convolution: [shape of the result, filter, x]. */
export const conv2dTranspose: Importer = (call) => {
  const sizes = call.ints(0, 'output size');
  const { tensor, layout, axes } = call.image(2);
  const { constant, kernel } = filtersOf(call, 4);
  const [height, width, filters] = kernel.shape as readonly [number, number, number];
  const strides = spatial(call, 'strides', axes);
  if (Math.max(...spatial(call, 'dilations', axes)) > 1) throw call.unsupported('it is dilated');
  const output: Pair = [sizes[axes[0]] ?? NaN, sizes[axes[1]] ?? NaN];
  if (!output.every((size) => size > 0)) {
    throw call.unsupported(
      'the size of its result is not fixed',
      'Convert the model with a fixed input size.',
    );
  }
  const shape = call.shapeOf(tensor);
  const size: Pair = [shape[0]!, shape[1]!];
  const kernelSize: Pair = [height, width];
  const attrs = {
    filters,
    kernelSize,
    strides,
    dilations: [1, 1] as const,
    ...transposedPadding(call, { size, output, kernelSize, strides, axes }),
  };
  const id = call.weight(constant, 'kernel', () => kernel);
  const name = call.name('conv_transpose');
  const weights = { kernel: id, bias: null };
  return activation(call.add('conv2dTranspose', [tensor], attrs, { name, weights }), layout);
};

interface Transposition {
  readonly size: Pair;
  readonly output: Pair;
  readonly kernelSize: Pair;
  readonly strides: Pair;
  readonly axes: readonly [number, number];
}

/**
 * The padding of the convolution that it is the gradient of, for the result's size that the file states. The usual
 * sizes have names; else the full result is cut and extended.
 */
function transposedPadding(
  call: Call,
  { size, output, kernelSize, strides, axes }: Transposition,
): Pick<OpAttrs['conv2dTranspose'], 'padding' | 'outputPadding'> {
  const stated = paddingOf(call, axes);
  const both = (holds: (axis: 0 | 1) => boolean): boolean => holds(0) && holds(1);
  if (stated === 'same' && both((a) => output[a] === size[a] * strides[a])) {
    return { padding: 'same', outputPadding: null };
  }
  const valid = (a: 0 | 1): number =>
    size[a] * strides[a] + Math.max(kernelSize[a] - strides[a], 0);
  if (stated === 'valid' && both((a) => output[a] === valid(a))) {
    return { padding: 'valid', outputPadding: null };
  }
  const full = (a: 0 | 1): number => (size[a] - 1) * strides[a] + dilatedSize(kernelSize[a], 1);
  const along = (a: 0 | 1): readonly [number, number] => {
    if (typeof stated !== 'string') return stated[a];
    const total = stated === 'same' ? Math.max(full(a) - output[a], 0) : 0;
    return [Math.floor(total / 2), total - Math.floor(total / 2)];
  };
  const padding: ExplicitPadding = [along(0), along(1)];
  const extra = (a: 0 | 1): number => output[a] - (full(a) - padding[a][0] - padding[a][1]);
  if (!both((a) => extra(a) >= 0 && extra(a) < Math.max(strides[a], 1))) {
    throw call.corrupt(`its result of ${output.join(' x ')} does not fit its input`);
  }
  return { padding, outputPadding: [extra(0), extra(1)] };
}

/** A matrix of weights as [in, out]. */
function matrixWeight(call: Call, constant: Constant, turned: boolean): [WeightId, number] {
  const shape = constant.shape.slice(-2);
  if (shape.length !== 2 || constant.data.length !== shape[0]! * shape[1]!) {
    throw call.unsupported(`it multiplies with [${constant.shape.join(', ')}], which is no matrix`);
  }
  const [rows, columns] = shape as [number, number];
  const id = call.weight(constant, turned ? 'turned' : 'matrix', () => {
    const data = call.floats(constant);
    if (!turned) return { shape, dtype: 'float32', data };
    return { shape: [columns, rows], dtype: 'float32', data: transposed(data, shape, [1, 0]) };
  });
  return [id, turned ? rows : columns];
}

export const matMul: Importer = (call) => {
  const x = call.activation(0);
  const weights = call.input(1);
  if (weights.kind === 'activation' || call.attrs.flag('transpose_a', false)) {
    throw call.unsupported('it multiplies samples of a batch with each other');
  }
  if (x.layout !== 'rows' && call.shapeOf(x.tensor).length !== 1) {
    throw call.corrupt('its input is no matrix');
  }
  const [kernel, units] = matrixWeight(call, weights, call.attrs.flag('transpose_b', false));
  const result = { channels: units, layout: x.layout };
  return addFilters(call, 'dense', x.tensor, { units }, kernel, weights, result);
};

export const batchMatMul: Importer = (call) => {
  const [a, b] = [call.input(0), call.input(1)];
  const [adjX, adjY] = [call.attrs.flag('adj_x', false), call.attrs.flag('adj_y', false)];
  if (a.kind === 'activation' && b.kind === 'constant' && !adjX) {
    const [kernel, units] = matrixWeight(call, b, adjY);
    const result = { channels: units, layout: 'plain' } as const;
    return addFilters(call, 'dense', call.plain(a), { units }, kernel, b, result);
  }
  const inputs = [call.plain(call.activation(0)), call.plain(call.activation(1))];
  if (inputs.some((tensor) => call.shapeOf(tensor).length < 2)) {
    throw call.unsupported('it multiplies samples of a batch with each other');
  }
  return activation(call.add('matmul', inputs, { transposeA: adjX, transposeB: adjY }));
};
