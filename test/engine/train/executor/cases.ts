// Small graphs that together run every op with every kind of attributes.

import { GraphBuilder } from '../../../../src-main/engine/graph/build';
import { createRng, type Rng } from '../../../../src-main/engine/graph/rng';
import type {
  ActivationFn,
  ExplicitPadding,
  Graph,
  OpAttrs,
  Shape,
  TensorId,
  Weight,
  WeightId,
} from '../../../../src-main/engine/graph/types';

export interface Case {
  readonly name: string;
  readonly input: Shape;
  /** Adds the layers under test and names the outputs. */
  build(b: GraphBuilder, x: TensorId): TensorId | readonly TensorId[];
}

const image: Shape = [7, 6, 4];
const uneven: ExplicitPadding = [
  [1, 2],
  [0, 3],
];

/** Less than a window of 2 x 3 on each side: every window sees the image. */
const within: ExplicitPadding = [
  [1, 1],
  [0, 2],
];

function weight(shape: Shape, rng: Rng): Weight {
  const size = shape.reduce((a, b) => a * b, 1);
  return {
    shape,
    dtype: 'float32',
    data: Float32Array.from({ length: size }, () => rng.uniform(-1, 1)),
  };
}

const activations: readonly ActivationFn[] = [
  'relu',
  'relu6',
  'leakyRelu',
  'elu',
  'selu',
  'sigmoid',
  'hardSigmoid',
  'tanh',
  'softplus',
  'softsign',
  'swish',
  'hardSwish',
  'gelu',
  'geluTanh',
  'mish',
  'exp',
  'abs',
  'neg',
  'linear',
];

function activationCase(fn: ActivationFn, alpha?: number): Case {
  return {
    name: `activation ${fn}${alpha === undefined ? '' : ` alpha ${alpha}`}`,
    input: [5, 4, 3],
    // Spread over the places where the formulas bend.
    build: (b, x) =>
      b.activation(
        b.apply('rescale', [x], { scale: [6], offset: [0.7] }),
        fn,
        alpha === undefined ? {} : { alpha },
      ),
  };
}

function resizeCase(
  size: readonly [number, number],
  mode: 'nearest' | 'bilinear',
  corners: 'legacy' | 'alignCorners' | 'halfPixel',
): Case {
  return {
    name: `resize ${mode} ${corners} to ${size.join('x')}`,
    input: [4, 5, 3],
    build: (b, x) =>
      b.apply('resize', [x], {
        size,
        mode,
        alignCorners: corners === 'alignCorners',
        halfPixel: corners === 'halfPixel',
      }),
  };
}

function reduceCase(fn: OpAttrs['reduce']['fn'], axes: readonly number[], keepDims: boolean): Case {
  return {
    name: `reduce ${fn} over ${axes.join()}${keepDims ? ' keeping dims' : ''}`,
    input: [3, 4, 2],
    build: (b, x) => b.apply('reduce', [x], { fn, axes, keepDims }),
  };
}

const conv = { kernelSize: 3, filters: 6 } as const;

