// Graphs of one op each that layers of Keras can hold, for the writers of all formats that are made of these.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WrittenFile } from '../../../src-main/engine/formats/types';
import { GraphBuilder } from '../../../src-main/engine/graph/build';
import { createRng } from '../../../src-main/engine/graph/rng';
import type {
  ActivationFn,
  Graph,
  Model,
  Op,
  OpAttrs,
  Shape,
  Weight,
} from '../../../src-main/engine/graph/types';
import { tempFolder } from './temp-folder';

export const rng = createRng(4711);

export function random(shape: Shape, min = -1, max = 1): Weight {
  const size = shape.reduce((a, b) => a * b, 1);
  const data = Float32Array.from({ length: size }, () => rng.uniform(min, max));
  return { shape, dtype: 'float32', data };
}

export function modelOf(graph: Graph, rest: Partial<Model> = {}): Model {
  const preprocessing = { scale: 1 / 255, mean: [0.5], std: [0.25], channelOrder: 'rgb' } as const;
  return { graph, preprocessing, labels: null, outputKind: 'values', ...rest };
}

/** Writes files into a new folder, and gives its path. */
export async function save(files: readonly WrittenFile[]): Promise<string> {
  const folder = await tempFolder();
  await mkdir(folder, { recursive: true });
  for (const { path, bytes } of files) await writeFile(join(folder, path), bytes);
  return folder;
}

export function graphOf(
  shape: Shape,
  add: (builder: GraphBuilder, input: string) => string,
): Graph {
  const builder = new GraphBuilder('test', { rng });
  builder.output(add(builder, builder.input('image', shape)), 'result');
  return builder.build();
}

export function single<K extends Op>(
  op: K,
  shape: Shape,
  attrs: OpAttrs[K],
  weights: Readonly<Record<string, Weight>> = {},
): Graph {
  return graphOf(shape, (b, x) => b.apply(op, [x], attrs, { name: 'layer', weights }));
}

export function norm(channels: number): Readonly<Record<string, Weight>> {
  return {
    gamma: random([channels], 0.5, 1.5),
    beta: random([channels]),
    mean: random([channels]),
    variance: random([channels], 0.5, 2),
  };
}

export const explicit = [
  [1, 2],
  [0, 1],
] as const;

export const image = [6, 7, 4];

