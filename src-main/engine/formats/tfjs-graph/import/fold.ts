// Arithmetic on numbers that do not depend on the input: what a file calculates from its weights, and from the
// shapes of tensors. Computed in float64 and rounded once.

import { broadcastShapes, sizeOf } from '../../../graph/ops/check';
import { stridesOf } from '../../../graph/ops/labels';
import type { Shape } from '../../../graph/types';
import { corrupt, tooLarge } from '../../keras-config/errors';
import { unsupportedOp } from '../errors';
import type { GraphNode } from '../graph-def';
import { sliceSpec } from './slice-spec';
import { ints, type Constant } from './values';

/** Numbers that one step may make: more than the largest kernels have. */
const maxFolded = 2 ** 26;

type Fold = (node: GraphNode, inputs: readonly Constant[]) => Constant | readonly Constant[];

function misfit(node: GraphNode, why: string): ReturnType<typeof corrupt> {
  return corrupt(`Node "${node.name}" (${node.op}) does not fit its inputs: ${why}`, {
    layer: node.name,
  });
}

function at(node: GraphNode, inputs: readonly Constant[], index: number): Constant {
  const input = inputs[index];
  if (input !== undefined) return input;
  throw misfit(node, `it has ${inputs.length} of them`);
}

function requireSize(node: GraphNode, shape: Shape): void {
  const size = sizeOf(shape);
  if (shape.some(Number.isNaN)) {
    throw unsupportedOp(
      node.name,
      node.op,
      'it makes a tensor for the number of samples of a batch',
    );
  }
  if (!shape.every((n) => Number.isInteger(n) && n >= 0)) {
    throw misfit(node, `the result would have the shape [${shape.join(', ')}]`);
  }
  if (size > maxFolded) throw tooLarge(`Numbers made by node "${node.name}"`, size, maxFolded);
}

/** A constant whose number at each flat place is given by a function. */
function fill(
  node: GraphNode,
  shape: Shape,
  type: Constant['type'],
  valueAt: (place: number) => number,
): Constant {
  requireSize(node, shape);
  const data = new { float: Float32Array, int: Float64Array, bool: Uint8Array }[type](
    sizeOf(shape),
  );
  for (let i = 0; i < data.length; i++) data[i] = valueAt(i);
  return { kind: 'constant', name: node.name, shape, type, data };
}

/** Numbers picked by place: `steps` and `start` say where those of each index of `shape` lie. */
function pick(
  node: GraphNode,
  from: Constant,
  shape: Shape,
  steps: readonly number[],
  start = 0,
): Constant {
  const strides = stridesOf(shape);
  return fill(node, shape, from.type, (place) => {
    let source = start;
    for (let axis = 0; axis < shape.length; axis++) {
      source += (Math.floor(place / strides[axis]!) % shape[axis]!) * steps[axis]!;
    }
    return from.data[source]!;
  });
}

const unary =
  (fn: (x: number) => number): Fold =>
  (node, inputs) => {
    const { shape, type, data } = at(node, inputs, 0);
    return fill(node, shape, type, (i) => fn(data[i]!));
  };

const binary =
  (fn: (a: number, b: number) => number): Fold =>
  (node, inputs) => {
    const [a, b] = [at(node, inputs, 0), at(node, inputs, 1)];
    const shape = broadcastShapes([a.shape, b.shape]);
    if (shape === null) throw misfit(node, 'their shapes do not broadcast');
    requireSize(node, shape);
    const stretch = (input: Constant): Constant => {
      if (input.shape.length === shape.length && sizeOf(input.shape) === sizeOf(shape))
        return input;
      const own = stridesOf(input.shape);
      const missing = shape.length - input.shape.length;
      const steps = shape.map((_, axis) =>
        (input.shape[axis - missing] ?? 1) === 1 ? 0 : own[axis - missing]!,
      );
      return pick(node, input, shape, steps);
    };
    const [left, right] = [stretch(a).data, stretch(b).data];
    return fill(node, shape, a.type, (i) => fn(left[i]!, right[i]!));
  };

