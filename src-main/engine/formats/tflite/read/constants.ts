// Operators on stored numbers, computed while reading: arithmetic with shapes, weights that are reshaped or stored in
// half precision.

import { sizeOf } from '../../../graph/ops/check';
import type { Shape } from '../../../graph/types';
import type { OperatorName } from '../operators';
import { transposed } from '../../transpose';
import type { Call } from './call';
import { constantOf, type Constant, type Value } from './values';

/** More numbers than any shape has, and less than would take memory. */
const maxFilled = 1 << 20;

/** The shape that a reshape makes: one size may be left to it. @throws AppError MODEL_CORRUPT */
export function resolvedShape(call: Call, stated: readonly number[], current: Shape): Shape {
  const open = stated.filter((size) => size === -1).length;
  const known = stated.reduce((product, size) => (size === -1 ? product : product * size), 1);
  const rest = sizeOf(current) / known;
  if (open > 1 || (open === 1 && !Number.isInteger(rest))) {
    throw call.corrupt(`[${current.join(', ')}] does not become [${stated.join(', ')}]`);
  }
  return stated.map((size) => (size === -1 ? rest : size));
}

export interface SlicedAxis {
  readonly begin: number;
  readonly end: number;
  readonly stride: number;
}

/**
 * What a strided slice takes of each axis, and the shape of its result: axes may be left whole, dropped or added.
 * @param lists begin, end and stride of the axes that are named
 * @throws AppError MODEL_CORRUPT, MODEL_UNSUPPORTED_OP
 */
export function slicedAxes(
  call: Call<'STRIDED_SLICE'>,
  input: Shape,
  [begins, ends, strides]: readonly [readonly number[], readonly number[], readonly number[]],
): { readonly axes: readonly SlicedAxis[]; readonly shape: Shape } {
  const { beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask, offset } = call.options;
  if (ellipsisMask !== 0) throw call.unsupported('it leaves a number of axes out');
  const axes: SlicedAxis[] = [];
  const shape: number[] = [];
  begins.forEach((stated, i) => {
    const has = (mask: number): boolean => (mask & (1 << i)) !== 0;
    if (has(newAxisMask)) {
      shape.push(1);
      return;
    }
    const size = input[axes.length];
    const stride = strides[i] ?? 1;
    if (size === undefined) throw call.corrupt('it slices more axes than there are');
    if (stride < 1) throw call.unsupported('it goes backwards');
    const within = (position: number): number =>
      Math.min(Math.max(position < 0 ? position + size : position, 0), size);
    const begin = has(beginMask) ? 0 : within(stated);
    const statedEnd = (ends[i] ?? size) + (offset ? stated : 0);
    const end = has(shrinkAxisMask) ? begin + 1 : has(endMask) ? size : within(statedEnd);
    if (end <= begin || end > size) throw call.corrupt('it takes nothing');
    axes.push({ begin, end, stride });
    if (!has(shrinkAxisMask)) shape.push(Math.ceil((end - begin) / stride));
  });
  for (const size of input.slice(axes.length)) {
    axes.push({ begin: 0, end: size, stride: 1 });
    shape.push(size);
  }
  return { axes, shape };
}

type Fold = (call: Call, inputs: readonly Constant[]) => Constant | null;