/** By name. */
export const commonGraphs: Readonly<Record<string, () => Graph>> = {
  conv2d: () => graphOf(image, (b, x) => b.conv2d(x, { filters: 3, kernelSize: 3, strides: 2 })),
  'conv2d, dilated, without bias': () =>
    graphOf(image, (b, x) =>
      b.conv2d(x, { filters: 3, kernelSize: 2, dilations: 2, bias: false, padding: 'valid' }),
    ),
  'conv2d with explicit padding': () =>
    graphOf(image, (b, x) => b.conv2d(x, { filters: 3, kernelSize: 3, padding: explicit })),
  depthwiseConv2d: () =>
    graphOf(image, (b, x) => b.depthwiseConv2d(x, { kernelSize: 3, multiplier: 2, strides: 2 })),
  'depthwiseConv2d with explicit padding': () =>
    graphOf(image, (b, x) => b.depthwiseConv2d(x, { kernelSize: 3, padding: explicit })),
  conv2dTranspose: () =>
    graphOf(image, (b, x) => b.conv2dTranspose(x, { filters: 3, kernelSize: 3, strides: 2 })),
  'conv2dTranspose valid': () =>
    graphOf(image, (b, x) =>
      b.conv2dTranspose(x, { filters: 3, kernelSize: 4, strides: 3, padding: 'valid' }),
    ),
  dense: () => graphOf([5], (b, x) => b.dense(x, { units: 3 })),
  'dense on an image, without bias': () =>
    graphOf(image, (b, x) => b.dense(x, { units: 3, bias: false })),
  batchNorm: () => single('batchNorm', image, { epsilon: 0.01, momentum: 0.95 }, norm(4)),
  'batchNorm without gamma': () => {
    const { mean, variance, beta } = norm(4) as Record<string, Weight>;
    const weights = { mean: mean!, variance: variance!, beta: beta! };
    return single('batchNorm', image, { epsilon: 0.01, momentum: 0.95 }, weights);
  },
  layerNorm: () =>
    single('layerNorm', image, { epsilon: 1e-3, axes: [-1] }, { gamma: random([4]) }),
  'layerNorm over several axes': () =>
    single('layerNorm', image, { epsilon: 1e-3, axes: [1, 2] }, { beta: random([7, 4]) }),
  'leakyRelu with a slope': () =>
    graphOf(image, (b, x) => b.activation(x, 'leakyRelu', { alpha: 0.3 })),
  'prelu a channel': () => single('prelu', image, {}, { alpha: random([4]) }),
  'prelu a position': () => single('prelu', image, {}, { alpha: random(image) }),
  'prelu for all': () => single('prelu', image, {}, { alpha: random([1]) }),
  'prelu on a vector': () => single('prelu', [5], {}, { alpha: random([5]) }),
  softmax: () => single('softmax', [5], { axis: -1 }),
  'softmax over axis 0': () => single('softmax', [5], { axis: 0 }),
  dropout: () => single('dropout', [5], { rate: 0.25 }),
  rescale: () => single('rescale', image, { scale: [0.5], offset: [-1] }),
  'rescale a channel': () =>
    single('rescale', image, { scale: [1, 2, 3, 4], offset: [0, 1, 0, 1] }),
  concat: () => graphOf(image, (b, x) => b.concat([x, b.activation(x, 'relu')], { axis: -1 })),
  'concat on rows': () => graphOf(image, (b, x) => b.concat([x, x], { axis: 0 })),
  'concat of one': () => graphOf(image, (b, x) => b.concat([x])),
  'split on channels': () =>
    graphOf(image, (b, x) => {
      const [p, q] = b.applyAll('split', [x], { axis: -1, sizes: [1, 3] });
      return b.concat([q!, p!]);
    }),
  'split on rows': () =>
    graphOf(image, (b, x) => {
      const [p, q, r] = b.applyAll('split', [x], { axis: 0, sizes: [2, 3, 1] });
      return b.concat([r!, q!, p!], { axis: 0 });
    }),
  'slice of everything': () =>
    single('slice', image, { begin: [0, 0, 0], end: image, strides: [1, 1, 1] }),
  'slice of every second row and column': () =>
    single('slice', image, { begin: [0, 0, 0], end: image, strides: [2, 2, 1] }),
  'slice of a part with steps': () =>
    single('slice', image, { begin: [1, 2, 1], end: [6, 6, 4], strides: [2, 1, 2] }),
  'gather on an image': () => single('gather', image, { indices: [3, 0, 0, 2, 1] }),
  'gather on a vector': () => single('gather', [5], { indices: [4, 2] }),
  maxPool2d: () =>
    graphOf(image, (b, x) => b.maxPool2d(x, { poolSize: 3, strides: 2, padding: 'same' })),
  avgPool2d: () => graphOf(image, (b, x) => b.avgPool2d(x, { poolSize: [2, 3] })),
  'avgPool2d, padding not counted': () =>
    graphOf(image, (b, x) =>
      b.avgPool2d(x, { poolSize: 3, padding: 'same', strides: 1, countPadding: false }),
    ),
  'avgPool2d with explicit padding': () =>
    graphOf(image, (b, x) =>
      b.avgPool2d(x, { poolSize: 3, padding: explicit, countPadding: true }),
    ),
  globalAvgPool: () => single('globalAvgPool', image, { keepDims: false }),
  'globalAvgPool keeping the axes': () => single('globalAvgPool', image, { keepDims: true }),
  globalMaxPool: () => single('globalMaxPool', image, { keepDims: false }),
  'globalMaxPool keeping the axes': () => single('globalMaxPool', image, { keepDims: true }),
  'reduce to a mean': () => single('reduce', image, { fn: 'mean', axes: [1, 0], keepDims: true }),
  flatten: () => single('flatten', image, {}),
  'flatten of a vector': () => single('flatten', [5], {}),
  reshape: () => single('reshape', image, { shape: [42, 4] }),
  permute: () => single('permute', image, { perm: [2, 0, 1] }),
  'channel shuffle': () =>
    graphOf(image, (b, x) => {
      const grouped = b.apply('reshape', [x], { shape: [6, 7, 2, 2] });
      const moved = b.apply('permute', [grouped], { perm: [0, 1, 3, 2] });
      return b.apply('reshape', [moved], { shape: image });
    }),
  'pad rows and columns': () =>
    single('pad', image, {
      paddings: [
        [1, 0],
        [0, 2],
        [0, 0],
      ],
      mode: 'constant',
      value: 0,
    }),
  'pad channels': () =>
    single('pad', image, {
      paddings: [
        [0, 0],
        [0, 0],
        [1, 3],
      ],
      mode: 'constant',
      value: 0,
    }),
  'pad everything': () =>
    single('pad', image, {
      paddings: [
        [1, 0],
        [0, 2],
        [2, 1],
      ],
      mode: 'constant',
      value: 0,
    }),
  crop: () => single('crop', image, { amounts: explicit }),
  'resize nearest': () =>
    single('resize', image, {
      size: [12, 21],
      mode: 'nearest',
      alignCorners: false,
      halfPixel: true,
    }),
  'resize bilinear': () =>
    single('resize', image, {
      size: [12, 14],
      mode: 'bilinear',
      alignCorners: false,
      halfPixel: false,
    }),
  'conv2dTranspose with explicit padding': () =>
    graphOf(image, (b, x) =>
      b.conv2dTranspose(x, { filters: 3, kernelSize: 4, strides: 2, padding: explicit }),
    ),
  'conv2dTranspose with explicit and output padding': () =>
    graphOf(image, (b, x) =>
      b.conv2dTranspose(x, {
        filters: 3,
        kernelSize: 3,
        strides: 2,
        padding: [
          [1, 1],
          [1, 1],
        ],
        outputPadding: [1, 1],
      }),
    ),
  'maxPool2d with explicit padding behind a ReLU': () =>
    graphOf(image, (b, x) =>
      b.maxPool2d(b.activation(x, 'relu'), { poolSize: 3, strides: 2, padding: explicit }),
    ),
  'depth to space': () => single('depthToSpace', [3, 2, 8], { block: 2, order: 'dcr' }),
  'depth to space, channels first': () =>
    single('depthToSpace', [3, 2, 8], { block: 2, order: 'crd' }),
  'space to depth': () => single('spaceToDepth', [4, 6, 3], { block: 2 }),
  'a stored vector': () =>
    graphOf(image, (b, x) => b.apply('min', [x, b.constant(random([4]))], {})),
  'a stored image on a vector': () =>
    graphOf([5], (b, x) => {
      const moved = b.apply('add', [b.constant(random([2, 3, 5])), x], {});
      return b.mul([moved, b.constant(random([1]))]);
    }),
  sub: () =>
    graphOf(image, (b, x) => b.apply('sub', [x, b.activation(x, 'relu')], {}, { name: 'diff' })),
  'sub of itself': () => graphOf(image, (b, x) => b.apply('sub', [x, x], {})),
};

