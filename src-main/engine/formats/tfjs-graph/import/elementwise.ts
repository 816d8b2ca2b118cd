// Operations on each value alone, and arithmetic between tensors and with numbers.

import { formatShape } from '../../../graph/ops/check';
import type { ActivationFn, Shape, TensorId } from '../../../graph/types';
import { transposed } from '../../transpose';
import type { Call, Importer } from './session';
import { activation, scalarOf, type Activation, type Constant, type Value } from './values';

type Arithmetic = 'add' | 'sub' | 'mul' | 'div' | 'max' | 'min';

export function unary(fn: ActivationFn): Importer {
  return (call) => {
    const x = call.activation(0);
    return call.result(call.activate(x.tensor, fn), x);
  };
}

export const leakyRelu: Importer = (call) => {
  const x = call.activation(0);
  const alpha = call.attrs.number('alpha', 0.2);
  return call.result(call.activate(x.tensor, 'leakyRelu', alpha), x);
};

/** An activation that several nodes spell out. */
export const spelt: Importer = (call) => {
  const x = call.activation(0);
  const { spelt: found } = call.node;
  if (found?.kind !== 'activation') throw call.corrupt('it is no activation');
  return call.result(call.activate(x.tensor, found.fn, found.alpha), x);
};

/** Numbers aligned with the axes of an activation's sample, leading axes of size 1 left out. */
interface Operand {
  readonly shape: Shape;
  readonly data: Float32Array;
}

/** TensorFlow aligns shapes at the last axis: of a constant that reaches to the batch, that axis must be 1. */
function aligned(call: Call, constant: Constant, { tensor, layout }: Activation): Operand {
  const sample = call.shapeOf(tensor);
  const rank = layout === 'rows' ? 1 : sample.length;
  const first = constant.shape.findIndex((size) => size !== 1);
  const shape = first < 0 ? [] : constant.shape.slice(first);
  const data = call.floats(constant);
  if (shape.length > rank || constant.shape.length > rank + 1) {
    throw call.unsupported(
      `it calculates with numbers of shape ${formatShape(constant.shape)}, which reach across samples`,
    );
  }
  if (layout !== 'channelsFirst' || shape.length < rank) return { shape, data };
  // [C, 1, 1] beside [C, H, W] becomes [1, 1, C].
  const perm = [...Array.from({ length: rank - 1 }, (_, axis) => axis + 1), 0];
  const moved = perm.map((axis) => shape[axis]!);
  const start = moved.findIndex((size) => size !== 1);
  return { shape: moved.slice(start < 0 ? rank : start), data: transposed(data, shape, perm) };
}

function addConstant(call: Call, { shape, data }: Operand): TensorId {
  const value = { shape: shape.length === 0 ? [1] : shape, dtype: 'float32', data } as const;
  const name = `${call.name('constant')}_constant`;
  return call.add('constant', [], {}, { name, weights: { value } });
}

/** x * scale + offset with one number or one a channel, or null where there are more. */
function affine(
  op: Arithmetic,
  { data }: Operand,
  isReversed: boolean,
): { readonly scale: readonly number[]; readonly offset: readonly number[] } | null {
  const numbers = [...data];
  const same = (value: number): readonly number[] => numbers.map(() => value);
  if (op === 'add') return { scale: same(1), offset: numbers };
  if (op === 'mul') return { scale: numbers, offset: same(0) };
  if (op === 'sub' && isReversed) return { scale: same(-1), offset: numbers };
  if (op === 'sub') return { scale: same(1), offset: numbers.map((value) => -value) };
  if (op === 'div' && !isReversed && !numbers.includes(0)) {
    return { scale: numbers.map((value) => 1 / value), offset: same(0) };
  }
  return null;
}

function isIdentity({ scale, offset }: NonNullable<ReturnType<typeof affine>>): boolean {
  return scale.every((value) => value === 1) && offset.every((value) => value === 0);
}

function withConstant(
  call: Call,
  op: Arithmetic,
  x: Activation,
  constant: Constant,
  isReversed: boolean,
): Activation {
  const operand = aligned(call, constant, x);
  const sample = call.shapeOf(x.tensor);
  const channels = sample.at(-1);
  const isList =
    operand.data.length === 1 ||
    (operand.shape.length === 1 && operand.data.length === channels && channels > 0);
  const finite = operand.data.every(Number.isFinite);
  if (isList && finite && channels !== undefined) {
    const attrs = affine(op, operand, isReversed);
    if (attrs !== null && isIdentity(attrs)) return x;
    if (attrs !== null) return call.result(call.add('rescale', [x.tensor], attrs), x);
  }
  const other = addConstant(call, operand);
  const inputs = isReversed ? [other, x.tensor] : [x.tensor, other];
  return call.result(call.add(op, inputs, {}), x);
}

/** Two activations with their axes in one order. */
function together(call: Call, a: Activation, b: Activation): readonly [Activation, Activation] {
  const [left, right] = [a, b].map((value) => call.shapeOf(value.tensor).length);
  if (left !== right) {
    throw call.unsupported('it calculates with tensors of different numbers of axes');
  }
  if (a.layout === b.layout) return [a, b];
  return [activation(call.plain(a)), activation(call.plain(b))];
}