const folds: Readonly<Partial<Record<OperatorName, Fold>>> = {
  DEQUANTIZE: (_call, [x]) => constantOf(x!.shape, Float32Array.from(x!.data)),
  CAST: (call, [x]) =>
    call.outputIsFloat
      ? constantOf(x!.shape, Float32Array.from(x!.data))
      : constantOf(x!.shape, Int32Array.from(x!.data)),
  RESHAPE: (call, [x]) => {
    const stated = call.inputs[1] ? call.ints(1) : (call as Call<'RESHAPE'>).options.newShape;
    return withShape(call, x!, resolvedShape(call, stated, x!.shape));
  },
  SQUEEZE: (call, [x]) => withShape(call, x!, call.outputShapes[0]!),
  EXPAND_DIMS: (call, [x]) => withShape(call, x!, call.outputShapes[0]!),
  TRANSPOSE: (call, [x, perm]) => {
    const order = [...perm!.data];
    const isOrder = [...order].sort((a, b) => a - b).every((axis, i) => axis === i);
    if (!isOrder || order.length !== x!.shape.length) throw call.corrupt('its axes are no order');
    if (!(x!.data instanceof Float32Array)) return null;
    const shape = order.map((axis) => x!.shape[axis]!);
    return constantOf(shape, transposed(x!.data, x!.shape, order));
  },
  PACK: (_call, parts) =>
    parts.every(({ data }) => data.length === 1)
      ? like(
          parts[0]!,
          parts.map(({ data }) => data[0]!),
        )
      : null,
  CONCATENATION: (call, parts) => {
    if (!parts.every(({ shape }) => shape.length === 1)) return null;
    const size = parts.reduce((sum, { data }) => sum + data.length, 0);
    if (size > maxFilled) throw call.corrupt(`it joins ${size} numbers`);
    return like(
      parts[0]!,
      parts.flatMap(({ data }) => [...data]),
    );
  },
  STRIDED_SLICE: (call, [x]) => {
    if (x!.shape.length !== 1) return null;
    const lists = [call.ints(1), call.ints(2), call.ints(3)] as const;
    const { axes, shape } = slicedAxes(call as Call<'STRIDED_SLICE'>, x!.shape, lists);
    const { begin, end, stride } = axes[0]!;
    const taken = [...x!.data].slice(begin, end).filter((_, i) => i % stride === 0);
    return { ...like(x!, taken), shape };
  },
  GATHER: (call, [x, indices]) => {
    if (x!.shape.length !== 1) return null;
    const taken = [...indices!.data].map((index) => x!.data[index]);
    if (taken.includes(undefined)) throw call.corrupt('it gathers what is not there');
    return { ...like(x!, taken as number[]), shape: indices!.shape };
  },
  FILL: (call, [shape, value]) => {
    const size = sizeOf([...shape!.data]);
    if (!(size >= 0 && size <= maxFilled)) throw call.corrupt(`it fills ${size} numbers`);
    return {
      ...like(value!, new Array<number>(size).fill(value!.data[0] ?? 0)),
      shape: [...shape!.data],
    };
  },
  ADD: elementwise((a, b) => a + b),
  SUB: elementwise((a, b) => a - b),
  MUL: elementwise((a, b) => a * b),
  DIV: elementwise((a, b) => a / b),
  MAXIMUM: elementwise(Math.max),
  MINIMUM: elementwise(Math.min),
  REDUCE_PROD: (_call, [x]) => reduced(x!, (a, b) => a * b, 1),
  SUM: (_call, [x]) => reduced(x!, (a, b) => a + b, 0),
};

/**
 * The result of an operator whose inputs are all stored; null where it is computed with layers instead.
 * @throws AppError MODEL_CORRUPT, MODEL_UNSUPPORTED_OP
 */
export function foldConstants(call: Call): readonly Value[] | null {
  const fold = folds[call.operation.operator];
  const inputs = call.inputs.filter((value) => value !== null);
  if (fold === undefined || inputs.length === 0) return null;
  if (!inputs.every((value): value is Constant => value.kind === 'constant')) return null;
  const result = fold(call, inputs);
  return result === null ? null : [result];
}

function withShape(call: Call, { shape, data }: Constant, wanted: Shape): Constant {
  if (sizeOf(wanted) === data.length) return constantOf(wanted, data);
  throw call.corrupt(`[${shape.join(', ')}] does not become [${wanted.join(', ')}]`);
}

/** A vector of the same type as another constant. */
function like({ data }: Constant, values: readonly number[]): Constant {
  const isFloat = data instanceof Float32Array;
  return constantOf([values.length], isFloat ? Float32Array.from(values) : Int32Array.from(values));
}

/** Of operands of one size, or a number and any; others are left to layers. */
function elementwise(apply: (a: number, b: number) => number): Fold {
  return (_call, [a, b]) => {
    const [wide, other] = a!.data.length >= b!.data.length ? [a!, b!] : [b!, a!];
    if (other.data.length !== 1 && other.shape.join() !== wide.shape.join()) return null;
    const at = ({ data }: Constant, i: number): number => data[data.length === 1 ? 0 : i]!;
    const values = Array.from(wide.data, (_, i) => apply(at(a!, i), at(b!, i)));
    const isFloat = wide.data instanceof Float32Array;
    const data = isFloat ? Float32Array.from(values) : Int32Array.from(values);
    return constantOf(wide.shape, data);
  };
}

function reduced(
  x: Constant,
  apply: (a: number, b: number) => number,
  start: number,
): Constant | null {
  if (x.shape.length !== 1) return null;
  return { ...like(x, [[...x.data].reduce(apply, start)]), shape: [] };
}
