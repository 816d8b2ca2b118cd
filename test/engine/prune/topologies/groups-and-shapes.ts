// Topologies 15 to 26 of the reference: a small network of each, channels that stay, and what the cut network then costs,
// worked out by hand from its widths.

import type { GraphBuilder } from '../../../../src-main/engine/graph/build';
import { filledWeight } from '../../../../src-main/engine/graph/initialise';
import type { TensorId } from '../../../../src-main/engine/graph/types';
import { conv, dense, depthwise, head, image, layer, macs, norm } from './tools';
import type { Topology } from './tools';

function groupedNet(b: GraphBuilder): void {
  const x = layer(b, image(b), 'a', 12);
  const y = b.conv2d(x, { name: 'grouped', filters: 8, kernelSize: 3, groups: 4 });
  head(b, layer(b, b.activation(y, 'relu'), 'b', 5, 1));
}

function flattened(b: GraphBuilder, turned: boolean): void {
  const x = layer(b, image(b, 2, 3), 'a', 4);
  const y = turned ? b.apply('permute', [x], { perm: [2, 0, 1] }) : x;
  const code = b.batchNorm(b.dense(b.flatten(y), { units: 5, name: 'fc' }));
  b.output(b.dense(b.activation(code, 'relu'), { units: 2, name: 'head' }));
}

function depthToSpace(b: GraphBuilder, order: 'dcr' | 'crd'): void {
  const x = layer(b, image(b, 2), 'a', 12);
  head(b, layer(b, b.apply('depthToSpace', [x], { block: 2, order }), 'b', 4));
}

