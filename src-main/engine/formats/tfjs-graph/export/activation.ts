// Activations as operations of TensorFlow.js, and as what its convolutions can do on the way.

import type { ActivationFn, Node, NodeOf, Weight, WeightRole } from '../../../graph/types';
import { attr, type GraphDefBuilder, type Ref } from './graph-def';
import type { Lower } from './types';

type Formula = (x: Ref, f: Arithmetic, alpha: number | undefined) => Ref;

/** Builds an activation from operations. */
class Arithmetic {
  constructor(readonly builder: GraphDefBuilder) {}

  unary(op: string, x: Ref): Ref {
    return this.builder.emit(op, [x]);
  }

  binary(op: string, a: Ref, b: Ref | number): Ref {
    const second = typeof b === 'number' ? this.builder.scalar('number', b) : b;
    return this.builder.emit(op, [a, second]);
  }

  add(a: Ref, b: Ref | number): Ref {
    return this.binary('AddV2', a, b);
  }

  mul(a: Ref, b: Ref | number): Ref {
    return this.binary('Mul', a, b);
  }
}

const named =
  (op: string): Formula =>
  (x, f) =>
    f.unary(op, x);

/** x > 0 as it is, below alpha * (exp(x) - 1). */
const elu: Formula = (x, f, alpha = 1) => {
  if (alpha === 1) return f.unary('Elu', x);
  const negative = f.unary('Elu', f.binary('Minimum', x, 0));
  return f.add(f.unary('Relu', x), f.mul(negative, alpha));
};

const half = (x: Ref, part: Ref, f: Arithmetic): Ref => f.mul(f.mul(x, 0.5), part);

/** relu6(x + 3) / 6 where that is the slope, as networks for edge devices have it. */
const hardSigmoid: Formula = (x, f, alpha = 0.2) => {
  if (Math.abs(alpha - 1 / 6) < 1e-7) return f.mul(f.unary('Relu6', f.add(x, 3)), 1 / 6);
  const line = f.add(f.mul(x, alpha), 0.5);
  return f.binary('Minimum', f.binary('Maximum', line, 0), 1);
};

const formulas: { readonly [F in ActivationFn]: Formula } = {
  linear: (x) => x,
  relu: named('Relu'),
  relu6: named('Relu6'),
  leakyRelu: (x, { builder }, alpha = 0.2) =>
    builder.emit('LeakyRelu', [x], { alpha: attr.number(alpha) }),
  elu,
  selu: named('Selu'),
  sigmoid: named('Sigmoid'),
  hardSigmoid,
  tanh: named('Tanh'),
  softplus: named('Softplus'),
  softsign: (x, f) => f.binary('RealDiv', x, f.add(f.unary('Abs', x), 1)),
  swish: (x, f) => f.mul(x, f.unary('Sigmoid', x)),
  hardSwish: (x, f) => f.mul(x, f.mul(f.unary('Relu6', f.add(x, 3)), 1 / 6)),
  gelu: (x, f) => half(x, f.add(f.unary('Erf', f.mul(x, Math.SQRT1_2)), 1), f),
  geluTanh: (x, f) => {
    const cube = f.mul(f.mul(x, x), x);
    const inner = f.mul(f.add(x, f.mul(cube, 0.044715)), Math.sqrt(2 / Math.PI));
    return half(x, f.add(f.unary('Tanh', inner), 1), f);
  },
  mish: (x, f) => f.mul(x, f.unary('Tanh', f.unary('Softplus', x))),
  exp: named('Exp'),
  log: named('Log'),
  sqrt: named('Sqrt'),
  abs: named('Abs'),
  neg: named('Neg'),
};

export const activation: Lower<'activation'> = ({ node, builder, inputs }) => [
  formulas[node.attrs.fn](inputs[0]!, new Arithmetic(builder), node.attrs.alpha),
];

export const prelu: Lower<'prelu'> = (layer) => [
  layer.builder.emit('Prelu', [layer.inputs[0]!, slopesOf(layer.builder, layer.weight('alpha')!)]),
];

function slopesOf(builder: GraphDefBuilder, { shape, data }: Weight): Ref {
  return builder.floats('alpha', data, shape);
}

const fusedNames: Partial<Readonly<Record<ActivationFn, string>>> = {
  elu: 'Elu',
  leakyRelu: 'LeakyRelu',
  relu: 'Relu',
  relu6: 'Relu6',
};

/** An activation within an operation with filters. */
export interface FusedActivation {
  /** Its name among the "fused_ops". */
  readonly name: string;
  readonly alpha: number;
  /** Operands after the bias. */
  readonly operands: readonly Ref[];
}

/** Whether an operation with filters computes the activation on its way. */
export function isFusable(node: Node): boolean {
  if (node.op === 'prelu') return true;
  if (node.op !== 'activation') return false;
  const { fn, alpha } = (node as NodeOf<'activation'>).attrs;
  return fusedNames[fn] !== undefined && (fn !== 'elu' || (alpha ?? 1) === 1);
}

export function fusedActivation(
  builder: GraphDefBuilder,
  node: Node,
  weight: (role: WeightRole) => Weight | undefined,
): FusedActivation {
  if (node.op === 'prelu') {
    return { name: 'Prelu', alpha: 0.2, operands: [slopesOf(builder, weight('alpha')!)] };
  }
  const { fn, alpha = 0.2 } = (node as NodeOf<'activation'>).attrs;
  return { name: fusedNames[fn]!, alpha, operands: [] };
}
