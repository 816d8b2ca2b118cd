// Ops on each value alone, and arithmetic between tensors.

import type { ActivationFn, Shape } from '../../../graph/types';
import type { Program, TensorIndex } from '../program';
import type { WrittenOperator } from '../operators';
import { fusedActivations } from '../schema';
import { channelAffine } from './norms';
import { batched, type Lower, type Lowering } from './types';

/** Builds an activation from operators on tensors of one shape. */
class Formula {
  constructor(
    readonly program: Program,
    readonly shape: Shape,
  ) {}

  unary(operator: Unary, x: TensorIndex): TensorIndex {
    return this.program.emit(operator, [x], this.shape, {});
  }

  binary(operator: Binary, a: TensorIndex, b: TensorIndex): TensorIndex {
    return this.program.emit(operator, [a, b], this.shape, {});
  }

  number(value: number): TensorIndex {
    return this.program.scalar('number', value);
  }
}

type Unary = Extract<
  WrittenOperator,
  | 'RELU'
  | 'RELU6'
  | 'LOGISTIC'
  | 'TANH'
  | 'EXP'
  | 'LOG'
  | 'SQRT'
  | 'ABS'
  | 'NEG'
  | 'ELU'
  | 'HARD_SWISH'
>;
type Binary = Extract<WrittenOperator, 'ADD' | 'SUB' | 'MUL' | 'DIV' | 'MAXIMUM' | 'MINIMUM'>;

type ActivationFormula = (x: TensorIndex, f: Formula, alpha: number | undefined) => TensorIndex;

/** max(x, 0) + log(1 + exp(-|x|)): the form of softplus that does not overflow. */
const softplus: ActivationFormula = (x, f) => {
  const decay = f.unary('EXP', f.unary('NEG', f.unary('ABS', x)));
  const tail = f.unary('LOG', f.binary('ADD', decay, f.number(1)));
  return f.binary('ADD', f.unary('RELU', x), tail);
};

/** scale * (max(x, 0) + alpha * (exp(min(x, 0)) - 1)). */
function scaledElu(x: TensorIndex, f: Formula, alpha: number, scale: number): TensorIndex {
  const negative = f.unary('ELU', f.binary('MINIMUM', x, f.number(0)));
  const scaledNegative = f.binary('MUL', negative, f.number(alpha * scale));
  const positive = f.binary('MUL', f.unary('RELU', x), f.number(scale));
  return f.binary('ADD', positive, scaledNegative);
}

/** Constants of Klambauer et al. 2017, "Self-Normalizing Neural Networks". */
const seluAlpha = 1.6732632423543772;
const seluScale = 1.0507009873554805;

const formulas: { readonly [F in ActivationFn]: ActivationFormula } = {
  linear: (x) => x,
  relu: (x, f) => f.unary('RELU', x),
  relu6: (x, f) => f.unary('RELU6', x),
  leakyRelu: (x, f, alpha = 0.2) => f.program.emit('LEAKY_RELU', [x], f.shape, { alpha }),
  elu: (x, f, alpha = 1) => (alpha === 1 ? f.unary('ELU', x) : scaledElu(x, f, alpha, 1)),
  selu: (x, f) => scaledElu(x, f, seluAlpha, seluScale),
  sigmoid: (x, f) => f.unary('LOGISTIC', x),
  hardSigmoid: (x, f, alpha = 0.2) => {
    const line = f.binary('ADD', f.binary('MUL', x, f.number(alpha)), f.number(0.5));
    return f.binary('MINIMUM', f.binary('MAXIMUM', line, f.number(0)), f.number(1));
  },
  tanh: (x, f) => f.unary('TANH', x),
  softplus,
  softsign: (x, f) => f.binary('DIV', x, f.binary('ADD', f.unary('ABS', x), f.number(1))),
  swish: (x, f) => f.binary('MUL', x, f.unary('LOGISTIC', x)),
  hardSwish: (x, f) => f.unary('HARD_SWISH', x),
  gelu: (x, f) => f.program.emit('GELU', [x], f.shape, { approximate: false }),
  geluTanh: (x, f) => f.program.emit('GELU', [x], f.shape, { approximate: true }),
  mish: (x, f, alpha) => f.binary('MUL', x, f.unary('TANH', softplus(x, f, alpha))),
  exp: (x, f) => f.unary('EXP', x),
  log: (x, f) => f.unary('LOG', x),
  sqrt: (x, f) => f.unary('SQRT', x),
  abs: (x, f) => f.unary('ABS', x),
  neg: (x, f) => f.unary('NEG', x),
};

