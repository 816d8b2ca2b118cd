// An independent reference: every op of the graph as a formula over indices, in float64, without any library.
// Slow and obvious on purpose; formats are held to it.

import { inferShapes, weightsOf } from '../../../src-main/engine/graph/shapes';
import type {
  ActivationFn,
  Graph,
  Node,
  NodeOf,
  Op,
  OpAttrs,
  Padding,
  Shape,
  TensorId,
  WeightRole,
} from '../../../src-main/engine/graph/types';

export interface Value {
  readonly shape: Shape;
  readonly data: Float64Array;
}

type Index = readonly number[];

function sizeOf(shape: Shape): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** A tensor whose value at each index is given by a function. */
function build(shape: Shape, valueAt: (index: Index) => number): Value {
  const data = new Float64Array(sizeOf(shape));
  const index = shape.map(() => 0);
  for (let i = 0; i < data.length; i++) {
    data[i] = valueAt(index);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
  return { shape, data };
}

function at({ shape, data }: Value, index: Index): number {
  let position = 0;
  for (let axis = 0; axis < shape.length; axis++) position = position * shape[axis]! + index[axis]!;
  return data[position]!;
}

/** The value at an index of a larger shape that this one broadcasts to. */
function broadcastAt(value: Value, index: Index): number {
  const own = index.slice(index.length - value.shape.length);
  return at(
    value,
    own.map((i, axis) => (value.shape[axis] === 1 ? 0 : i)),
  );
}

function all(shape: Shape): Index[] {
  const indices: Index[] = [];
  build(shape, (index) => indices.push([...index]));
  return indices;
}

function axisOf(axis: number, shape: Shape): number {
  return axis < 0 ? axis + shape.length : axis;
}

/** Zeros in front of each spatial axis; see the notes on padding of tf.nn. */
function padBefore(
  input: Shape,
  kernel: Shape,
  strides: Shape,
  dilations: Shape,
  padding: Padding,
): readonly [number, number] {
  if (padding === 'valid') return [0, 0];
  if (padding !== 'same') return [padding[0][0], padding[1][0]];
  const along = (axis: 0 | 1): number => {
    const span = (kernel[axis]! - 1) * dilations[axis]! + 1;
    const total =
      (Math.ceil(input[axis]! / strides[axis]!) - 1) * strides[axis]! + span - input[axis]!;
    return Math.floor(Math.max(total, 0) / 2);
  };
  return [along(0), along(1)];
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => Math.log1p(Math.exp(-Math.abs(x))) + Math.max(x, 0);

/** Error function: its integral by Simpson's rule. */
function erf(x: number): number {
  const steps = 1000;
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    const t = (i * x) / steps;
    sum += (i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2) * Math.exp(-t * t);
  }
  return (2 / Math.sqrt(Math.PI)) * (x / steps / 3) * sum;
}

const functions: {
  readonly [F in ActivationFn]: (x: number, alpha: number | undefined) => number;
} = {
  linear: (x) => x,
  relu: (x) => Math.max(x, 0),
  relu6: (x) => Math.min(Math.max(x, 0), 6),
  leakyRelu: (x, alpha = 0.2) => (x < 0 ? alpha * x : x),
  elu: (x, alpha = 1) => (x < 0 ? alpha * (Math.exp(x) - 1) : x),
  selu: (x) => 1.0507009873554805 * (x < 0 ? 1.6732632423543772 * (Math.exp(x) - 1) : x),
  sigmoid,
  hardSigmoid: (x, alpha = 0.2) => Math.min(Math.max(alpha * x + 0.5, 0), 1),
  tanh: Math.tanh,
  softplus,
  softsign: (x) => x / (1 + Math.abs(x)),
  swish: (x) => x * sigmoid(x),
  hardSwish: (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6,
  gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  geluTanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  mish: (x) => x * Math.tanh(softplus(x)),
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  abs: Math.abs,
  neg: (x) => -x,
};

interface Call<K extends Op> {
  readonly node: NodeOf<K>;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Shape[];
  weight(role: WeightRole): Value | undefined;
}

type Reference<K extends Op> = (call: Call<K>) => readonly Value[];

/** What ops need that have neither attributes nor weights. */
type Operands = Pick<Call<Op>, 'inputs' | 'outputs'>;

function elementwise(
  reduce: (values: readonly number[]) => number,
): (call: Operands) => readonly Value[] {
  return ({ inputs, outputs }) => [
    build(outputs[0]!, (index) => reduce(inputs.map((input) => broadcastAt(input, index)))),
  ];
}

type PoolCall = Operands & { readonly node: { readonly attrs: OpAttrs['avgPool2d'] } };

function pool(reduce: (inside: readonly number[], area: number) => number) {
  return ({ node, inputs, outputs }: PoolCall): readonly Value[] => {
    const [input] = inputs as [Value];
    const { poolSize, strides, padding } = node.attrs;
    const [top, left] = padBefore(input.shape, poolSize, strides, [1, 1], padding);
    const [height, width] = input.shape as [number, number];
    return [
      build(outputs[0]!, ([y, x, c]) => {
        const inside = all(poolSize)
          .map(([ky, kx]) => [y! * strides[0] - top + ky!, x! * strides[1] - left + kx!] as const)
          .filter(([row, column]) => row >= 0 && row < height && column >= 0 && column < width)
          .map(([row, column]) => at(input, [row, column, c!]));
        return reduce(inside, sizeOf(poolSize));
      }),
    ];
  };
}

const mean = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length;

const reducers = {
  mean,
  sum: (values: readonly number[]) => values.reduce((a, b) => a + b, 0),
  max: (values: readonly number[]) => Math.max(...values),
  min: (values: readonly number[]) => Math.min(...values),
  prod: (values: readonly number[]) => values.reduce((a, b) => a * b, 1),
};

function reduceAxes(
  input: Value,
  axes: readonly number[],
  output: Shape,
  keepDims: boolean,
  reduce: (values: readonly number[]) => number,
): Value {
  const reduced = axes.map((axis) => axisOf(axis, input.shape));
  const inner = all(reduced.map((axis) => input.shape[axis]!));
  return build(output, (index) => {
    const kept = keepDims ? index : [];
    let next = 0;
    const full = input.shape.map((_, axis) =>
      keepDims ? kept[axis]! : reduced.includes(axis) ? 0 : index[next++]!,
    );
    return reduce(
      inner.map((part) => {
        const position = [...full];
        reduced.forEach((axis, i) => (position[axis] = part[i]!));
        return at(input, position);
      }),
    );
  });
}

function standardised(
  input: Value,
  members: (index: Index) => readonly Index[],
  epsilon: number,
): Value {
  return build(input.shape, (index) => {
    const values = members(index).map((member) => at(input, member));
    const average = mean(values);
    const variance = mean(values.map((value) => (value - average) ** 2));
    return (at(input, index) - average) / Math.sqrt(variance + epsilon);
  });
}

function resized(size: number, from: number, node: NodeOf<'resize'>): (to: number) => number {
  const { alignCorners, halfPixel } = node.attrs;
  const scale = alignCorners && size > 1 ? (from - 1) / (size - 1) : from / size;
  return (to) => (halfPixel ? (to + 0.5) * scale - 0.5 : to * scale);
}

const references: { readonly [K in Op]: Reference<K> } = {
  conv2d: ({ node, inputs, outputs, weight }) => {
    const [input] = inputs as [Value];
    const { kernelSize, strides, dilations, padding, groups, filters } = node.attrs;
    const [top, left] = padBefore(input.shape, kernelSize, strides, dilations, padding);
    const kernel = weight('kernel')!;
    const perGroup = kernel.shape[2]!;
    const [height, width] = input.shape as [number, number];
    return [
      build(outputs[0]!, ([y, x, o]) => {
        const first = Math.floor(o! / (filters / groups)) * perGroup;
        let sum = weight('bias')?.data[o!] ?? 0;
        for (const [ky, kx, ci] of all([...kernelSize, perGroup])) {
          const row = y! * strides[0] - top + ky! * dilations[0];
          const column = x! * strides[1] - left + kx! * dilations[1];
          if (row < 0 || row >= height || column < 0 || column >= width) continue;
          sum += at(input, [row, column, first + ci!]) * at(kernel, [ky!, kx!, ci!, o!]);
        }
        return sum;
      }),
    ];
  },
  depthwiseConv2d: ({ node, inputs, outputs, weight }) => {
    const [input] = inputs as [Value];
    const { kernelSize, strides, dilations, padding, multiplier } = node.attrs;
    const [top, left] = padBefore(input.shape, kernelSize, strides, dilations, padding);
    const [height, width] = input.shape as [number, number];
    return [
      build(outputs[0]!, ([y, x, o]) => {
        const c = Math.floor(o! / multiplier);
        let sum = weight('bias')?.data[o!] ?? 0;
        for (const [ky, kx] of all(kernelSize)) {
          const row = y! * strides[0] - top + ky! * dilations[0];
          const column = x! * strides[1] - left + kx! * dilations[1];
          if (row < 0 || row >= height || column < 0 || column >= width) continue;
          const tap = at(weight('kernel')!, [ky!, kx!, c, o! % multiplier]);
          sum += at(input, [row, column, c]) * tap;
        }
        return sum;
      }),
    ];
  },
  conv2dTranspose: ({ node, inputs, outputs, weight }) => {
    const [input] = inputs as [Value];
    const { kernelSize, strides, padding } = node.attrs;
    // 'same' is that of the convolution that would make the input of the output, whose size is known.
    const before = (axis: 0 | 1): number => {
      if (padding === 'valid') return 0;
      if (padding !== 'same') return padding[axis][0];
      const whole = (input.shape[axis]! - 1) * strides[axis] + kernelSize[axis];
      return Math.floor(Math.max(whole - outputs[0]![axis]!, 0) / 2);
    };
    return [
      build(outputs[0]!, ([y, x, o]) => {
        let sum = weight('bias')?.data[o!] ?? 0;
        for (const [row, column, ci] of all(input.shape)) {
          const ky = y! + before(0) - row! * strides[0];
          const kx = x! + before(1) - column! * strides[1];
          if (ky < 0 || ky >= kernelSize[0] || kx < 0 || kx >= kernelSize[1]) continue;
          sum += at(input, [row!, column!, ci!]) * at(weight('kernel')!, [ky, kx, o!, ci!]);
        }
        return sum;
      }),
    ];
  },
  dense: ({ inputs, outputs, weight }) => {
    const [input] = inputs as [Value];
    const kernel = weight('kernel')!;
    return [
      build(outputs[0]!, (index) => {
        const o = index.at(-1)!;
        let sum = weight('bias')?.data[o] ?? 0;
        for (let i = 0; i < kernel.shape[0]!; i++) {
          sum += at(input, [...index.slice(0, -1), i]) * at(kernel, [i, o]);
        }
        return sum;
      }),
    ];
  },
  batchNorm: ({ node, inputs, weight }) => {
    const [input] = inputs as [Value];
    return [
      build(input.shape, (index) => {
        const of = (role: WeightRole): number | undefined => weight(role)?.data[index.at(-1)!];
        const centred = at(input, index) - of('mean')!;
        const normal = centred / Math.sqrt(of('variance')! + node.attrs.epsilon);
        return normal * (of('gamma') ?? 1) + (of('beta') ?? 0);
      }),
    ];
  },
  layerNorm: ({ node, inputs, weight }) => {
    const [input] = inputs as [Value];
    const axes = node.attrs.axes.map((axis) => axisOf(axis, input.shape)).sort((a, b) => a - b);
    const parts = all(axes.map((axis) => input.shape[axis]!));
    const normal = standardised(
      input,
      (index) =>
        parts.map((part) =>
          index.map((i, axis) => (axes.includes(axis) ? part[axes.indexOf(axis)]! : i)),
        ),
      node.attrs.epsilon,
    );
    return [
      build(input.shape, (index) => {
        const own = axes.map((axis) => index[axis]!);
        const gamma = weight('gamma');
        const beta = weight('beta');
        return at(normal, index) * (gamma ? at(gamma, own) : 1) + (beta ? at(beta, own) : 0);
      }),
    ];
  },
  groupNorm: ({ node, inputs, weight }) => {
    const [input] = inputs as [Value];
    const channels = input.shape.at(-1)!;
    const size = channels / node.attrs.groups;
    const group = (index: Index): number => Math.floor(index.at(-1)! / size);
    const indices = all(input.shape);
    const normal = standardised(
      input,
      (index) => indices.filter((other) => group(other) === group(index)),
      node.attrs.epsilon,
    );
    return [
      build(input.shape, (index) => {
        const c = index.at(-1)!;
        return at(normal, index) * (weight('gamma')?.data[c] ?? 1) + (weight('beta')?.data[c] ?? 0);
      }),
    ];
  },
  activation: ({ node, inputs }) => [
    {
      shape: inputs[0]!.shape,
      data: inputs[0]!.data.map((x) => functions[node.attrs.fn](x, node.attrs.alpha)),
    },
  ],
  prelu: ({ inputs, weight }) => [
    build(inputs[0]!.shape, (index) => {
      const x = at(inputs[0]!, index);
      return x < 0 ? x * broadcastAt(weight('alpha')!, index) : x;
    }),
  ],
  softmax: ({ node, inputs }) => {
    const [input] = inputs as [Value];
    const axis = axisOf(node.attrs.axis, input.shape);
    return [
      build(input.shape, (index) => {
        const others = Array.from({ length: input.shape[axis]! }, (_, i) =>
          at(
            input,
            index.map((old, a) => (a === axis ? i : old)),
          ),
        );
        const x = at(input, index);
        return 1 / others.reduce((sum, other) => sum + Math.exp(other - x), 0);
      }),
    ];
  },
  add: elementwise(reducers.sum),
  sub: elementwise(([a, b]) => a! - b!),
  mul: elementwise(reducers.prod),
  div: elementwise(([a, b]) => a! / b!),
  max: elementwise(reducers.max),
  min: elementwise(reducers.min),
  average: elementwise(mean),
  concat: ({ node, inputs, outputs }) => {
    const axis = axisOf(node.attrs.axis, inputs[0]!.shape);
    return [
      build(outputs[0]!, (index) => {
        let position = index[axis]!;
        for (const input of inputs) {
          if (position < input.shape[axis]!) {
            return at(
              input,
              index.map((i, a) => (a === axis ? position : i)),
            );
          }
          position -= input.shape[axis]!;
        }
        return Number.NaN;
      }),
    ];
  },
  split: ({ node, inputs, outputs }) => {
    const axis = axisOf(node.attrs.axis, inputs[0]!.shape);
    const { sizes } = node.attrs;
    return outputs.map((output, part) => {
      const offset = sizes.slice(0, part).reduce((a, b) => a + b, 0);
      return build(output, (index) =>
        at(
          inputs[0]!,
          index.map((i, a) => (a === axis ? i + offset : i)),
        ),
      );
    });
  },
  slice: ({ node, inputs, outputs }) => [
    build(outputs[0]!, (index) =>
      at(
        inputs[0]!,
        index.map((i, axis) => node.attrs.begin[axis]! + i * node.attrs.strides[axis]!),
      ),
    ),
  ],
  gather: ({ node, inputs, outputs }) => [
    build(outputs[0]!, (index) =>
      at(inputs[0]!, [...index.slice(0, -1), node.attrs.indices[index.at(-1)!]!]),
    ),
  ],
  maxPool2d: pool((inside) => Math.max(...inside)),
  avgPool2d: (call) => {
    const counts =
      call.node.attrs.countPadding === true && typeof call.node.attrs.padding !== 'string';
    const divide = pool(
      (inside, area) => inside.reduce((a, b) => a + b, 0) / (counts ? area : inside.length),
    );
    return divide(call);
  },
  globalAvgPool: ({ node, inputs, outputs }) => [
    reduceAxes(inputs[0]!, [0, 1], outputs[0]!, node.attrs.keepDims, mean),
  ],
  globalMaxPool: ({ node, inputs, outputs }) => [
    reduceAxes(inputs[0]!, [0, 1], outputs[0]!, node.attrs.keepDims, reducers.max),
  ],
  flatten: ({ inputs, outputs }) => [{ shape: outputs[0]!, data: inputs[0]!.data }],
  reshape: ({ inputs, outputs }) => [{ shape: outputs[0]!, data: inputs[0]!.data }],
  permute: ({ node, inputs, outputs }) => [
    build(outputs[0]!, (index) => {
      const source = [...index];
      node.attrs.perm.forEach((axis, i) => (source[axis] = index[i]!));
      return at(inputs[0]!, source);
    }),
  ],
  pad: ({ node, inputs, outputs }) => {
    const [input] = inputs as [Value];
    const { paddings, mode, value } = node.attrs;
    const reflect = (i: number, size: number): number => {
      const edge = mode === 'reflect' ? 0 : 1;
      if (i < 0) return -i - edge;
      return i >= size ? 2 * (size - 1) - i + edge : i;
    };
    return [
      build(outputs[0]!, (index) => {
        const source = index.map((i, axis) => i - paddings[axis]![0]);
        const inside = source.every((i, axis) => i >= 0 && i < input.shape[axis]!);
        if (!inside && mode === 'constant') return value;
        return at(
          input,
          source.map((i, axis) => reflect(i, input.shape[axis]!)),
        );
      }),
    ];
  },
  crop: ({ node, inputs, outputs }) => [
    build(outputs[0]!, ([y, x, c]) =>
      at(inputs[0]!, [y! + node.attrs.amounts[0][0], x! + node.attrs.amounts[1][0], c!]),
    ),
  ],
  resize: ({ node, inputs, outputs }) => {
    const [input] = inputs as [Value];
    const { size, mode, alignCorners, halfPixel } = node.attrs;
    const [height, width] = input.shape as [number, number];
    const row = resized(size[0], height, node);
    const column = resized(size[1], width, node);
    const clamp = (i: number, limit: number): number => Math.min(Math.max(i, 0), limit - 1);
    return [
      build(outputs[0]!, ([y, x, c]) => {
        if (mode === 'nearest') {
          // TensorFlow's nearest takes the half-pixel position without subtracting the half again.
          const pick = (position: number, limit: number): number => {
            const place = halfPixel ? position + 0.5 : position;
            return clamp(alignCorners ? Math.round(place) : Math.floor(place), limit);
          };
          return at(input, [pick(row(y!), height), pick(column(x!), width), c!]);
        }
        const [fy, fx] = [row(y!), column(x!)];
        const corner = (dy: number, dx: number): number =>
          at(input, [clamp(Math.floor(fy) + dy, height), clamp(Math.floor(fx) + dx, width), c!]);
        const [wy, wx] = [fy - Math.floor(fy), fx - Math.floor(fx)];
        const top = corner(0, 0) * (1 - wx) + corner(0, 1) * wx;
        const bottom = corner(1, 0) * (1 - wx) + corner(1, 1) * wx;
        return top * (1 - wy) + bottom * wy;
      }),
    ];
  },
  depthToSpace: ({ node, inputs, outputs }) => {
    const { block, order } = node.attrs;
    const channels = outputs[0]![2]!;
    return [
      build(outputs[0]!, ([y, x, c]) => {
        const k = (y! % block) * block + (x! % block);
        const source = order === 'dcr' ? k * channels + c! : c! * block * block + k;
        return at(inputs[0]!, [Math.floor(y! / block), Math.floor(x! / block), source]);
      }),
    ];
  },
  spaceToDepth: ({ node, inputs, outputs }) => {
    const { block } = node.attrs;
    const channels = inputs[0]!.shape[2]!;
    return [
      build(outputs[0]!, ([y, x, c]) => {
        const k = Math.floor(c! / channels);
        return at(inputs[0]!, [
          y! * block + Math.floor(k / block),
          x! * block + (k % block),
          c! % channels,
        ]);
      }),
    ];
  },
  reduce: ({ node, inputs, outputs }) => [
    reduceAxes(
      inputs[0]!,
      node.attrs.axes,
      outputs[0]!,
      node.attrs.keepDims,
      reducers[node.attrs.fn],
    ),
  ],
  matmul: ({ node, inputs, outputs }) => {
    const [a, b] = inputs as [Value, Value];
    const { transposeA, transposeB } = node.attrs;
    const inner = transposeA ? a.shape.at(-2)! : a.shape.at(-1)!;
    return [
      build(outputs[0]!, (index) => {
        const batch = index.slice(0, -2);
        const [row, column] = index.slice(-2) as [number, number];
        let sum = 0;
        for (let i = 0; i < inner; i++) {
          const left = transposeA ? [i, row] : [row, i];
          const right = transposeB ? [column, i] : [i, column];
          sum += broadcastAt(a, [...batch, ...left]) * broadcastAt(b, [...batch, ...right]);
        }
        return sum;
      }),
    ];
  },
  constant: ({ weight }) => [weight('value')!],
  dropout: ({ inputs }) => inputs,
  rescale: ({ node, inputs }) => [
    build(inputs[0]!.shape, (index) => {
      const pick = (values: readonly number[]): number =>
        values.length === 1 ? values[0]! : values[index.at(-1)!]!;
      return at(inputs[0]!, index) * pick(node.attrs.scale) + pick(node.attrs.offset);
    }),
  ],
};

/** Runs a graph on one sample per input and gives its outputs. */
export function runReference(graph: Graph, inputs: readonly ArrayLike<number>[]): readonly Value[] {
  const shapes = inferShapes(graph);
  const values = new Map<TensorId, Value>();
  graph.inputs.forEach(({ tensor, shape }, i) =>
    values.set(tensor, { shape, data: Float64Array.from(inputs[i]!) }),
  );
  for (const node of graph.nodes) {
    const weight = weightsOf(graph, node);
    const run = references[node.op] as Reference<Node['op']>;
    const outputs = run({
      node,
      inputs: node.inputs.map((tensor) => values.get(tensor)!),
      outputs: node.outputs.map((tensor) => shapes.get(tensor)!),
      weight: (role: WeightRole) => {
        const found = weight(role);
        return found && { shape: found.shape, data: Float64Array.from(found.data) };
      },
    } as unknown as Parameters<typeof run>[0]);
    node.outputs.forEach((tensor, i) => values.set(tensor, outputs[i]!));
  }
  return graph.outputs.map(({ tensor }) => values.get(tensor)!);
}

/** Largest absolute difference of two lists of numbers; infinite when they differ in length. */
export function maxAbsDiff(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
  }
  return largest;
}