/** Joins of several inputs, also with a vector that meets every position. */
export function joinGraph(op: 'add' | 'mul' | 'average' | 'max' | 'min'): Graph {
  return graphOf(image, (b, x) => {
    const y = b.apply(op, [x, b.activation(x, 'tanh'), x], {});
    return b.apply(op, [b.globalAvgPool(y), y], {});
  });
}

export const joins = ['add', 'mul', 'average', 'max', 'min'] as const;

export const commonActivations = [
  'linear',
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
  'abs',
  'neg',
] as const satisfies readonly ActivationFn[];

/** Several inputs and outputs, odd names, shared layers, provenance and labels. */
export function oddModel(): Model {
  const builder = new GraphBuilder('net/α', { rng });
  const a = builder.input('Bild 1', [5, 5, 3]);
  const b = builder.input('vector', [2]);
  const first = builder.conv2d(a, { filters: 2, kernelSize: 3, name: 'Schicht 1 (rot)' });
  const attrs = { kernelSize: [1, 1], strides: [1, 1], dilations: [1, 1] } as const;
  const tower = { ...attrs, filters: 2, groups: 1, padding: 'same' } as const;
  const kernel = builder.addWeight('tower/kernel', random([1, 1, 2, 2]));
  const x = builder.apply('conv2d', [first], tower, {
    name: 'tower',
    weights: { kernel, bias: null },
  });
  const y = builder.apply('conv2d', [x], tower, {
    name: 'again',
    weights: { kernel, bias: null },
  });
  const z = builder.mul([builder.add([x, y]), b], { name: '_scaled' });
  builder.output(builder.globalAvgPool(z, { name: 'Schicht 1 [rot]' }), 'classes');
  builder.output(z, 'map');
  const graph = builder.build();
  const nodes = graph.nodes.map((node) =>
    node.name === 'tower' ? { ...node, origin: [3, 17] } : node,
  );
  return modelOf({ ...graph, nodes }, { labels: ['Katze', 'Hund'] });
}

/** An output that is an input. */
export function throughModel(): Model {
  const builder = new GraphBuilder('through', { rng });
  const x = builder.input('x', [3]);
  builder.output(x, 'same');
  builder.output(builder.dense(x, { units: 2 }), 'dense');
  return modelOf(builder.build());
}
