// The channel rule of every op: which channels its output carries, which it ties together, which it freezes.
// Each rule is also put to the oracle: masked original and cut model must agree.

import { describe, expect, it } from 'vitest';
import type { GraphBuilder } from '../../../src-main/engine/graph/build';
import { filledWeight } from '../../../src-main/engine/graph/initialise';
import { inferShapes } from '../../../src-main/engine/graph/shapes';
import type { FreezeCode } from '../../../src-main/engine/graph/ops/types';
import type { Graph, Model, Node, Shape, TensorId } from '../../../src-main/engine/graph/types';
import { followChannels } from '../../../src-main/engine/prune/channels';
import type { ChannelFlow } from '../../../src-main/engine/prune/channels';
import { analyse } from '../../../src-main/engine/prune/groups';
import { expectCutEquivalent, expectCutsEquivalent, makeModel } from './networks';

/** Builds the op under test on the output `a` of a convolution and returns its result. */
type Build = (b: GraphBuilder, a: TensorId) => TensorId;

const image: Shape = [6, 5, 3];

/** Input, layer `a`, the op under test, and a dense head that ties nothing. */
function netOf(build: Build, filters = 4): Model {
  return makeModel((b) => {
    const a = b.conv2d(b.input('image', image), { name: 'a', filters, kernelSize: 3 });
    const result = build(b, a);
    b.output(b.dense(b.flatten(result, { name: 'flat' }), { name: 'head', units: 2 }));
  });
}

/** Another layer with an output of its own, on the model's input. */
function layer(b: GraphBuilder, name: string, filters = 4): TensorId {
  return b.conv2d('image', { name, filters, kernelSize: 1 });
}

function flowOf({ graph }: Model): ChannelFlow {
  return followChannels(graph, inferShapes(graph), { grouped: 'slots', selecting: new Set() });
}

/** Channels by name: `a2` is channel 2 of layer a, or of the first layer tied to it; `-` has no filter. */
function channelNames(flow: ChannelFlow): (classes: Int32Array) => string {
  const names = new Map<number, string>();
  for (const { node, classes } of flow.producers) {
    classes.forEach((channel, i) => {
      if (!names.has(channel)) names.set(channel, `${node}${i}`);
    });
  }
  return (classes) => Array.from(classes, (channel) => names.get(channel) ?? '-').join(' ');
}

interface Rule {
  /** Labels of the tensor that the op under test gives. */
  readonly output: string;
  /** Channels of layer `a` after all ties; `a0 a1 a2 a3` when nothing is tied. */
  readonly a?: string;
  /** Why channels of `a` are frozen; null when none is. */
  readonly frozen?: FreezeCode | null;
  readonly filters?: number;
}

function ruleOf(model: Model): Required<Omit<Rule, 'filters'>> {
  const flow = flowOf(model);
  const names = channelNames(flow);
  const flat = model.graph.nodes.find(({ name }) => name === 'flat')!;
  const a = flow.producers.find(({ node }) => node === 'a')!.classes;
  const codes = new Set(Array.from(a, (channel) => flow.frozen[channel]?.code ?? null));
  expect(codes.size).toBe(1);
  return {
    output: names(flow.labels.get(flat.inputs[0]!)!.ids),
    a: names(a),
    frozen: [...codes][0]!,
  };
}

const free = 'a0 a1 a2 a3';