/** An axis of a list of axes, possibly counted from the end. */
function axisOf(node: GraphNode, axis: number | undefined, rank: number): number {
  const resolved = axis !== undefined && axis < 0 ? axis + rank : axis;
  if (resolved !== undefined && Number.isInteger(resolved) && resolved >= 0 && resolved < rank) {
    return resolved;
  }
  throw misfit(node, `there is no axis ${axis} of ${rank}`);
}

const reshape: Fold = (node, inputs) => {
  const input = at(node, inputs, 0);
  const wanted = [...at(node, inputs, 1).data];
  const known = wanted.filter((size) => size !== -1).reduce((a, b) => a * b, 1);
  const shape = wanted.map((size) => (size === -1 ? input.data.length / known : size));
  requireSize(node, shape);
  if (sizeOf(shape) !== input.data.length) throw misfit(node, 'the number of values differs');
  return { ...input, shape };
};

const expandDims: Fold = (node, inputs) => {
  const input = at(node, inputs, 0);
  const axis = axisOf(node, at(node, inputs, 1).data[0], input.shape.length + 1);
  return { ...input, shape: [...input.shape.slice(0, axis), 1, ...input.shape.slice(axis)] };
};

const squeeze: Fold = (node, inputs) => {
  const input = at(node, inputs, 0);
  const rank = input.shape.length;
  const listed = node.attrs.ints('squeeze_dims').map((axis) => axisOf(node, axis, rank));
  const shape = input.shape.filter((size, axis) =>
    listed.length === 0 ? size !== 1 : !listed.includes(axis),
  );
  if (sizeOf(shape) !== input.data.length) throw misfit(node, 'an axis is not of size 1');
  return { ...input, shape };
};

const transpose: Fold = (node, inputs) => {
  const input = at(node, inputs, 0);
  const perm = [...at(node, inputs, 1).data];
  const sorted = [...perm].sort((a, b) => a - b);
  if (perm.length !== input.shape.length || sorted.some((axis, i) => axis !== i)) {
    throw misfit(node, 'the axes are not in an order');
  }
  const strides = stridesOf(input.shape);
  const shape = perm.map((axis) => input.shape[axis]!);
  return pick(
    node,
    input,
    shape,
    perm.map((axis) => strides[axis]!),
  );
};

/** Joins along an axis; every input has the shape of the first but there. */
function join(node: GraphNode, inputs: readonly Constant[], axis: number): Constant {
  const first = at(node, inputs, 0);
  const fits = inputs.every(
    ({ shape }) =>
      shape.length === first.shape.length &&
      shape.every((size, i) => i === axis || size === first.shape[i]),
  );
  if (!fits) throw misfit(node, 'their shapes differ');
  const shape = first.shape.map((size, i) =>
    i === axis ? inputs.reduce((sum, input) => sum + input.shape[axis]!, 0) : size,
  );
  requireSize(node, shape);
  const inner = sizeOf(shape.slice(axis + 1));
  const outer = sizeOf(shape.slice(0, axis));
  const joined: number[] = [];
  for (let row = 0; row < outer; row++) {
    for (const { shape: own, data } of inputs) {
      const width = own[axis]! * inner;
      for (let i = row * width; i < (row + 1) * width; i++) joined.push(data[i]!);
    }
  }
  return fill(node, shape, first.type, (i) => joined[i]!);
}

const pack: Fold = (node, inputs) => {
  const rank = at(node, inputs, 0).shape.length;
  const axis = axisOf(node, node.attrs.int('axis', 0), rank + 1);
  const widened = inputs.map((input) => ({
    ...input,
    shape: [...input.shape.slice(0, axis), 1, ...input.shape.slice(axis)],
  }));
  return join(node, widened, axis);
};

