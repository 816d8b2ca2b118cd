// Constants joined, taken apart, shaped anew and made from nothing.

import { sizeOf, withAxis } from '../../../graph/ops/check';
import { readStrided, stridesOf } from '../../../graph/ops/labels';
import type { Shape } from '../../../graph/types';
import { integersOf, sliceRange, splitSizes, targetShape } from '../parameters';
import type { Constant } from '../tensor';
import { transposed } from '../../transpose';
import { kindOf } from '../numbers';
import { broadcastTo, emptyNumbers } from './arithmetic';
import type { Fold, FoldCall, Folded } from './types';

function same(constant: Constant, shape: Shape): Folded {
  return { shape, kind: constant.kind, data: constant.numbers() };
}

/** Numbers at every position of a strided view: see `readStrided`. */
function strided(constant: Constant, shape: Shape, steps: readonly number[], start = 0): Folded {
  const source = constant.numbers();
  const order = readStrided(
    Int32Array.from({ length: source.length }, (_, i) => i),
    shape,
    steps,
    start,
  );
  const data = emptyNumbers(constant.kind, order.length);
  for (let i = 0; i < data.length; i++) data[i] = source[order[i]!]!;
  return { shape, kind: constant.kind, data };
}

function axisOf(call: FoldCall, axis: number, rank: number): number {
  const resolved = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(resolved) && resolved >= 0 && resolved < rank) return resolved;
  throw call.corrupt(`axis ${axis} is outside rank ${rank}`);
}

/** Axes as an attribute in older sets, as an input in newer ones; null where they are left out. */
function axesOf(call: FoldCall, place: number): readonly number[] | null {
  const { attributes } = call.node;
  if (attributes.has('axes')) return attributes.ints('axes');
  const given = call.optional(place);
  return given === null ? null : integersOf(given);
}

const cast: Fold = (call) => {
  const constant = call.input(0);
  const like = call.node.op === 'CastLike';
  const kind = like
    ? call.input(1).kind
    : (kindOf(call.node.attributes.int('to')) ?? constant.kind);
  const source = constant.numbers();
  const data = emptyNumbers(kind, source.length);
  for (let i = 0; i < data.length; i++) {
    const value = source[i]!;
    data[i] = kind === 'float' ? value : kind === 'int' ? Math.trunc(value) : value === 0 ? 0 : 1;
  }
  return [{ shape: constant.shape, kind, data }];
};

const constantOfShape: Fold = (call) => {
  const shape = integersOf(call.input(0));
  if (shape.some((size) => size < 0))
    throw call.corrupt(`it makes the shape [${shape.join(', ')}]`);
  const { attributes } = call.node;
  const value = attributes.has('value') ? attributes.tensor('value') : null;
  const kind = value?.kind ?? 'float';
  const data = emptyNumbers(kind, call.requireSize(shape));
  return [{ shape, kind, data: data.fill(value?.numbers()[0] ?? 0) }];
};

const rangeOf: Fold = (call) => {
  const [start, limit, delta] = [0, 1, 2].map((i) => call.input(i).numbers()[0] ?? 0) as [
    number,
    number,
    number,
  ];
  const { kind } = call.input(0);
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  if (!Number.isFinite(count)) throw call.corrupt('its range does not end');
  const data = emptyNumbers(kind, call.requireSize([count]));
  for (let i = 0; i < data.length; i++) data[i] = start + i * delta;
  return [{ shape: [count], kind, data }];
};

const expand: Fold = (call) => {
  const constant = call.input(0);
  const wanted = integersOf(call.input(1));
  const rank = Math.max(wanted.length, constant.shape.length);
  const at = (shape: Shape, axis: number): number => shape[axis - rank + shape.length] ?? 1;
  const shape = Array.from({ length: rank }, (_, axis) => {
    const [own, other] = [at(constant.shape, axis), at(wanted, axis)];
    if (own !== other && own !== 1 && other !== 1) {
      throw call.corrupt(`[${constant.shape.join(', ')}] cannot become [${wanted.join(', ')}]`);
    }
    return own === 1 ? other : own;
  });
  if (shape.some((size) => size < 0))
    throw call.corrupt(`it makes the shape [${shape.join(', ')}]`);
  call.requireSize(shape);
  return [{ shape, kind: constant.kind, data: broadcastTo(constant, shape) }];
};

