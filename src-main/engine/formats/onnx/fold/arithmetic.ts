// Arithmetic between constants, with NumPy broadcasting.

import { broadcastShapes } from '../../../graph/ops/check';
import { readStrided, stridesOf } from '../../../graph/ops/labels';
import type { Shape } from '../../../graph/types';
import type { Constant, Numbers } from '../tensor';
import type { Fold, FoldCall, Folded } from './types';

type Kind = Constant['kind'];

export function emptyNumbers(kind: Kind, size: number): Numbers {
  return kind === 'float' ? new Float32Array(size) : new Float64Array(size);
}

/** Where each number of a broadcast result lies in an operand. */
function places(from: Shape, to: Shape): Int32Array {
  const strides = stridesOf(from);
  const steps = to.map((_, axis) => {
    const own = axis - to.length + from.length;
    return own < 0 || from[own] === 1 ? 0 : strides[own]!;
  });
  const source = Int32Array.from({ length: from.reduce((a, b) => a * b, 1) }, (_, i) => i);
  return readStrided(source, to, steps);
}

/** A constant's numbers at every position of a shape that it broadcasts to. */
export function broadcastTo(constant: Constant, shape: Shape): Numbers {
  const source = constant.numbers();
  const result = emptyNumbers(
    constant.kind,
    shape.reduce((a, b) => a * b, 1),
  );
  const from = places(constant.shape, shape);
  for (let i = 0; i < result.length; i++) result[i] = source[from[i]!]!;
  return result;
}

function joinedShape(call: FoldCall, shapes: readonly Shape[]): Shape {
  const shape = broadcastShapes(shapes);
  if (shape === null) throw call.corrupt('the shapes of its inputs do not broadcast');
  call.requireSize(shape);
  return shape;
}

/** Pairwise over any number of inputs; whole numbers stay whole. */
function pairwise(f: (a: number, b: number) => number, result?: Kind): Fold {
  return (call) => {
    let total: Folded | null = null;
    for (let i = 0; i < call.inputCount; i++) {
      const next = call.input(i);
      if (total === null) {
        total = { shape: next.shape, kind: next.kind, data: next.numbers() };
        continue;
      }
      const left: Folded = total;
      const shape = joinedShape(call, [left.shape, next.shape]);
      const kind = result ?? left.kind;
      const a = broadcastTo({ ...left, name: '', numbers: () => left.data }, shape);
      const b = broadcastTo(next, shape);
      const data = emptyNumbers(kind, a.length);
      for (let n = 0; n < data.length; n++) data[n] = f(a[n]!, b[n]!);
      total = { shape, kind, data };
    }
    if (total === null) throw call.corrupt('it has no input');
    return [total];
  };
}

function unary(f: (value: number) => number, result?: Kind): Fold {
  return (call) => {
    const { shape, kind, ...rest } = call.input(0);
    const data = rest.numbers();
    const mapped = emptyNumbers(result ?? kind, data.length);
    for (let i = 0; i < data.length; i++) mapped[i] = f(data[i]!);
    return [{ shape, kind: result ?? kind, data: mapped }];
  };
}

const divide: Fold = (call) => {
  const whole = call.input(0).kind !== 'float';
  const zero =
    whole &&
    call
      .input(1)
      .numbers()
      .some((value) => value === 0);
  if (zero) throw call.corrupt('it divides by zero');
  return pairwise((a, b) => (whole ? Math.trunc(a / b) : a / b))(call);
};

/** The sign of the divisor, or of the dividend with fmod. */
const modulo: Fold = (call) => {
  const fmod = call.node.attributes.flag('fmod', false);
  if (
    call
      .input(1)
      .numbers()
      .some((value) => value === 0)
  ) {
    throw call.corrupt('it divides by zero');
  }
  return pairwise((a, b) => (fmod ? a % b : a - b * Math.floor(a / b)))(call);
};

const where: Fold = (call) => {
  const [condition, a, b] = [call.input(0), call.input(1), call.input(2)];
  const shape = joinedShape(call, [condition.shape, a.shape, b.shape]);
  const [chosen, left, right] = [condition, a, b].map((x) => broadcastTo(x, shape)) as [
    Numbers,
    Numbers,
    Numbers,
  ];
  const data = emptyNumbers(a.kind, chosen.length);
  for (let i = 0; i < data.length; i++) data[i] = chosen[i] === 0 ? right[i]! : left[i]!;
  return [{ shape, kind: a.kind, data }];
};

const truth = (value: boolean): number => (value ? 1 : 0);

/** Half to even, as NumPy rounds. */
function round(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

export const arithmeticFolds: Readonly<Record<string, Fold>> = {
  Add: pairwise((a, b) => a + b),
  Sub: pairwise((a, b) => a - b),
  Mul: pairwise((a, b) => a * b),
  Div: divide,
  Mod: modulo,
  Pow: pairwise((a, b) => a ** b),
  Min: pairwise(Math.min),
  Max: pairwise(Math.max),
  Sum: pairwise((a, b) => a + b),
  Equal: pairwise((a, b) => truth(a === b), 'bool'),
  Less: pairwise((a, b) => truth(a < b), 'bool'),
  LessOrEqual: pairwise((a, b) => truth(a <= b), 'bool'),
  Greater: pairwise((a, b) => truth(a > b), 'bool'),
  GreaterOrEqual: pairwise((a, b) => truth(a >= b), 'bool'),
  And: pairwise((a, b) => a * b, 'bool'),
  Or: pairwise(Math.max, 'bool'),
  Where: where,
  Not: unary((value) => truth(value === 0), 'bool'),
  Neg: unary((value) => -value),
  Abs: unary(Math.abs),
  Sqrt: unary(Math.sqrt),
  Exp: unary(Math.exp),
  Log: unary(Math.log),
  Reciprocal: unary((value) => 1 / value),
  Floor: unary(Math.floor),
  Ceil: unary(Math.ceil),
  Round: unary(round),
};
