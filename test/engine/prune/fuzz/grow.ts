// Random small networks: any op of the table meets any other.

import type { GraphBuilder } from '../../../../src-main/engine/graph/build';
import { filledWeight } from '../../../../src-main/engine/graph/initialise';
import { createRng } from '../../../../src-main/engine/graph/rng';
import type { Rng } from '../../../../src-main/engine/graph/rng';
import type { ActivationFn, Model, Op, TensorId } from '../../../../src-main/engine/graph/types';
import { makeModel } from '../models';

/** A network under construction, and the images in it that later layers may read. */
interface Growing {
  readonly b: GraphBuilder;
  readonly rng: Rng;
  readonly images: TensorId[];
}

/** Adds layers on an image x and returns the images that come of it; none where x does not suit. */
type Step = (net: Growing, x: TensorId) => readonly TensorId[];

const maxChannels = 12;
const maxSize = 6;
const maxSteps = 10;

function sizes(b: GraphBuilder, x: TensorId): readonly [number, number, number] {
  return b.shapeOf(x) as readonly [number, number, number];
}

function pick<T>(rng: Rng, items: readonly T[]): T {
  return items[rng.int(items.length)]!;
}

function divisors(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i + 1).filter((d) => n % d === 0);
}

/** Other images of which the shapes agree with that of x on the given axes. */
function alike({ b, images }: Growing, x: TensorId, axes: readonly number[]): TensorId[] {
  const shape = sizes(b, x);
  return images.filter((other) => axes.every((axis) => sizes(b, other)[axis] === shape[axis]));
}

function reshaped(b: GraphBuilder, x: TensorId, shape: readonly number[]): TensorId {
  return b.apply('reshape', [x], { shape });
}

/** Functions whose value is no number for some inputs come behind one that keeps to their domain. */
const activations: readonly (readonly ActivationFn[])[] = [
  ['relu'],
  ['relu6'],
  ['leakyRelu'],
  ['elu'],
  ['selu'],
  ['sigmoid'],
  ['hardSigmoid'],
  ['tanh'],
  ['softplus'],
  ['softsign'],
  ['swish'],
  ['hardSwish'],
  ['gelu'],
  ['geluTanh'],
  ['mish'],
  ['tanh', 'exp'],
  ['abs', 'sqrt'],
  ['softplus', 'log'],
  ['neg'],
  ['linear'],
];

/** A positive image of the shape of x, for division. */
function positive(b: GraphBuilder, x: TensorId): TensorId {
  return b.activation(b.activation(x, 'tanh'), 'exp');
}

/** A batch norm, at times without scale or shift. */
function norm({ b, rng }: Growing, x: TensorId): TensorId {
  const weights = pick(rng, [{}, {}, {}, { gamma: null }, { beta: null }]);
  return b.batchNorm(x, { weights });
}

function preConv(net: Growing, x: TensorId, filters: number): TensorId {
  const y = net.b.activation(norm(net, x), 'relu');
  return net.b.conv2d(y, { filters, kernelSize: pick(net.rng, [1, 3]) });
}