export const activation: Lower<'activation'> = ({ node, program, inputs, outputShapes }) => {
  const formula = new Formula(program, batched(outputShapes[0]!));
  return [formulas[node.attrs.fn](inputs[0]!, formula, node.attrs.alpha)];
};

export const prelu: Lower<'prelu'> = (layer) => {
  const { program } = layer;
  const alpha = layer.weight('alpha')!;
  const slopes = program.constant('alpha', alpha.shape, alpha.data);
  return [program.emit('PRELU', [layer.inputs[0]!, slopes], batched(layer.outputShapes[0]!), {})];
};

export const dropout: Lower<'dropout'> = ({ inputs }) => [inputs[0]!];

export const rescale: Lower<'rescale'> = (layer) => {
  const { node, program, inputs, outputShapes, target } = layer;
  const shape = batched(outputShapes[0]!);
  const { scale, offset } = node.attrs;
  if (target === 'int8' && shape.length === 4) {
    const channels = shape[3]!;
    const each = (values: readonly number[]): Float32Array =>
      Float32Array.from({ length: channels }, (_, c) => values[c] ?? values[0]!);
    return [channelAffine(layer, each(scale), each(offset))];
  }
  let output = inputs[0]!;
  if (scale.some((value) => value !== 1)) {
    const factor = program.constant('scale', [scale.length], Float32Array.from(scale));
    output = program.emit('MUL', [output, factor], shape, {});
  }
  if (offset.some((value) => value !== 0)) {
    const term = program.constant('offset', [offset.length], Float32Array.from(offset));
    output = program.emit('ADD', [output, term], shape, {});
  }
  return [output];
};

type Arithmetic = 'add' | 'sub' | 'mul' | 'div' | 'max' | 'min' | 'average';

/** Pairwise from left to right; the activation, where the operator has one, goes to the last pair. */
function chain<K extends Arithmetic>(layer: Lowering<K>, operator: Binary): TensorIndex {
  const { program } = layer;
  const activated = operator !== 'MAXIMUM' && operator !== 'MINIMUM';
  const last = layer.inputs.length - 1;
  let output = layer.inputs[0]!;
  for (let i = 1; i <= last; i++) {
    const shape = broadcast(program.shapeOf(output), program.shapeOf(layer.inputs[i]!));
    const activation = i === last ? fusedActivations[layer.activation] : 0;
    output = program.emit(operator, [output, layer.inputs[i]!], shape, {
      ...(activated ? { activation } : {}),
    });
  }
  return output;
}

function broadcast(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  const at = (shape: Shape, axis: number): number => shape[axis - rank + shape.length] ?? 1;
  return Array.from({ length: rank }, (_, axis) => Math.max(at(a, axis), at(b, axis)));
}

export const add: Lower<'add'> = (layer) => [chain(layer, 'ADD')];
export const sub: Lower<'sub'> = (layer) => [chain(layer, 'SUB')];
export const mul: Lower<'mul'> = (layer) => [chain(layer, 'MUL')];
export const div: Lower<'div'> = (layer) => [chain(layer, 'DIV')];
export const max: Lower<'max'> = (layer) => [chain(layer, 'MAXIMUM')];
export const min: Lower<'min'> = (layer) => [chain(layer, 'MINIMUM')];
export const average: Lower<'average'> = (layer) => {
  const sum = chain(layer, 'ADD');
  const factor = layer.program.scalar('factor', 1 / layer.inputs.length);
  return [layer.program.emit('MUL', [sum, factor], batched(layer.outputShapes[0]!), {})];
};