const rules: readonly (readonly [string, Build, Rule])[] = [
  // Layers with filters.
  ['conv2d', (b, a) => b.conv2d(a, { name: 'y', filters: 2, kernelSize: 3 }), { output: 'y0 y1' }],
  [
    'conv2d in two groups',
    (b, a) => b.conv2d(a, { name: 'y', filters: 6, kernelSize: 3, groups: 2 }),
    { output: 'y0 y1 y2 y0 y1 y2', a: 'a0 a1 a0 a1' },
  ],
  [
    'conv2d with one channel a group',
    (b, a) => b.conv2d(a, { filters: 8, kernelSize: 3, groups: 4 }),
    { output: 'a0 a0 a1 a1 a2 a2 a3 a3' },
  ],
  [
    'depthwiseConv2d',
    (b, a) => b.depthwiseConv2d(a, { kernelSize: 3, multiplier: 2 }),
    { output: 'a0 a0 a1 a1 a2 a2 a3 a3' },
  ],
  [
    'conv2dTranspose',
    (b, a) => b.conv2dTranspose(a, { name: 'y', filters: 3, kernelSize: 3, strides: 2 }),
    { output: 'y0 y1 y2' },
  ],
  ['dense at every position', (b, a) => b.dense(a, { name: 'y', units: 2 }), { output: 'y0 y1' }],
  // Each channel alone.
  ['batchNorm', (b, a) => b.batchNorm(a), { output: free }],
  ['activation', (b, a) => b.activation(a, 'relu'), { output: free }],
  ['dropout', (b, a) => b.apply('dropout', [a], { rate: 0.5 }), { output: free }],
  ['prelu', (b, a) => b.prelu(a), { output: free }],
  [
    'prelu with one slope',
    (b, a) => b.prelu(a, { weights: { alpha: filledWeight([1, 1, 1], 0.1) } }),
    { output: free },
  ],
  [
    'prelu with slopes at every position',
    (b, a) => b.prelu(a, { weights: { alpha: filledWeight([6, 5, 4], 0.1) } }),
    { output: free },
  ],
  ['maxPool2d', (b, a) => b.maxPool2d(a, { poolSize: 2 }), { output: free }],
  ['avgPool2d', (b, a) => b.avgPool2d(a, { poolSize: 2 }), { output: free }],
  ['globalAvgPool', (b, a) => b.globalAvgPool(a, { keepDims: true }), { output: free }],
  ['globalMaxPool', (b, a) => b.apply('globalMaxPool', [a], { keepDims: false }), { output: free }],
  [
    'rescale',
    (b, a) => b.apply('rescale', [a], { scale: [1, 2, 3, 4], offset: [0.5] }),
    { output: free },
  ],
  [
    'crop',
    (b, a) =>
      b.apply('crop', [a], {
        amounts: [
          [1, 0],
          [0, 2],
        ],
      }),
    { output: free },
  ],
  [
    'resize',
    (b, a) => {
      const attrs = { size: [12, 10], mode: 'nearest', alignCorners: false, halfPixel: false };
      return b.apply('resize', [a], attrs as never);
    },
    { output: free },
  ],
  // Normalisations and reductions, with channels mixed or not.
  [
    'layerNorm over channels',
    (b, a) => b.apply('layerNorm', [a], { epsilon: 1e-3, axes: [-1] }),
    { output: free, frozen: 'OP_MIXES_CHANNELS' },
  ],
  [
    'layerNorm over positions',
    (b, a) => b.apply('layerNorm', [a], { epsilon: 1e-3, axes: [0, 1] }),
    { output: free },
  ],
  [
    'groupNorm',
    (b, a) => b.apply('groupNorm', [a], { epsilon: 1e-3, groups: 2 }),
    { output: free, frozen: 'OP_MIXES_CHANNELS' },
  ],
  [
    'groupNorm with one channel a group',
    (b, a) => b.apply('groupNorm', [a], { epsilon: 1e-3, groups: 4 }),
    { output: free },
  ],
  [
    'softmax over channels',
    (b, a) => b.apply('softmax', [a], { axis: -1 }),
    { output: free, frozen: 'OP_MIXES_CHANNELS' },
  ],
  ['softmax over rows', (b, a) => b.apply('softmax', [a], { axis: 0 }), { output: free }],
  [
    'reduce over positions',
    (b, a) => b.apply('reduce', [a], { fn: 'max', axes: [0, 1], keepDims: false }),
    { output: free },
  ],
  [
    'reduce over channels',
    (b, a) => b.apply('reduce', [a], { fn: 'mean', axes: [-1], keepDims: true }),
    { output: '-', frozen: 'OP_MIXES_CHANNELS' },
  ],
  [
    'matmul',
    (b, a) => b.apply('matmul', [layer(b, 'z'), a], { transposeA: true, transposeB: false }),
    { output: '- - - -', frozen: 'OP_MIXES_CHANNELS' },
  ],
  // Several tensors.
  ['add', (b, a) => b.add([layer(b, 'z'), a]), { output: free }],
  ['add of a tensor with itself', (b, a) => b.add([a, a]), { output: free }],
  [
    'mul with a vector gate',
    (b, a) => b.mul([a, b.dense(b.globalAvgPool(a), { name: 'gate', units: 4 })]),
    { output: free },
  ],
  ['mul with one channel for all', (b, a) => b.mul([a, layer(b, 'mask', 1)]), { output: free }],
  [
    'add of a constant scalar',
    (b, a) => b.add([a, b.constant(filledWeight([], 1))]),
    { output: free },
  ],
  [
    'add of a constant [1]',
    (b, a) => b.add([a, b.constant(filledWeight([1], 1))]),
    { output: free },
  ],
  [
    'add of a constant [C]',
    (b, a) => b.add([a, b.constant(filledWeight([4], 1))]),
    { output: free },
  ],
  [
    'max with a constant [H, W, C]',
    (b, a) => b.apply('max', [b.constant(filledWeight([6, 5, 4], 1)), a], {}),
    { output: free },
  ],
  [
    'sub between labelled positions and a vector',
    (b, a) => {
      const flat = b.dense(b.globalAvgPool(a), { name: 'y', units: 8 });
      const square = b.apply('reshape', [flat], { shape: [2, 1, 4] });
      return b.apply('sub', [square, b.globalAvgPool(a)], {});
    },
    { output: 'a0 a1 a2 a3 a0 a1 a2 a3' },
  ],
  [
    'add of labelled rows to an image',
    (b, a) => {
      const rows = b.dense(b.globalAvgPool(a), { name: 'y', units: 24 });
      return b.add([b.apply('reshape', [rows], { shape: [6, 1, 4] }), a]);
    },
    { output: Array.from({ length: 30 }, () => free).join(' ') },
  ],
  [
    'concat on channels',
    (b, a) => b.concat([layer(b, 'z', 2), a, a]),
    { output: `z0 z1 ${free} ${free}` },
  ],
  ['concat on rows', (b, a) => b.concat([layer(b, 'z'), a], { axis: 0 }), { output: free }],
  // Parts of a tensor.
  [
    'split',
    (b, a) => b.applyAll('split', [a], { axis: -1, sizes: [1, 3] })[1]!,
    { output: 'a1 a2 a3' },
  ],
  [
    'split of rows',
    (b, a) => b.applyAll('split', [a], { axis: 0, sizes: [2, 4] })[1]!,
    { output: free },
  ],
  [
    'slice',
    (b, a) => b.apply('slice', [a], { begin: [1, 0, 1], end: [6, 5, 3], strides: [2, 1, 1] }),
    { output: 'a1 a2' },
  ],
  [
    'slice with a step over channels',
    (b, a) => b.apply('slice', [a], { begin: [0, 0, 1], end: [6, 5, 4], strides: [1, 1, 2] }),
    { output: 'a1 a3' },
  ],
  [
    'slice with a step over channels and rows',
    (b, a) => b.apply('slice', [a], { begin: [0, 0, 1], end: [6, 5, 4], strides: [2, 1, 2] }),
    { output: 'a1 a3', frozen: 'OP_WITHOUT_RULE' },
  ],
  ['gather', (b, a) => b.apply('gather', [a], { indices: [3, 0, 0] }), { output: 'a3 a0 a0' }],
  [
    'pad of channels',
    (b, a) => {
      const paddings = [
        [0, 0],
        [1, 0],
        [2, 1],
      ] as const;
      return b.apply('pad', [a], { paddings, mode: 'constant', value: 0 });
    },
    { output: `- - ${free} -` },
  ],
  [
    'pad of channels with mirrored ones',
    (b, a) => {
      const paddings = [
        [0, 0],
        [0, 0],
        [1, 0],
      ] as const;
      return b.apply('pad', [a], { paddings, mode: 'symmetric', value: 0 });
    },
    { output: `- ${free}`, frozen: 'OP_WITHOUT_RULE' },
  ],
  [
    'pad of rows with mirrored ones',
    (b, a) => {
      const paddings = [
        [2, 0],
        [0, 1],
        [0, 0],
      ] as const;
      return b.apply('pad', [a], { paddings, mode: 'reflect', value: 0 });
    },
    { output: free },
  ],
  // The same values in other places.
  ['flatten', (b, a) => b.flatten(b.maxPool2d(a, { poolSize: 3 })), { output: `${free} ${free}` }],
  ['reshape of positions', (b, a) => b.apply('reshape', [a], { shape: [30, 4] }), { output: free }],
  [
    'reshape into groups',
    (b, a) => b.apply('reshape', [a], { shape: [6, 5, 2, 2] }),
    { output: 'a0 a1 a0 a1', a: 'a0 a1 a0 a1' },
  ],
  [
    'reshape of channels and a column into one axis',
    (b, a) => b.apply('reshape', [a], { shape: [6, 1, 20] }),
    { output: `${free} ${free} ${free} ${free} ${free}` },
  ],
  [
    'reshape into an axis that is no multiple of the channels',
    (b, a) => b.apply('reshape', [b.maxPool2d(a, { poolSize: 2 })], { shape: [4, 6] }),
    { output: Array.from({ length: 12 }, () => 'a0 a1').join(' '), a: 'a0 a1 a0 a1' },
  ],
  [
    'reshape across channels',
    (b, a) => b.apply('reshape', [b.maxPool2d(a, { poolSize: 2 })], { shape: [8, 3] }),
    { output: Array.from({ length: 24 }, () => 'a0').join(' '), a: 'a0 a0 a0 a0' },
  ],
  [
    'channel shuffle',
    (b, a) => {
      const groups = b.apply('reshape', [a], { shape: [6, 5, 2, 2] });
      const swapped = b.apply('permute', [groups], { perm: [0, 1, 3, 2] });
      return b.apply('reshape', [swapped], { shape: [6, 5, 4] });
    },
    { output: 'a0 a0 a1 a1', a: 'a0 a1 a0 a1' },
  ],
  [
    'permute of positions',
    (b, a) => b.apply('permute', [a], { perm: [1, 0, 2] }),
    { output: free },
  ],
  [
    'permute to channels first',
    (b, a) => b.apply('permute', [b.maxPool2d(a, { poolSize: 3 })], { perm: [2, 1, 0] }),
    { output: 'a0 a0 a1 a1 a2 a2 a3 a3' },
  ],
  [
    'depthToSpace, depth first',
    (b, a) => b.apply('depthToSpace', [a], { block: 2, order: 'dcr' }),
    { output: 'a0 a1', a: 'a0 a1 a0 a1 a0 a1 a0 a1', filters: 8 },
  ],
  [
    'depthToSpace, columns first',
    (b, a) => b.apply('depthToSpace', [a], { block: 2, order: 'crd' }),
    { output: 'a0 a4', a: 'a0 a0 a0 a0 a4 a4 a4 a4', filters: 8 },
  ],
  [
    'spaceToDepth',
    (b, a) => {
      const even = b.apply('crop', [a], {
        amounts: [
          [0, 0],
          [0, 1],
        ],
      });
      return b.apply('spaceToDepth', [even], { block: 2 });
    },
    { output: `${free} ${free} ${free} ${free}` },
  ],
];