const concat: Fold = (node, inputs) => {
  const parts = inputs.slice(0, -1);
  const axis = axisOf(node, inputs.at(-1)?.data[0], at(node, parts, 0).shape.length);
  return join(node, parts, axis);
};

const stridedSlice: Fold = (node, inputs) => {
  const input = at(node, inputs, 0);
  const [begin, end, strides] = [1, 2, 3].map((i) => [...at(node, inputs, i).data]);
  const spec = sliceSpec(node.attrs, input.shape, begin!, end!, strides!);
  if (spec === null) throw misfit(node, 'the part that it takes is none');
  const counts = spec.axes.map(({ begin: from, end: to, stride }) =>
    Math.max(0, Math.ceil((to - from) / stride)),
  );
  const own = stridesOf(input.shape);
  const start = spec.axes.reduce((sum, { begin: from }, axis) => sum + from * own[axis]!, 0);
  const shape = spec.result.map((axis) => (axis === 'new' ? 1 : counts[axis]!));
  const steps = spec.result.map((axis) =>
    axis === 'new' ? 0 : own[axis]! * spec.axes[axis]!.stride,
  );
  return pick(node, input, shape, steps, start);
};

const slice: Fold = (node, inputs) => {
  const input = at(node, inputs, 0);
  const [begin, size] = [1, 2].map((i) => [...at(node, inputs, i).data]) as [number[], number[]];
  const shape = size.map((n, axis) => (n === -1 ? (input.shape[axis] ?? 0) - begin[axis]! : n));
  const inside = input.shape.every(
    (n, axis) => begin[axis]! >= 0 && begin[axis]! + shape[axis]! <= n,
  );
  if (!inside || shape.length !== input.shape.length) throw misfit(node, 'it reaches outside');
  const own = stridesOf(input.shape);
  return pick(
    node,
    input,
    shape,
    own,
    begin.reduce((sum, from, axis) => sum + from * own[axis]!, 0),
  );
};

const gather: Fold = (node, inputs) => {
  const [input, indices] = [at(node, inputs, 0), at(node, inputs, 1)];
  const axis = axisOf(node, inputs[2]?.data[0] ?? 0, input.shape.length);
  const size = input.shape[axis]!;
  if (![...indices.data].every((i) => Number.isInteger(i) && i >= 0 && i < size)) {
    throw misfit(node, 'an index is outside');
  }
  const inner = sizeOf(input.shape.slice(axis + 1));
  const count = indices.data.length;
  const shape = [...input.shape.slice(0, axis), ...indices.shape, ...input.shape.slice(axis + 1)];
  return fill(node, shape, input.type, (place) => {
    const [row, rest] = [Math.floor(place / (count * inner)), place % (count * inner)];
    const index = indices.data[Math.floor(rest / inner)]!;
    return input.data[(row * size + index) * inner + (rest % inner)]!;
  });
};

const reduce =
  (start: number, step: (sum: number, value: number) => number, mean = false): Fold =>
  (node, inputs) => {
    const input = at(node, inputs, 0);
    const rank = input.shape.length;
    const axes = new Set([...at(node, inputs, 1).data].map((axis) => axisOf(node, axis, rank)));
    const kept = input.shape.map((size, axis) => (axes.has(axis) ? 1 : size));
    const keptStrides = stridesOf(kept);
    const strides = stridesOf(input.shape);
    const sums = new Float64Array(sizeOf(kept)).fill(start);
    input.data.forEach((value: number, place: number) => {
      const target = strides.reduce(
        (sum, stride, axis) =>
          axes.has(axis)
            ? sum
            : sum + (Math.floor(place / stride) % input.shape[axis]!) * keptStrides[axis]!,
        0,
      );
      sums[target] = step(sums[target]!, value);
    });
    const divisor = mean ? input.data.length / sums.length : 1;
    const shape = node.attrs.flag('keep_dims', false)
      ? kept
      : input.shape.filter((_, axis) => !axes.has(axis));
    return fill(node, shape, input.type, (i) => sums[i]! / divisor);
  };