const tile: Fold = (call) => {
  const constant = call.input(0);
  const repeats = integersOf(call.input(1));
  if (repeats.length !== constant.shape.length || repeats.some((times) => times < 0)) {
    throw call.corrupt('it does not state a number of repeats for each axis');
  }
  const shape = constant.shape.map((size, axis) => size * repeats[axis]!);
  call.requireSize(shape);
  // Each axis as [repeat, size], of which the first stays in place.
  const split = constant.shape.flatMap((size, axis) => [repeats[axis]!, size]);
  const steps = stridesOf(constant.shape).flatMap((stride) => [0, stride]);
  return [{ ...strided(constant, split, steps), shape }];
};

const gather: Fold = (call) => {
  const [constant, indices] = [call.input(0), call.input(1)];
  const axis = axisOf(call, call.node.attributes.int('axis', 0), constant.shape.length);
  const size = constant.shape[axis]!;
  const picked = integersOf(indices).map((index) => (index < 0 ? index + size : index));
  if (picked.some((index) => index < 0 || index >= size)) {
    throw call.corrupt(`it picks entries outside of the ${size} that there are`);
  }
  const outer = sizeOf(constant.shape.slice(0, axis));
  const inner = sizeOf(constant.shape.slice(axis + 1));
  const shape = [
    ...constant.shape.slice(0, axis),
    ...indices.shape,
    ...constant.shape.slice(axis + 1),
  ];
  const source = constant.numbers();
  const data = emptyNumbers(constant.kind, call.requireSize(shape));
  let place = 0;
  for (let o = 0; o < outer; o++) {
    for (const index of picked) {
      const from = (o * size + index) * inner;
      data.set(source.subarray(from, from + inner), place);
      place += inner;
    }
  }
  return [{ shape, kind: constant.kind, data }];
};

const concat: Fold = (call) => {
  const parts = Array.from({ length: call.inputCount }, (_, i) => call.input(i));
  const [first] = parts;
  if (first === undefined) throw call.corrupt('it has no input');
  const axis = axisOf(call, call.node.attributes.int('axis'), first.shape.length);
  const fits = parts.every(
    ({ shape }) =>
      shape.length === first.shape.length &&
      shape.every((size, i) => i === axis || size === first.shape[i]),
  );
  if (!fits) throw call.corrupt('the shapes of its inputs do not fit together');
  const total = parts.reduce((sum, { shape }) => sum + shape[axis]!, 0);
  const shape = withAxis(first.shape, axis, total);
  const data = emptyNumbers(first.kind, call.requireSize(shape));
  const outer = sizeOf(shape.slice(0, axis));
  let offset = 0;
  for (const part of parts) {
    const source = part.numbers();
    const length = outer === 0 ? 0 : source.length / outer;
    const row = sizeOf(shape.slice(axis));
    for (let o = 0; o < outer; o++) {
      data.set(source.subarray(o * length, (o + 1) * length), o * row + offset);
    }
    offset += length;
  }
  return [{ shape, kind: first.kind, data }];
};

const slice: Fold = (call) => {
  const constant = call.input(0);
  const { shape, strides, start } = sliceRange(call, constant.shape);
  const own = stridesOf(constant.shape);
  const steps = own.map((stride, axis) => stride * strides[axis]!);
  const offset = own.reduce((sum, stride, axis) => sum + stride * start[axis]!, 0);
  call.requireSize(shape);
  return [strided(constant, shape, steps, offset)];
};

const split: Fold = (call) => {
  const constant = call.input(0);
  const axis = axisOf(call, call.node.attributes.int('axis', 0), constant.shape.length);
  const own = stridesOf(constant.shape);
  let offset = 0;
  return splitSizes(call, constant.shape[axis]!).map((size) => {
    const part = strided(constant, withAxis(constant.shape, axis, size), own, offset * own[axis]!);
    offset += size;
    return part;
  });
};

const transpose: Fold = (call) => {
  const constant = call.input(0);
  const rank = constant.shape.length;
  const reversed = Array.from({ length: rank }, (_, i) => rank - 1 - i);
  const perm = call.node.attributes.ints('perm', reversed);
  if ([...perm].sort((a, b) => a - b).some((axis, i) => axis !== i) || perm.length !== rank) {
    throw call.corrupt(`[${perm.join(', ')}] does not order its axes`);
  }
  const shape = perm.map((axis) => constant.shape[axis]!);
  const source = constant.numbers();
  // Weights come this way too.
  if (source instanceof Float32Array) {
    return [{ shape, kind: constant.kind, data: transposed(source, constant.shape, perm) }];
  }
  const own = stridesOf(constant.shape);
  const steps = perm.map((axis) => own[axis]!);
  return [strided(constant, shape, steps)];
};