const steps: Readonly<Record<string, Step>> = {
  conv: ({ b, rng }, x) => {
    const [height, width, channels] = sizes(b, x);
    const groups = pick(rng, divisors(channels));
    const filters = groups * (1 + rng.int(Math.max(1, Math.floor(8 / groups))));
    const strides = 1 + rng.int(2);
    const dilations = strides === 1 ? 1 + rng.int(2) : 1;
    const kernelSize = 1 + rng.int(Math.min(3, height, width));
    const fits = (kernelSize - 1) * dilations < Math.min(height, width);
    const border = [
      [1, 0],
      [0, 2],
    ] as const;
    const padding = pick(rng, ['same', border, fits ? ('valid' as const) : 'same'] as const);
    const bias = rng.int(4) > 0;
    const size = padding === border ? 1 : kernelSize;
    return [b.conv2d(x, { filters, kernelSize: size, strides, dilations, groups, padding, bias })];
  },
  grouped: ({ b, rng }, x) => {
    const wide = b.conv2d(x, { filters: 12, kernelSize: 1 });
    const first = b.conv2d(wide, { filters: 12, kernelSize: 3, groups: pick(rng, [2, 3, 4, 6]) });
    return [b.conv2d(first, { filters: 12, kernelSize: 1, groups: pick(rng, [2, 3, 4, 12]) })];
  },
  twins: (net, x) => {
    const y = pick(net.rng, alike(net, x, [2]));
    const first = net.b.conv2d(x, { filters: 1 + net.rng.int(6), kernelSize: 3 });
    const filters = sizes(net.b, first)[2];
    const weights = { kernel: `${first}/kernel`, bias: `${first}/bias` };
    return [first, net.b.conv2d(y, { filters, kernelSize: 3, weights })];
  },
  twinNorms: (net, x) => {
    const first = net.b.batchNorm(x);
    const [gamma, beta] = [`${first}/gamma`, `${first}/beta`];
    const weights = { gamma, beta, mean: `${first}/mean`, variance: `${first}/variance` };
    return [first, net.b.batchNorm(pick(net.rng, alike(net, x, [2])), { weights })];
  },
  depthwise: ({ b, rng }, x) => [
    b.depthwiseConv2d(x, {
      kernelSize: 3,
      multiplier: 1 + rng.int(2),
      bias: rng.int(2) > 0,
      strides: 1 + rng.int(2),
    }),
  ],
  transpose: ({ b, rng }, x) => [
    b.conv2dTranspose(x, {
      filters: 1 + rng.int(6),
      kernelSize: 2 + rng.int(2),
      strides: 2,
      bias: rng.int(2) > 0,
    }),
  ],
  pointwise: ({ b, rng }, x) => [b.dense(x, { units: 1 + rng.int(8), bias: rng.int(2) > 0 })],
  norm: (net, x) => [net.b.activation(norm(net, x), 'relu')],
  passing: ({ b }, x) => [
    b.apply('rescale', [b.apply('dropout', [x], { rate: 0.5 })], {
      scale: Array.from({ length: sizes(b, x)[2] }, (_, i) => i - 1.5),
      offset: [0.5],
    }),
  ],
  activation: ({ b, rng }, x) => [pick(rng, activations).reduce((y, fn) => b.activation(y, fn), x)],
  prelu: ({ b, rng }, x) => {
    const shape = pick(rng, [[sizes(b, x)[2]], [1], sizes(b, x)]);
    return [b.prelu(x, { weights: { alpha: filledWeight(shape, 0.1) } })];
  },
  pool: ({ b, rng }, x) => {
    const border = [
      [1, 0],
      [0, 1],
    ] as const;
    const options = {
      poolSize: 2,
      strides: 1 + rng.int(2),
      padding: pick(rng, ['same', border] as const),
    };
    return [
      rng.int(2) === 0
        ? b.maxPool2d(x, options)
        : b.avgPool2d(x, { ...options, countPadding: rng.int(2) > 0 }),
    ];
  },
  gate: ({ b, rng }, x) => {
    const pooled = b.apply(pick(rng, ['globalAvgPool', 'globalMaxPool'] as const), [x], {
      keepDims: rng.int(2) > 0,
    });
    const squeezed = b.activation(b.dense(pooled, { units: 3 }), 'relu');
    const gate = b.activation(b.dense(squeezed, { units: sizes(b, x)[2] }), 'sigmoid');
    return [b.mul([x, gate])];
  },
  mask: ({ b }, x) => [b.mul([x, b.conv2d(x, { filters: 1, kernelSize: 3 })])],
  arithmetic: (net, x) => {
    const op: Op = pick(net.rng, ['add', 'sub', 'mul', 'max', 'min', 'average'] as const);
    return [net.b.apply(op, [x, pick(net.rng, alike(net, x, [0, 1, 2]))], {})];
  },
  quotient: (net, x) => [
    net.b.apply('div', [x, positive(net.b, pick(net.rng, alike(net, x, [0, 1, 2])))], {}),
  ],
  residual: ({ b }, x) => {
    const inner = b.activation(b.conv2d(x, { filters: 5, kernelSize: 3 }), 'relu');
    return [b.add([x, b.conv2d(inner, { filters: sizes(b, x)[2], kernelSize: 1 })])];
  },
  preActivation: (net, x) => [net.b.add([x, preConv(net, preConv(net, x, 4), sizes(net.b, x)[2])])],
  dense: (net, x) => [net.b.concat([x, preConv(net, x, 3)])],
  paddedShortcut: ({ b, rng }, x) => {
    const [height, width, channels] = sizes(b, x);
    const [before, after] = [rng.int(3), rng.int(3)];
    const end = [height, width, channels];
    const thin = b.apply('slice', [x], { begin: [0, 0, 0], end, strides: [2, 2, 1] });
    const paddings = [
      [0, 0],
      [0, 0],
      [before, after],
    ] as const;
    const skip = b.apply('pad', [thin], { paddings, mode: 'constant', value: 0 });
    const filters = before + channels + after;
    return [b.add([skip, b.conv2d(x, { filters, kernelSize: 3, strides: 2 })])];
  },
  constant: ({ b, rng }, x) => {
    const shape = pick(rng, [[], [1], sizes(b, x).slice(2), [sizes(b, x)[0], 1, 1], sizes(b, x)]);
    return [
      b.apply(pick(rng, ['add', 'mul'] as const), [x, b.constant(filledWeight(shape, 1))], {}),
    ];
  },
  concat: (net, x) => [net.b.concat([x, pick(net.rng, alike(net, x, [0, 1])), x])],
  stack: (net, x) => [net.b.concat([x, pick(net.rng, alike(net, x, [1, 2]))], { axis: 0 })],
  split: ({ b, rng }, x) => {
    const axis = rng.int(3);
    const size = sizes(b, x)[axis]!;
    if (size < 2) return [];
    const first = 1 + rng.int(size - 1);
    return b.applyAll('split', [x], { axis: axis - 3, sizes: [first, size - first] });
  },
  slice: ({ b, rng }, x) => {
    const shape = sizes(b, x);
    const begin = shape.map((size) => rng.int(Math.ceil(size / 2)));
    const end = shape.map((size, i) => begin[i]! + 1 + rng.int(size - begin[i]!));
    const strides = pick(rng, [
      [1, 1, 1],
      [2, 1, 1],
      [1, 1, 2],
    ]);
    return [b.apply('slice', [x], { begin, end, strides })];
  },
  everySecond: ({ b }, x) => {
    const end = sizes(b, x);
    return [b.apply('slice', [x], { begin: [0, 0, 0], end, strides: [1, 1, 2] })];
  },
  gather: ({ b, rng }, x) => {
    const indices = Array.from({ length: 1 + rng.int(6) }, () => rng.int(sizes(b, x)[2]));
    return [b.apply('gather', [x], { indices })];
  },
  selected: (net, x) => {
    // What an earlier selection leaves: a gather of ascending channels before a batch norm.
    const { b, rng } = net;
    const channels = Array.from({ length: sizes(b, x)[2] }, (_, i) => i);
    const indices = channels.filter(() => rng.int(3) > 0);
    if (indices.length === 0) return [];
    const y = norm(net, b.apply('gather', [x], { indices }));
    return [b.add([x, b.conv2d(y, { filters: channels.length, kernelSize: 1 })])];
  },
  padChannels: ({ b, rng }, x) => {
    const paddings = [
      [0, 0],
      [rng.int(2), 0],
      [rng.int(3), rng.int(3)],
    ] as const;
    return [b.apply('pad', [x], { paddings, mode: 'constant', value: 0.5 })];
  },
  mirror: ({ b, rng }, x) => {
    const [height, width, channels] = sizes(b, x);
    if (Math.min(height, width) < 2) return [];
    const border = [rng.int(2), rng.int(2)] as const;
    const onChannels = channels > 1 && rng.int(4) === 0 ? ([1, 0] as const) : ([0, 0] as const);
    const mode = pick(rng, ['reflect', 'symmetric'] as const);
    return [b.apply('pad', [x], { paddings: [border, border, onChannels], mode, value: 0 })];
  },
  crop: ({ b }, x) => {
    const [height, width] = sizes(b, x);
    if (Math.min(height, width) < 2) return [];
    return [
      b.apply('crop', [x], {
        amounts: [
          [1, 0],
          [0, 1],
        ],
      }),
    ];
  },
  enlarge: ({ b, rng }, x) => {
    const [height, width] = sizes(b, x);
    const size = [2 * height, 2 * width] as const;
    const places = { alignCorners: false, halfPixel: false };
    const attrs = pick(rng, [
      { mode: 'nearest', ...places },
      { mode: 'bilinear', ...places },
      { mode: 'bilinear', ...places, alignCorners: true },
      { mode: 'bilinear', ...places, halfPixel: true },
    ] as const);
    return [b.apply('resize', [x], { size, ...attrs })];
  },
  depthToSpace: ({ b, rng }, x) => {
    if (sizes(b, x)[2] % 4 !== 0) return [];
    return [b.apply('depthToSpace', [x], { block: 2, order: pick(rng, ['dcr', 'crd'] as const) })];
  },
  spaceToDepth: ({ b }, x) => {
    const [height, width] = sizes(b, x);
    if (height % 2 !== 0 || width % 2 !== 0) return [];
    return [b.apply('spaceToDepth', [x], { block: 2 })];
  },
  shuffle: ({ b, rng }, x) => {
    const [height, width, channels] = sizes(b, x);
    const groups = pick(rng, divisors(channels));
    const grouped = reshaped(b, x, [height, width, groups, channels / groups]);
    const swapped = b.apply('permute', [grouped], { perm: [0, 1, 3, 2] });
    return [reshaped(b, swapped, [height, width, channels])];
  },
  permute: ({ b, rng }, x) => [b.apply('permute', [x], { perm: rng.shuffle([0, 1, 2]) })],
  reshape: ({ b, rng }, x) => {
    const size = sizes(b, x).reduce((product, axis) => product * axis, 1);
    const first = pick(rng, divisors(size));
    const second = pick(rng, divisors(size / first));
    return [reshaped(b, x, [first, second, size / first / second])];
  },
  decode: ({ b }, x) => {
    const code = b.activation(b.dense(b.flatten(x), { units: 12 }), 'relu');
    return [reshaped(b, code, [2, 2, 3])];
  },
  vectors: (net, x) => {
    const { b, rng } = net;
    const first = norm(net, b.globalAvgPool(x));
    const second = b.prelu(b.dense(first, { units: 6 }));
    const paddings = [[rng.int(2), rng.int(3)]] as const;
    const padded = b.apply('pad', [second], { paddings, mode: 'constant', value: 1 });
    const [, part] = b.applyAll('split', [padded], {
      axis: 0,
      sizes: [4, 2 + paddings[0][0] + paddings[0][1]],
    });
    const code = b.dense(b.concat([first, part!, second]), { units: 8 });
    return [reshaped(b, code, [2, 2, 2])];
  },
  attention: ({ b }, x) => {
    const [height, width, channels] = sizes(b, x);
    const rows = (y: TensorId, units: number): TensorId =>
      reshaped(b, b.conv2d(y, { filters: units, kernelSize: 1 }), [height * width, units]);
    const [query, key, value] = [rows(x, 3), rows(x, 3), rows(x, channels)];
    const scores = b.apply('matmul', [query, key], { transposeA: false, transposeB: true });
    const weights = b.apply('softmax', [scores], { axis: -1 });
    const mixed = b.apply('matmul', [weights, value], { transposeA: false, transposeB: false });
    return [b.add([x, reshaped(b, mixed, [height, width, channels])])];
  },
  summary: ({ b, rng }, x) => {
    const fn = pick(rng, ['mean', 'sum', 'max', 'min', 'prod'] as const);
    const axes = pick(rng, [[0], [1], [0, 1], [-1], [0, 2]]);
    return [b.apply('reduce', [x], { fn, axes, keepDims: true })];
  },
  mixing: ({ b, rng }, x) => {
    const [, , channels] = sizes(b, x);
    switch (rng.int(3)) {
      case 0:
        return [b.apply('softmax', [x], { axis: rng.int(3) })];
      case 1:
        return [
          b.apply('layerNorm', [x], { epsilon: 1e-3, axes: pick(rng, [[0], [1], [2], [0, 1, 2]]) }),
        ];
      default:
        return [
          b.apply('groupNorm', [x], { epsilon: 1e-3, groups: pick(rng, divisors(channels)) }),
        ];
    }
  },
};