const cast: Fold = (node, inputs) => {
  const input = at(node, inputs, 0);
  const wanted = node.attrs.type('DstT');
  if (wanted === 'DT_FLOAT') return { ...fill(node, input.shape, 'float', (i) => input.data[i]!) };
  if (wanted === 'DT_INT32' || wanted === 'DT_INT64') {
    return fill(node, input.shape, 'int', (i) => Math.trunc(input.data[i]!));
  }
  throw unsupportedOp(node.name, node.op, `it casts to ${wanted}`);
};

const fillWith: Fold = (node, inputs) => {
  const value = at(node, inputs, 1);
  return fill(node, [...at(node, inputs, 0).data], value.type, () => value.data[0]!);
};

const range: Fold = (node, inputs) => {
  const [start, limit, delta] = [0, 1, 2].map((i) => at(node, inputs, i).data[0]!) as [
    number,
    number,
    number,
  ];
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  return fill(node, [count], at(node, inputs, 0).type, (i) => start + i * delta);
};

const divide: Fold = (node, inputs) => {
  const whole = at(node, inputs, 0).type === 'int';
  return binary((a, b) => (whole ? Math.trunc(a / b) : a / b))(node, inputs);
};

const folds: Readonly<Record<string, Fold>> = {
  Abs: unary(Math.abs),
  Exp: unary(Math.exp),
  Log: unary(Math.log),
  Neg: unary((x) => -x),
  Reciprocal: unary((x) => 1 / x),
  Relu: unary((x) => Math.max(x, 0)),
  Rsqrt: unary((x) => 1 / Math.sqrt(x)),
  Sqrt: unary(Math.sqrt),
  Square: unary((x) => x * x),
  ZerosLike: unary(() => 0),
  OnesLike: unary(() => 1),

  Add: binary((a, b) => a + b),
  AddV2: binary((a, b) => a + b),
  Div: divide,
  FloorDiv: binary((a, b) => Math.floor(a / b)),
  FloorMod: binary((a, b) => a - Math.floor(a / b) * b),
  Maximum: binary(Math.max),
  Minimum: binary(Math.min),
  Mul: binary((a, b) => a * b),
  Pow: binary((a, b) => a ** b),
  RealDiv: binary((a, b) => a / b),
  SquaredDifference: binary((a, b) => (a - b) ** 2),
  Sub: binary((a, b) => a - b),

  Max: reduce(-Infinity, Math.max),
  Mean: reduce(0, (sum, value) => sum + value, true),
  Min: reduce(Infinity, Math.min),
  Prod: reduce(1, (product, value) => product * value),
  Sum: reduce(0, (sum, value) => sum + value),

  Cast: cast,
  ConcatV2: concat,
  ExpandDims: expandDims,
  Fill: fillWith,
  Gather: gather,
  GatherV2: gather,
  Pack: pack,
  Range: range,
  Rank: (node, inputs) => ints(node.name, [at(node, inputs, 0).shape.length], []),
  Reshape: reshape,
  Shape: (node, inputs) => ints(node.name, at(node, inputs, 0).shape),
  Size: (node, inputs) => ints(node.name, [at(node, inputs, 0).data.length], []),
  Slice: slice,
  Squeeze: squeeze,
  StridedSlice: stridedSlice,
  Transpose: transpose,
};

/** The results of a node on known numbers; null for an operation that is not calculated here. @throws AppError */
export function fold(node: GraphNode, inputs: readonly Constant[]): readonly Constant[] | null {
  const calculate = Object.hasOwn(folds, node.op) ? folds[node.op] : undefined;
  if (calculate === undefined || inputs.length === 0) return null;
  const result = calculate(node, inputs);
  return 'kind' in result ? [result] : result;
}