const reshape: Fold = (call) => {
  const constant = call.input(0);
  const allowZero = call.node.attributes.flag('allowzero', false);
  return [same(constant, targetShape(call, constant.shape, integersOf(call.input(1)), allowZero))];
};

const flatten: Fold = (call) => {
  const constant = call.input(0);
  const rank = constant.shape.length;
  const given = call.node.attributes.int('axis', 1);
  const axis = given < 0 ? given + rank : given;
  return [
    same(constant, [sizeOf(constant.shape.slice(0, axis)), sizeOf(constant.shape.slice(axis))]),
  ];
};

const squeeze: Fold = (call) => {
  const constant = call.input(0);
  const { shape } = constant;
  const axes = axesOf(call, 1)?.map((axis) => axisOf(call, axis, shape.length));
  const dropped = new Set(axes ?? shape.flatMap((size, axis) => (size === 1 ? [axis] : [])));
  if ([...dropped].some((axis) => shape[axis] !== 1)) {
    throw call.corrupt('it drops an axis that is not 1');
  }
  return [
    same(
      constant,
      shape.filter((_, axis) => !dropped.has(axis)),
    ),
  ];
};

const unsqueeze: Fold = (call) => {
  const constant = call.input(0);
  const axes = axesOf(call, 1);
  if (axes === null) throw call.corrupt('it does not say where the new axes go');
  const rank = constant.shape.length + axes.length;
  const places = new Set(axes.map((axis) => axisOf(call, axis, rank)));
  if (places.size !== axes.length) throw call.corrupt('it adds an axis twice');
  const rest = [...constant.shape];
  return [
    same(
      constant,
      Array.from({ length: rank }, (_, axis) => (places.has(axis) ? 1 : rest.shift()!)),
    ),
  ];
};

const size: Fold = (call) => [
  { shape: [], kind: 'int', data: Float64Array.of(sizeOf(call.input(0).shape)) },
];

const shapeOfConstant: Fold = (call) => {
  const { shape } = call.input(0);
  const { attributes } = call.node;
  const part = shape.slice(attributes.int('start', 0), attributes.int('end', shape.length));
  return [{ shape: [part.length], kind: 'int', data: Float64Array.from(part) }];
};

type Reducer = (numbers: Float64Array) => number;

function reduce(f: Reducer): Fold {
  return (call) => {
    const constant = call.input(0);
    const { shape } = constant;
    const given = axesOf(call, 1);
    const keep = call.node.attributes.flag('keepdims', true);
    if ((given ?? []).length === 0 && call.node.attributes.flag('noop_with_empty_axes', false)) {
      return [same(constant, shape)];
    }
    const axes = new Set(
      given === null || given.length === 0
        ? shape.keys()
        : given.map((axis) => axisOf(call, axis, shape.length)),
    );
    const kept = [...shape.keys()].filter((axis) => !axes.has(axis));
    const own = stridesOf(shape);
    const order = [...kept, ...axes];
    const rows = strided(
      constant,
      order.map((axis) => shape[axis]!),
      order.map((axis) => own[axis]!),
    ).data;
    const count = kept.reduce((product, axis) => product * shape[axis]!, 1);
    const length = count === 0 ? 0 : rows.length / count;
    const data = emptyNumbers(constant.kind, count);
    for (let i = 0; i < count; i++) {
      data[i] = f(Float64Array.from(rows.subarray(i * length, (i + 1) * length)));
    }
    const result = keep
      ? shape.map((n, axis) => (axes.has(axis) ? 1 : n))
      : kept.map((axis) => shape[axis]!);
    return [{ shape: result, kind: constant.kind, data }];
  };
}

const sum: Reducer = (numbers) => numbers.reduce((a, b) => a + b, 0);

export const arrangeFolds: Readonly<Record<string, Fold>> = {
  Cast: cast,
  CastLike: cast,
  ConstantOfShape: constantOfShape,
  Range: rangeOf,
  Expand: expand,
  Tile: tile,
  Gather: gather,
  Concat: concat,
  Slice: slice,
  Split: split,
  Transpose: transpose,
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Shape: shapeOfConstant,
  Size: size,
  ReduceSum: reduce(sum),
  ReduceProd: reduce((numbers) => numbers.reduce((a, b) => a * b, 1)),
  ReduceMax: reduce((numbers) => numbers.reduce((a, b) => Math.max(a, b), -Infinity)),
  ReduceMin: reduce((numbers) => numbers.reduce((a, b) => Math.min(a, b), Infinity)),
  ReduceMean: reduce((numbers) => sum(numbers) / numbers.length),
  ReduceL2: reduce((numbers) => Math.sqrt(numbers.reduce((a, b) => a + b * b, 0))),
};