function makeCases(): readonly Case[] {
  return [
    { name: 'conv2d same', input: image, build: (b, x) => b.conv2d(x, conv) },
    {
      name: 'conv2d same, uneven kernel and strides',
      input: image,
      build: (b, x) => b.conv2d(x, { kernelSize: [2, 5], strides: [2, 3], filters: 5 }),
    },
    {
      name: 'conv2d valid, stride 2, no bias',
      input: [8, 7, 3],
      build: (b, x) => b.conv2d(x, { ...conv, strides: 2, padding: 'valid', bias: false }),
    },
    {
      name: 'conv2d 1x1, stride 2',
      input: image,
      build: (b, x) => b.conv2d(x, { kernelSize: 1, strides: 2, filters: 3 }),
    },
    {
      name: 'conv2d explicit padding, stride 2',
      input: image,
      build: (b, x) => b.conv2d(x, { ...conv, strides: 2, padding: uneven }),
    },
    {
      name: 'conv2d dilated same',
      input: image,
      build: (b, x) => b.conv2d(x, { ...conv, dilations: [2, 3] }),
    },
    {
      name: 'conv2d dilated, explicit padding',
      input: image,
      build: (b, x) => b.conv2d(x, { ...conv, dilations: 2, padding: uneven }),
    },
    {
      name: 'conv2d in 2 groups, stride 2',
      input: image,
      build: (b, x) => b.conv2d(x, { ...conv, groups: 2, strides: 2 }),
    },
    {
      name: 'conv2d in 4 groups of one channel, dilated, explicit padding',
      input: image,
      build: (b, x) =>
        b.conv2d(x, { ...conv, filters: 8, groups: 4, dilations: 2, padding: uneven }),
    },
    {
      name: 'depthwise same, multiplier 2',
      input: image,
      build: (b, x) => b.depthwiseConv2d(x, { kernelSize: 3, multiplier: 2 }),
    },
    {
      name: 'depthwise stride 2, explicit padding',
      input: image,
      build: (b, x) => b.depthwiseConv2d(x, { kernelSize: 3, strides: 2, padding: uneven }),
    },
    {
      name: 'depthwise with two strides, no bias',
      input: image,
      build: (b, x) => b.depthwiseConv2d(x, { kernelSize: [3, 2], strides: [1, 2], bias: false }),
    },
    {
      name: 'depthwise dilated, multiplier 3',
      input: image,
      build: (b, x) => b.depthwiseConv2d(x, { kernelSize: 3, dilations: 2, multiplier: 3 }),
    },
    {
      name: 'conv2dTranspose same, stride 2',
      input: [4, 3, 3],
      build: (b, x) => b.conv2dTranspose(x, { ...conv, strides: 2 }),
    },
    {
      name: 'conv2dTranspose valid, kernel smaller than stride',
      input: [4, 3, 3],
      build: (b, x) =>
        b.conv2dTranspose(x, { kernelSize: 2, filters: 4, strides: 3, padding: 'valid' }),
    },
    {
      name: 'conv2dTranspose explicit padding and output padding',
      input: [4, 3, 3],
      build: (b, x) =>
        b.conv2dTranspose(x, {
          ...conv,
          strides: 2,
          padding: within,
          outputPadding: [1, 0],
        }),
    },
    {
      name: 'conv2dTranspose same with output padding',
      input: [4, 3, 3],
      build: (b, x) => b.conv2dTranspose(x, { ...conv, strides: 2, outputPadding: [1, 0] }),
    },
    { name: 'dense', input: [7], build: (b, x) => b.dense(x, { units: 5 }) },
    {
      name: 'dense on an image, no bias',
      input: [3, 2, 4],
      build: (b, x) => b.dense(x, { units: 5, bias: false }),
    },
    { name: 'batchNorm', input: image, build: (b, x) => b.batchNorm(x, { epsilon: 1e-3 }) },
    {
      name: 'batchNorm on a vector, no gamma',
      input: [5],
      build: (b, x) => b.batchNorm(x, { weights: { gamma: null } }),
    },
    {
      name: 'batchNorm without gamma and beta',
      input: image,
      build: (b, x) => b.batchNorm(x, { weights: { gamma: null, beta: null } }),
    },
    {
      name: 'batchNorm without gamma and beta behind a convolution to more channels',
      input: image,
      build: (b, x) =>
        b.batchNorm(b.conv2d(x, { filters: 7, kernelSize: 3 }), {
          weights: { gamma: null, beta: null },
        }),
    },
    {
      name: 'layerNorm over channels',
      input: image,
      build: (b, x) => b.apply('layerNorm', [x], { epsilon: 1e-3, axes: [-1] }),
    },
    {
      name: 'layerNorm over height and channels',
      input: image,
      build: (b, x) => b.apply('layerNorm', [x], { epsilon: 1e-3, axes: [0, 2] }),
    },
    {
      name: 'groupNorm',
      input: image,
      build: (b, x) => b.apply('groupNorm', [x], { epsilon: 1e-3, groups: 2 }),
    },
    ...activations.map((fn) => activationCase(fn)),
    activationCase('leakyRelu', 0.1),
    activationCase('elu', 0.5),
    activationCase('hardSigmoid', 1 / 6),
    {
      name: 'activation log',
      input: [5, 4, 3],
      build: (b, x) => b.activation(b.activation(x, 'softplus'), 'log'),
    },
    {
      name: 'activation sqrt',
      input: [4, 3],
      build: (b, x) => b.activation(b.activation(x, 'exp'), 'sqrt'),
    },
    { name: 'prelu by channel', input: image, build: (b, x) => b.prelu(x) },
    {
      name: 'prelu by position',
      input: [3, 2, 4],
      build: (b, x) => b.prelu(x, { weights: { alpha: weight([3, 2, 4], createRng(5)) } }),
    },
    { name: 'softmax', input: [3, 5], build: (b, x) => b.apply('softmax', [x], { axis: -1 }) },
    {
      name: 'softmax over height',
      input: [3, 2, 4],
      build: (b, x) => b.apply('softmax', [x], { axis: 0 }),
    },
    {
      name: 'add of three, one of them twice',
      input: image,
      build: (b, x) => b.add([x, b.conv2d(x, { kernelSize: 1, filters: 4 }), x]),
    },
    {
      name: 'add of a vector to an image',
      input: image,
      build: (b, x) => b.add([x, b.globalAvgPool(x)]),
    },
    {
      name: 'mul with a gate, broadcast over the image',
      input: image,
      build: (b, x) => b.mul([x, b.activation(b.globalAvgPool(x, { keepDims: true }), 'sigmoid')]),
    },
    {
      name: 'mul with one channel for all',
      input: image,
      build: (b, x) => b.mul([b.conv2d(x, { kernelSize: 1, filters: 1 }), x]),
    },
    {
      name: 'sub of a constant',
      input: image,
      build: (b, x) => b.apply('sub', [x, b.constant(weight([4], createRng(6)))], {}),
    },
    {
      name: 'div by a constant image',
      input: [3, 2, 2],
      build: (b, x) => {
        const divisor = b.activation(b.constant(weight([3, 2, 2], createRng(7))), 'exp');
        return b.apply('div', [x, divisor], {});
      },
    },
    {
      name: 'max and min',
      input: image,
      build: (b, x) => {
        const y = b.conv2d(x, { kernelSize: 1, filters: 4 });
        return [b.apply('max', [x, y], {}), b.apply('min', [y, x], {})];
      },
    },
    {
      name: 'average of three',
      input: image,
      build: (b, x) => b.apply('average', [x, b.conv2d(x, { kernelSize: 3, filters: 4 }), x], {}),
    },
    {
      name: 'rescale by channel',
      input: [3, 2, 2],
      build: (b, x) => b.apply('rescale', [x], { scale: [2, -3], offset: [0.5] }),
    },
    {
      name: 'concat of channels, one twice',
      input: image,
      build: (b, x) => b.concat([x, b.conv2d(x, { kernelSize: 1, filters: 3 }), x]),
    },
    {
      name: 'concat of rows with a constant',
      input: image,
      build: (b, x) => b.concat([x, b.constant(weight([2, 6, 4], createRng(8)))], { axis: 0 }),
    },
    {
      name: 'split into three, one unused',
      input: [3, 2, 6],
      build: (b, x) => {
        const [first, , third] = b.applyAll('split', [x], { axis: -1, sizes: [1, 2, 3] });
        return [first!, b.activation(third!, 'tanh')];
      },
    },
    {
      name: 'slice with steps',
      input: image,
      build: (b, x) =>
        b.apply('slice', [x], { begin: [1, 0, 1], end: [6, 6, 4], strides: [2, 1, 2] }),
    },
    {
      name: 'gather',
      input: image,
      build: (b, x) => b.apply('gather', [x], { indices: [3, 0, 2] }),
    },
    {
      name: 'gather with a channel twice',
      input: image,
      build: (b, x) => b.apply('gather', [x], { indices: [1, 1, 3] }),
    },
    {
      name: 'maxPool2d same',
      input: image,
      build: (b, x) => b.maxPool2d(x, { poolSize: 3, strides: 2, padding: 'same' }),
    },
    {
      name: 'maxPool2d explicit padding',
      input: image,
      build: (b, x) => b.maxPool2d(x, { poolSize: [2, 3], strides: 2, padding: within }),
    },
    { name: 'maxPool2d valid', input: image, build: (b, x) => b.maxPool2d(x, { poolSize: 2 }) },
    {
      name: 'avgPool2d same',
      input: image,
      build: (b, x) => b.avgPool2d(x, { poolSize: 3, strides: [2, 1], padding: 'same' }),
    },
    {
      name: 'avgPool2d explicit padding, not counted',
      input: image,
      build: (b, x) =>
        b.avgPool2d(x, {
          poolSize: 3,
          padding: within,
        }),
    },
    {
      name: 'avgPool2d explicit padding, counted',
      input: image,
      build: (b, x) =>
        b.avgPool2d(x, { poolSize: 3, strides: 2, padding: uneven, countPadding: true }),
    },
    { name: 'avgPool2d valid', input: image, build: (b, x) => b.avgPool2d(x, { poolSize: 2 }) },
    { name: 'globalAvgPool', input: image, build: (b, x) => b.globalAvgPool(x) },
    {
      name: 'globalAvgPool keeping dims',
      input: image,
      build: (b, x) => b.globalAvgPool(x, { keepDims: true }),
    },
    {
      name: 'globalMaxPool',
      input: image,
      build: (b, x) => b.apply('globalMaxPool', [x], { keepDims: false }),
    },
    { name: 'flatten', input: image, build: (b, x) => b.flatten(x) },
    {
      name: 'channel shuffle: reshape, permute, reshape',
      input: [3, 2, 6],
      build: (b, x) => {
        const apart = b.apply('reshape', [x], { shape: [3, 2, 2, 3] });
        const turned = b.apply('permute', [apart], { perm: [0, 1, 3, 2] });
        return b.apply('reshape', [turned], { shape: [3, 2, 6] });
      },
    },
    {
      name: 'permute of all axes',
      input: [3, 2, 4],
      build: (b, x) => b.apply('permute', [x], { perm: [2, 0, 1] }),
    },
    ...(['constant', 'reflect', 'symmetric'] as const).map((mode): Case => ({
      name: `pad ${mode}`,
      input: [4, 3, 2],
      build: (b, x) =>
        b.apply('pad', [x], {
          paddings: [
            [1, 2],
            [2, 0],
            [0, 1],
          ],
          mode,
          value: mode === 'constant' ? 0.5 : 0,
        }),
    })),
    {
      name: 'crop',
      input: image,
      build: (b, x) => b.apply('crop', [x], { amounts: uneven }),
    },
    resizeCase([8, 10], 'bilinear', 'halfPixel'),
    resizeCase([7, 4], 'bilinear', 'alignCorners'),
    resizeCase([6, 7], 'bilinear', 'legacy'),
    resizeCase([8, 10], 'nearest', 'halfPixel'),
    resizeCase([3, 7], 'nearest', 'legacy'),
    ...(['dcr', 'crd'] as const).map((order): Case => ({
      name: `depthToSpace ${order}`,
      input: [2, 3, 8],
      build: (b, x) => b.apply('depthToSpace', [x], { block: 2, order }),
    })),
    {
      name: 'spaceToDepth',
      input: [4, 6, 3],
      build: (b, x) => b.apply('spaceToDepth', [x], { block: 2 }),
    },
    reduceCase('mean', [0, 1], false),
    reduceCase('sum', [-1], true),
    reduceCase('max', [1], false),
    reduceCase('min', [0, 2], true),
    reduceCase('prod', [2], false),
    {
      name: 'matmul with transposition and broadcasting',
      input: [3, 2, 4],
      build: (b, x) => {
        const y = b.apply('reduce', [x], { fn: 'sum', axes: [0], keepDims: true });
        return b.apply('matmul', [x, y], { transposeA: false, transposeB: true });
      },
    },
    {
      name: 'dropout at inference',
      input: image,
      build: (b, x) => b.apply('dropout', [x], { rate: 0.5 }),
    },
    {
      name: 'a constant as an output',
      input: [3],
      build: (b, x) => [b.dense(x, { units: 2 }), b.constant(weight([2, 2], createRng(9)))],
    },
    {
      name: 'one layer at two places',
      input: image,
      build: (b, x) => {
        const kernel = b.addWeight('shared', weight([3, 3, 4, 4], createRng(10)));
        const layer = { ...conv, filters: 4, bias: false, weights: { kernel } };
        return b.conv2d(b.conv2d(x, layer), layer);
      },
    },
  ];
}

export const cases: readonly Case[] = makeCases();

/** The graph of a case, every weight random. `front` adds layers between the input and the case. */
export function graphOf(
  { name, input, build }: Case,
  front: (b: GraphBuilder, x: TensorId) => TensorId = (_b, x) => x,
): Graph {
  const rng = createRng(1);
  const b = new GraphBuilder(name, { rng });
  const outputs = build(b, front(b, b.input('x', input)));
  for (const output of typeof outputs === 'string' ? [outputs] : outputs) b.output(output);
  const graph = b.build();
  const weights = new Map<WeightId, Weight>();
  for (const [id, { shape, dtype, data }] of graph.weights) {
    const low = id.endsWith('/variance') ? 0.5 : -1;
    weights.set(id, { shape, dtype, data: data.map(() => rng.uniform(low, 1)) });
  }
  return { ...graph, weights };
}