describe('the rule of', () => {
  it.each(rules)('%s', (_name, build, { output, a = free, frozen = null, filters }) => {
    const model = netOf(build, filters);
    expect(ruleOf(model)).toEqual({ output, a, frozen });
    expectCutsEquivalent(model, { rounds: 2 });
  });
});

describe('freezing', () => {
  const codeOf = (model: Model, name: string): (FreezeCode | undefined)[] => {
    const flow = flowOf(model);
    const { classes } = flow.producers.find(({ node }) => node === name)!;
    return Array.from(classes, (channel) => flow.frozen[channel]?.code);
  };

  it('keeps a channel that is broadcast over others, and one that is only a part of a layer', () => {
    const model = netOf((b, a) => {
      const [mask, rest] = b.applyAll('split', [layer(b, 'z', 3)], { axis: -1, sizes: [1, 2] });
      return b.concat([b.mul([a, mask!]), rest!]);
    });
    expect(codeOf(model, 'z')).toEqual(['OP_MIXES_CHANNELS', undefined, undefined]);
    expect(codeOf(model, 'a')).toEqual([undefined, undefined, undefined, undefined]);
  });

  it('stops where channels spread over too many positions', () => {
    const model = makeModel((b) => {
      const x = b.input('image', [2048, 1024, 1]);
      const a = b.conv2d(x, { name: 'a', filters: 4, kernelSize: 1 });
      const moved = b.apply('permute', [a], { perm: [2, 0, 1] });
      b.output(b.apply('reduce', [moved], { fn: 'mean', axes: [0, 1, 2], keepDims: false }));
      b.output(
        b.dense(b.globalAvgPool(b.conv2d(a, { name: 'z', filters: 2, kernelSize: 1 })), {
          units: 1,
        }),
      );
    });
    expect(codeOf(model, 'a')).toEqual(Array.from({ length: 4 }, () => 'TOO_LARGE'));
    expect(codeOf(model, 'z')).toEqual([undefined, undefined]);
  });
});