/** Grows a network by random steps and puts a dense head on every image that nothing reads. */
function grow(b: GraphBuilder, rng: Rng): void {
  const input = b.input('image', [4 + 2 * rng.int(2), 4, 1 + rng.int(3)]);
  const images = [2 + rng.int(6), 4].map((filters) => b.conv2d(input, { filters, kernelSize: 3 }));
  const net: Growing = { b, rng, images };
  const read = new Set<TensorId>();
  const length = 2 + rng.int(maxSteps);
  for (let i = 0; i < length; i++) {
    const x = images[Math.max(0, images.length - 1 - rng.int(4))]!;
    const results = pick(rng, Object.values(steps))(net, x);
    const small = results.filter((result) => {
      const [height, width, channels] = sizes(b, result);
      return Math.max(height, width) <= maxSize && channels <= maxChannels;
    });
    if (small.length > 0) read.add(x);
    images.push(...small);
  }
  const heads = images.filter((x) => !read.has(x)).map((x) => b.dense(b.flatten(x), { units: 2 }));
  b.output(heads.length > 1 ? b.add(heads) : heads[0]!, 'sum');
  if (rng.int(4) === 0) b.output(pick(rng, images), 'inner');
}

/** A valid model of up to a dozen random steps, the same for the same seed. */
export function randomModel(seed: number): Model {
  return makeModel((b) => grow(b, createRng(seed)), seed);
}