/** Arithmetic between two activations, or one and numbers. */
export function join(call: Call, op: Arithmetic, a: Value, b: Value): Activation {
  if (a.kind === 'activation' && b.kind === 'activation') {
    const [left, right] = together(call, a, b);
    return call.result(call.add(op, [left.tensor, right.tensor], {}), left);
  }
  if (a.kind === 'activation' && b.kind === 'constant') return withConstant(call, op, a, b, false);
  if (a.kind === 'constant' && b.kind === 'activation') return withConstant(call, op, b, a, true);
  throw call.unsupported('it calculates with numbers alone in a way that Secateur does not');
}

export function arithmetic(op: Arithmetic): Importer {
  return (call) => join(call, op, call.input(0), call.input(1));
}

/** A number for each channel of the data format; the converter calls other sums so as well. */
export const biasAdd: Importer = (call) => {
  const [x, bias] = [call.activation(0), call.input(1)];
  const isFirst = call.attrs.text('data_format', 'NHWC') === 'NCHW';
  const isList = bias.kind === 'constant' && bias.shape.length === 1;
  if (!isFirst || !isList || call.shapeOf(x.tensor).length < 2) return join(call, 'add', x, bias);
  const tensor = call.channelsLast(x);
  return activation(
    withConstant(call, 'add', activation(tensor), bias, false).tensor,
    'channelsFirst',
  );
};

export const addN: Importer = (call) => {
  const [first, ...others] = call.inputs;
  if (first === undefined) throw call.corrupt('it has no input');
  if (call.inputs.every((value) => value.kind === 'activation') && others.length > 0) {
    const all = call.inputs.map((_, i) => call.activation(i));
    const alike = all.every(({ layout }) => layout === all[0]!.layout);
    const tensors = all.map((value) => (alike ? value.tensor : call.plain(value)));
    if (new Set(tensors.map((tensor) => formatShape(call.shapeOf(tensor)))).size > 1) {
      throw call.corrupt('its inputs have different shapes');
    }
    return activation(call.add('add', tensors, {}), alike ? all[0]!.layout : 'plain');
  }
  return others.reduce((sum, value) => join(call, 'add', sum, value), first);
};

export const clip: Importer = (call) => {
  const x = call.activation(0);
  const [low, high] = [call.constant(1, 'lower limit'), call.constant(2, 'upper limit')];
  if (scalarOf(low) === 0 && scalarOf(high) === 6) {
    return call.result(call.activate(x.tensor, 'relu6'), x);
  }
  return withConstant(call, 'min', withConstant(call, 'max', x, low, false), high, false);
};

export const square: Importer = (call) => {
  const x = call.activation(0);
  return call.result(call.add('mul', [x.tensor, x.tensor], {}), x);
};

export const squaredDifference: Importer = (call) => {
  const difference = join(call, 'sub', call.input(0), call.input(1));
  return call.result(call.add('mul', [difference.tensor, difference.tensor], {}), difference);
};

/** 1 / x. */
function reciprocalOf(call: Call, x: Activation): Activation {
  const one = addConstant(call, { shape: [1], data: Float32Array.of(1) });
  return call.result(call.add('div', [one, x.tensor], {}), x);
}

export const reciprocal: Importer = (call) => reciprocalOf(call, call.activation(0));

export const rsqrt: Importer = (call) => {
  const x = call.activation(0);
  return reciprocalOf(call, call.result(call.activate(x.tensor, 'sqrt'), x));
};

export const power: Importer = (call) => {
  const x = call.activation(0);
  const exponent = scalarOf(call.constant(1, 'exponent'));
  if (exponent === 1) return x;
  if (exponent === 2) return square(call);
  if (exponent === 0.5) return call.result(call.activate(x.tensor, 'sqrt'), x);
  if (exponent === -0.5) return rsqrt(call);
  throw call.unsupported(`it raises to the power ${exponent ?? 'of a tensor'}`);
};

/** Slopes have a size of 1 on shared axes: those in front say nothing when shapes broadcast. */
export function addPrelu(call: Call, x: TensorId, slopes: Constant): TensorId {
  const alpha = call.weight(slopes, 'alpha', () => {
    const first = slopes.shape.findIndex((size) => size !== 1);
    const shape = first < 0 ? [1] : slopes.shape.slice(first);
    return { shape, dtype: 'float32', data: call.floats(slopes) };
  });
  return call.add('prelu', [x], {}, { name: call.name('prelu'), weights: { alpha } });
}

export const prelu: Importer = (call) => {
  const x = call.activation(0);
  const stored = call.constant(1, 'slopes');
  const { spelt: found } = call.node;
  const isNegated = found?.kind === 'prelu' && found.isNegated;
  // The constant itself where nothing changes, so that calls which share it go on sharing.
  if (!isNegated && x.layout !== 'channelsFirst')
    return call.result(addPrelu(call, x.tensor, stored), x);
  const { shape, data } = aligned(call, stored, x);
  const slopes = { ...stored, shape, data: isNegated ? data.map((value) => -value) : data };
  return call.result(addPrelu(call, x.tensor, slopes), x);
};

export const softmax: Importer = (call) =>
  activation(call.add('softmax', [call.plain(call.activation(0))], { axis: -1 }));