describe('recut', () => {
  /** The node of the given name after keeping the channels `kept` of layer `a`. */
  function recutNode(model: Model, name: string, kept: readonly number[]): Node {
    const analysis = analyse(model);
    const group = analysis.groups.find(({ producers }) => producers.includes('a'))!;
    const choice = new Map([[group.id, Int32Array.from(kept)]]);
    const { graph } = expectCutEquivalent(model, analysis, choice);
    return nodeNamed(graph, name);
  }

  const nodeNamed = (graph: Graph, name: string): Node =>
    graph.nodes.find((node) => node.name === name)!;

  const cases: readonly (readonly [
    string,
    Build,
    readonly number[],
    { readonly op: string; readonly attrs: unknown },
  ])[] = [
    [
      'keeps a slice a slice where it is contiguous',
      (b, a) =>
        b.apply(
          'slice',
          [a],
          { begin: [1, 0, 2], end: [6, 5, 6], strides: [2, 1, 1] },
          { name: 'y' },
        ),
      [0, 3, 5, 7],
      { op: 'slice', attrs: { begin: [1, 0, 1], end: [6, 5, 3], strides: [2, 1, 1] } },
    ],
    [
      'makes a slice with a step a plain one where its channels become neighbours',
      (b, a) =>
        b.apply(
          'slice',
          [a],
          { begin: [0, 0, 0], end: [6, 5, 8], strides: [1, 1, 2] },
          { name: 'y' },
        ),
      [1, 2, 4, 6],
      { op: 'slice', attrs: { begin: [0, 0, 1], end: [6, 5, 4], strides: [1, 1, 1] } },
    ],
    [
      'makes a slice with a step a gather where its channels stand unevenly',
      (b, a) =>
        b.apply(
          'slice',
          [a],
          { begin: [0, 0, 0], end: [6, 5, 8], strides: [1, 1, 2] },
          { name: 'y' },
        ),
      [0, 3, 4, 6],
      { op: 'gather', attrs: { indices: [0, 2, 3] } },
    ],
    [
      'renumbers a gather',
      (b, a) => b.apply('gather', [a], { indices: [7, 0, 3, 0, 2] }, { name: 'y' }),
      [0, 2, 7],
      { op: 'gather', attrs: { indices: [2, 0, 0, 1] } },
    ],
    [
      'counts what stays of each part of a split',
      (b, a) => {
        const parts = b.applyAll('split', [a], { axis: -1, sizes: [3, 1, 4] }, { name: 'y' });
        return b.concat([parts[2]!, parts[0]!, parts[1]!]);
      },
      [0, 2, 3, 7],
      { op: 'split', attrs: { axis: -1, sizes: [2, 1, 1] } },
    ],
    [
      'counts what stays of a border that other channels are added to',
      (b, a) => {
        const inner = layer(b, 'z', 4);
        const paddings = [
          [0, 0],
          [0, 0],
          [1, 3],
        ] as const;
        const padded = b.apply(
          'pad',
          [inner],
          { paddings, mode: 'constant', value: 0 },
          { name: 'y' },
        );
        return b.add([a, padded]);
      },
      [1, 3, 4, 5, 7],
      {
        op: 'pad',
        attrs: {
          paddings: [
            [0, 0],
            [0, 0],
            [0, 2],
          ],
          mode: 'constant',
          value: 0,
        },
      },
    ],
    [
      'keeps the groups of a convolution',
      (b, a) => b.conv2d(a, { name: 'y', filters: 4, kernelSize: 1, groups: 2 }),
      [1, 3],
      {
        op: 'conv2d',
        attrs: {
          kernelSize: [1, 1],
          strides: [1, 1],
          dilations: [1, 1],
          padding: 'same',
          filters: 4,
          groups: 2,
        },
      },
    ],
    [
      'drops groups of one channel',
      (b, a) => b.conv2d(a, { name: 'y', filters: 16, kernelSize: 1, groups: 8 }),
      [1, 3, 6],
      {
        op: 'conv2d',
        attrs: {
          kernelSize: [1, 1],
          strides: [1, 1],
          dilations: [1, 1],
          padding: 'same',
          filters: 6,
          groups: 3,
        },
      },
    ],
    [
      'keeps the numbers of the channels that stay',
      (b, a) =>
        b.apply('rescale', [a], { scale: [1, 2, 3, 4, 5, 6, 7, 8], offset: [9] }, { name: 'y' }),
      [1, 3, 6],
      { op: 'rescale', attrs: { scale: [2, 4, 7], offset: [9] } },
    ],
    [
      'shrinks the axis of a reshape that holds channels',
      (b, a) => b.apply('reshape', [a], { shape: [6, 1, 40] }, { name: 'y' }),
      [1, 3, 6],
      { op: 'reshape', attrs: { shape: [6, 1, 15] } },
    ],
  ];

  it.each(cases)('%s', (_what, build, kept, expected) => {
    expect(recutNode(netOf(build, 8), 'y', kept)).toMatchObject(expected);
  });

  it('follows a cut made on a cut model', () => {
    const model = netOf((b, a) => b.apply('gather', [a], { indices: [7, 0, 3, 5] }), 8);
    const first = expectCutsEquivalent(model, { rounds: 1 });
    expect(first.graph.nodes[0]!.attrs).not.toEqual(model.graph.nodes[0]!.attrs);
    expectCutsEquivalent(first, { rounds: 2 });
  });
});