export const groupsAndShapes: readonly Topology[] = [
  {
    number: 15,
    name: 'depthwise multiplier of two',
    build(b: GraphBuilder): void {
      const x = layer(b, image(b), 'a', 5);
      const y = b.depthwiseConv2d(x, { name: 'dw', kernelSize: 3, multiplier: 2 });
      head(b, layer(b, b.activation(b.batchNorm(y), 'relu6'), 'b', 4, 1));
    },
    kept: [
      [0, [0, 3]],
      [1, [1, 2, 3]],
    ],
    params: conv(3, 3, 2) + depthwise(4) + norm(4) + conv(1, 4, 3) + dense(3, 3),
    macs: macs(3, 3, 2, 16) + 9 * 4 * 16 + macs(1, 4, 3, 16) + 9,
  },
  {
    number: 16,
    name: 'squeeze and excitation with hard swish',
    build(b: GraphBuilder): void {
      const x = b.activation(layer(b, image(b), 'trunk', 8), 'hardSwish');
      const reduced = layer(b, b.globalAvgPool(x, { keepDims: true }), 'reduce', 3, 1);
      const gate = layer(b, b.activation(reduced, 'relu'), 'expand', 8, 1);
      head(b, b.mul([x, b.activation(gate, 'sigmoid')]));
    },
    kept: [
      [0, [0, 2, 5, 6]],
      [1, [0, 2]],
    ],
    params: conv(3, 3, 4) + conv(1, 4, 2) + conv(1, 2, 4) + dense(4, 3),
    macs: macs(3, 3, 4, 16) + 4 * 2 + 2 * 4 + 12,
  },
  {
    number: 17,
    name: 'spatial attention and a scalar factor',
    build(b: GraphBuilder): void {
      const x = layer(b, image(b), 'trunk', 6);
      const map = b.activation(layer(b, x, 'map', 1), 'sigmoid');
      head(b, b.mul([b.mul([x, map]), b.constant(filledWeight([1], 2))]));
    },
    kept: [[0, [0, 1, 5]]],
    frozen: { map: 'OP_MIXES_CHANNELS' },
    params: conv(3, 3, 3) + conv(3, 3, 1) + 1 + dense(3, 3),
    macs: macs(3, 3, 3, 16) + macs(3, 3, 1, 16) + 9,
  },
  {
    number: 18,
    name: 'grouped convolution, equal places of each group',
    build: groupedNet,
    kept: [
      [0, [1]],
      [1, [0]],
      [2, [0, 2, 4]],
    ],
    params: conv(3, 3, 4) + (9 * 1 * 4 + 4) + conv(1, 4, 3) + dense(3, 3),
    macs: macs(3, 3, 4, 16) + 9 * 1 * 4 * 16 + macs(1, 4, 3, 16) + 9,
    refusedBy: ['tfjs-layers'],
  },
  {
    number: 18,
    name: 'grouped convolution, whole groups',
    build: groupedNet,
    structure: { trunk: 'group', grouped: 'groups' },
    kept: [
      [0, [1, 2]],
      [1, [0, 2, 4]],
    ],
    params: conv(3, 3, 6) + (9 * 3 * 4 + 4) + conv(1, 4, 3) + dense(3, 3),
    macs: macs(3, 3, 6, 16) + 9 * 3 * 4 * 16 + macs(1, 4, 3, 16) + 9,
    refusedBy: ['tfjs-layers'],
  },
  {
    number: 18,
    name: 'two groups, then three: units of six',
    build(b: GraphBuilder): void {
      const x = layer(b, image(b), 'a', 4);
      const y = b.conv2d(x, { name: 'two', filters: 12, kernelSize: 1, groups: 2 });
      head(b, b.conv2d(y, { name: 'three', filters: 6, kernelSize: 1, groups: 3 }));
    },
    kept: [
      [0, [1]],
      [1, [0]],
      [2, [1]],
    ],
    params: conv(3, 3, 2) + (1 * 6 + 6) + (2 * 3 + 3) + dense(3, 3),
    macs: macs(3, 3, 2, 16) + 1 * 6 * 16 + 2 * 3 * 16 + 9,
    refusedBy: ['tfjs-layers'],
  },
  {
    number: 19,
    name: 'channel shuffle of three groups',
    build(b: GraphBuilder): void {
      const x = layer(b, image(b), 'a', 12);
      const apart = b.apply('reshape', [x], { shape: [4, 4, 3, 4] });
      const turned = b.apply('permute', [apart], { perm: [0, 1, 3, 2] });
      head(b, layer(b, b.apply('reshape', [turned], { shape: [4, 4, 12] }), 'b', 5));
    },
    kept: [
      [0, [1, 3]],
      [1, [0, 1, 4]],
    ],
    params: conv(3, 3, 6) + conv(3, 6, 3) + dense(3, 3),
    macs: macs(3, 3, 6, 16) + macs(3, 6, 3, 16) + 9,
  },
  ...(['dcr', 'crd'] as const).map((order): Topology => ({
    number: 20,
    name: `depth to space in ${order} order`,
    build: (b) => depthToSpace(b, order),
    kept: [
      [0, [0, 2]],
      [1, [0, 1, 3]],
    ],
    params: conv(3, 3, 8) + conv(3, 2, 3) + dense(3, 3),
    macs: macs(3, 3, 8, 4) + macs(3, 2, 3, 16) + 9,
  })),
  {
    number: 20,
    name: 'space to depth',
    build(b: GraphBuilder): void {
      const x = layer(b, image(b), 'a', 5);
      head(b, layer(b, b.apply('spaceToDepth', [x], { block: 2 }), 'b', 4));
    },
    kept: [
      [0, [0, 4]],
      [1, [1, 2, 3]],
    ],
    params: conv(3, 3, 2) + conv(3, 8, 3) + dense(3, 3),
    macs: macs(3, 3, 2, 16) + macs(3, 8, 3, 4) + 9,
  },
  ...[false, true].map((turned): Topology => ({
    number: 21,
    name: `flatten in ${turned ? 'NCHW' : 'NHWC'} order, dense, batch norm, dense`,
    build: (b) => flattened(b, turned),
    kept: [
      [0, [1, 3]],
      [1, [0, 2, 4]],
    ],
    params: conv(3, 3, 2) + dense(2 * 6, 3) + norm(3) + dense(3, 2),
    macs: macs(3, 3, 2, 6) + 12 * 3 + 3 * 2,
  })),
  {
    number: 22,
    name: 'a tensor that is output and read inside',
    build(b: GraphBuilder): void {
      const y = layer(b, layer(b, image(b), 'a', 5), 'b', 6);
      b.output(y, 'features');
      head(b, layer(b, y, 'c', 4));
    },
    kept: [
      [0, [0, 2, 3]],
      [2, [1, 3]],
    ],
    frozen: { b: 'OUTPUT' },
    params: conv(3, 3, 3) + conv(3, 3, 6) + conv(3, 6, 2) + dense(2, 3),
    macs: macs(3, 3, 3, 16) + macs(3, 3, 6, 16) + macs(3, 6, 2, 16) + 6,
  },
  {
    number: 22,
    name: 'two inputs',
    build(b: GraphBuilder): void {
      const x = layer(b, image(b), 'a', 5);
      const meta = b.dense(b.input('meta', [4]), { units: 6, name: 'm' });
      b.output(b.dense(b.concat([b.globalAvgPool(x), meta]), { units: 2, name: 'head' }));
    },
    kept: [
      [0, [0, 2, 3]],
      [1, [1, 3]],
    ],
    params: conv(3, 3, 3) + dense(4, 2) + dense(3 + 2, 2),
    macs: macs(3, 3, 3, 16) + 8 + 10,
  },
  {
    number: 23,
    name: 'siamese branches with one convolution',
    build(b: GraphBuilder): void {
      const weights = { kernel: 'first/kernel', bias: 'first/bias' };
      const [p, q] = [b.input('p', [3, 3, 3]), b.input('q', [3, 3, 3])];
      const first = layer(b, p, 'first', 6);
      const second = b.conv2d(q, { name: 'second', filters: 6, kernelSize: 3, weights });
      const [left, right] = [first, second].map((x) => b.dense(b.globalAvgPool(x), { units: 2 }));
      b.output(b.apply('sub', [left!, right!], {}));
    },
    kept: [[0, [0, 3, 5]]],
    params: conv(3, 3, 3) + 2 * dense(3, 2),
    macs: 2 * macs(3, 3, 3, 9) + 2 * 6,
  },
  {
    number: 24,
    name: 'an addition to the input of the model',
    build(b: GraphBuilder): void {
      const x = image(b);
      head(b, b.add([x, layer(b, layer(b, x, 'inner', 5), 'outer', 3)]));
    },
    kept: [[0, [0, 2, 4]]],
    frozen: { outer: 'INPUT' },
    params: conv(3, 3, 3) + conv(3, 3, 3) + dense(3, 3),
    macs: macs(3, 3, 3, 16) + macs(3, 3, 3, 16) + 9,
  },
  {
    number: 24,
    name: 'constants and slopes of [C], [1] and [H, W, C]',
    build(b: GraphBuilder): void {
      let x = layer(b, image(b), 'a', 6);
      x = b.add([x, b.constant(filledWeight([6], 1))]);
      x = b.mul([x, b.constant(filledWeight([1], 1)), b.constant(filledWeight([4, 4, 6], 1))]);
      x = b.prelu(b.prelu(x), { weights: { alpha: filledWeight([4, 4, 6], 1) } });
      head(b, x);
    },
    kept: [[0, [1, 4]]],
    params: conv(3, 3, 2) + 2 + 1 + 16 * 2 + 2 + 16 * 2 + dense(2, 3),
    macs: macs(3, 3, 2, 16) + 6,
  },
  {
    number: 25,
    name: 'slice, slice in steps of two, gather with repeats, padding, permutation',
    build(b: GraphBuilder): void {
      const x = layer(b, image(b), 'a', 9);
      const part = (begin: number, end: number, stride: number): TensorId =>
        b.apply('slice', [x], { begin: [0, 0, begin], end: [4, 4, end], strides: [1, 1, stride] });
      const picked = b.apply('gather', [x], { indices: [8, 1, 1, 4] });
      const joined = b.concat([part(2, 7, 1), part(1, 9, 2), picked]);
      const turned = b.apply('permute', [joined], { perm: [1, 0, 2] });
      head(b, layer(b, turned, 'b', 4));
    },
    // The slice keeps 2 4 5, the steps keep 1 5, the gather 8 1 1 4.
    kept: [
      [0, [1, 2, 4, 5, 8]],
      [1, [0, 3]],
    ],
    params: conv(3, 3, 5) + conv(3, 3 + 2 + 4, 2) + dense(2, 3),
    macs: macs(3, 3, 5, 16) + macs(3, 9, 2, 16) + 6,
  },
  {
    number: 25,
    name: 'non-local attention: what meets the matrix product stays',
    build(b: GraphBuilder): void {
      const x = layer(b, image(b), 'a', 5);
      const rows = (name: string, filters: number): TensorId =>
        b.apply('reshape', [layer(b, x, name, filters, 1)], { shape: [16, filters] });
      const [query, key, value] = [rows('query', 4), rows('key', 4), rows('value', 6)];
      const scores = b.apply('matmul', [query, key], { transposeA: false, transposeB: true });
      const weights = b.apply('softmax', [scores], { axis: -1 });
      const mixed = b.apply('matmul', [weights, value], { transposeA: false, transposeB: false });
      head(b, layer(b, b.apply('reshape', [mixed], { shape: [4, 4, 6] }), 'out', 4, 1));
    },
    kept: [
      [0, [0, 3, 4]],
      [4, [1, 2]],
    ],
    frozen: {
      query: 'OP_MIXES_CHANNELS',
      key: 'OP_MIXES_CHANNELS',
      value: 'OP_MIXES_CHANNELS',
    },
    params: conv(3, 3, 3) + 2 * conv(1, 3, 4) + conv(1, 3, 6) + conv(1, 6, 2) + dense(2, 3),
    macs: macs(3, 3, 3, 16) + macs(1, 3, 4 + 4 + 6, 16) + macs(1, 6, 2, 16) + 6,
    refusedBy: ['tfjs-layers'],
  },
  {
    number: 26,
    name: 'one channel, dropout between, and a branch that nobody reads',
    build(b: GraphBuilder): void {
      const x = b.apply('dropout', [layer(b, image(b), 'a', 5)], { rate: 0.5 });
      layer(b, x, 'unused', 4);
      head(b, layer(b, layer(b, x, 'one', 1), 'b', 4));
    },
    kept: [
      [0, [1, 4]],
      [1, [0, 2, 3]],
      [3, [0, 2]],
    ],
    params: conv(3, 3, 2) + conv(3, 2, 3) + conv(3, 2, 1) + conv(3, 1, 2) + dense(2, 3),
    macs: macs(3, 3, 2, 16) + macs(3, 2, 3, 16) + macs(3, 2, 1, 16) + macs(3, 1, 2, 16) + 6,
  },
];
