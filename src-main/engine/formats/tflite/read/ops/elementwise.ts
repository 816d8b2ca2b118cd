// Operators on each value alone, and arithmetic between tensors.

import type { ActivationFn } from '../../../../graph/types';
import { float32Weight } from '../../../../graph/initialise';
import type { OperatorName } from '../../operators';
import { scalar, type Call, type Raise } from '../call';
import type { Activation, Value } from '../values';

/** One of the graph's activations. */
export const pointwise =
  (fn: ActivationFn) =>
  (call: Call): readonly Value[] => [call.activation(call.tensor(0), fn)];

export const leakyRelu: Raise<'LEAKY_RELU'> = (call) => [
  call.activation(call.tensor(0), 'leakyRelu', call.options.alpha),
];

export const gelu: Raise<'GELU'> = (call) => [
  call.activation(call.tensor(0), call.options.approximate ? 'geluTanh' : 'gelu'),
];

export const reluBetween =
  (low: number, high: number) =>
  (call: Call): readonly Value[] => [call.clipped(call.tensor(0), low, high)];

export const prelu: Raise<'PRELU'> = (call) => {
  const x = call.tensor(0);
  const { shape, data } = call.floats(1);
  const hasBatch = x.batched && shape.length === call.shapeOf(x).length && shape[0] === 1;
  const alpha = float32Weight(hasBatch ? shape.slice(1) : shape, data);
  return [call.add('prelu', [x], {}, { weights: { alpha } })];
};

/** 1 / sqrt(x) */
export const rsqrt: Raise<'RSQRT'> = (call) => {
  const root = call.activation(call.tensor(0), 'sqrt', undefined, `${call.name}_sqrt`);
  return [call.add('div', [call.stored(scalar(1)), root], {})];
};

/** log(1 + exp(x)) is written so: it is softplus. */
export const log: Raise<'LOG'> = (call) => {
  const sum = call.maker(0);
  const place = [0, 1].find((candidate) => {
    const other = sum?.inputs[1 - candidate];
    const isOne = other?.kind === 'constant' && other.data.length === 1 && other.data[0] === 1;
    return isOne && sum?.maker(candidate)?.operation.operator === 'EXP';
  });
  const exponential = place === undefined ? null : sum?.maker(place);
  const isSoftplus = sum?.operation.operator === 'ADD' && exponential;
  if (isSoftplus) return [call.activation(exponential.tensor(0), 'softplus')];
  return [call.activation(call.tensor(0), 'log')];
};

export const square: Raise<'SQUARE'> = (call) => {
  const x = call.tensor(0);
  return [call.add('mul', [x, x], {})];
};

export const squaredDifference: Raise<'SQUARED_DIFFERENCE'> = (call) => {
  const [a, b] = operands(call);
  const difference = call.add('sub', [a, b], {}, { name: `${call.name}_sub` });
  return [call.add('mul', [difference, difference], {})];
};

type Arithmetic = 'add' | 'sub' | 'mul' | 'div' | 'max' | 'min';

/** The two operands as layers; a stored one is aligned with the other. */
function operands(call: Call): readonly [Activation, Activation] {
  const [a, b] = [call.input(0), call.input(1)];
  const pair = [call.asTensor(a, b), call.asTensor(b, a)] as const;
  const computed = pair.filter((_, i) => [a, b][i]!.kind === 'activation');
  if (new Set(computed.map(({ batched }) => batched)).size > 1) {
    throw call.unsupported('one of its operands has no axis for the batch');
  }
  return pair;
}

/** x * scale + offset, where the operator has one stored number as an operand. */
function rescaled(call: Call, op: Arithmetic): Activation | null {
  const [a, b] = [call.input(0), call.input(1)];
  const stored = a.kind === 'constant' ? a : b;
  const x = a.kind === 'constant' ? b : a;
  if (stored.kind !== 'constant' || x.kind !== 'activation') return null;
  const [number] = stored.data;
  const isFloat = stored.data instanceof Float32Array;
  if (!isFloat || stored.data.length !== 1 || !Number.isFinite(number)) return null;
  if (stored.shape.length > call.shapeOf(x).length) return null;
  const affine = affineOf(op, number!, stored === a);
  if (affine === null || call.builder.shapeOf(x.tensor).length === 0) return null;
  return call.add('rescale', [x], affine);
}

function affineOf(
  op: Arithmetic,
  number: number,
  isFirst: boolean,
): { readonly scale: readonly [number]; readonly offset: readonly [number] } | null {
  if (op === 'mul') return { scale: [number], offset: [0] };
  if (op === 'add') return { scale: [1], offset: [number] };
  if (op !== 'sub') return null;
  return isFirst ? { scale: [-1], offset: [number] } : { scale: [1], offset: [-number] };
}

export const arithmetic =
  <N extends Extract<OperatorName, 'ADD' | 'SUB' | 'MUL' | 'DIV'>>(op: Arithmetic): Raise<N> =>
  (call) => {
    const output = rescaled(call, op) ?? call.add(op, operands(call), {});
    const { activation } = call.options as { readonly activation: number };
    return [call.fused(output, activation)];
  };

export const extremum =
  (op: 'max' | 'min') =>
  (call: Call): readonly Value[] => [call.add(op, operands(call), {})];
