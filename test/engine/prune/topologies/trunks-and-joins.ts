// Topologies 1 to 14 of the reference: a small network of each, channels that stay, and what the cut network then costs,
// worked out by hand from its widths.

import type { GraphBuilder } from '../../../../src-main/engine/graph/build';
import type { TensorId } from '../../../../src-main/engine/graph/types';
import { conv, dense, depthwise, head, image, layer, macs, norm, normed } from './tools';
import type { Topology } from './tools';

function preConv(b: GraphBuilder, x: TensorId, name: string, filters: number): TensorId {
  const y = b.activation(b.batchNorm(x, { name: `${name}.bn` }), 'relu');
  return layer(b, y, name, filters);
}

function preActivation(b: GraphBuilder): void {
  const x = layer(b, image(b), 'stem', 6);
  const sum = b.add([x, preConv(b, preConv(b, x, 'a', 4), 'b', 6)]);
  head(b, b.activation(b.batchNorm(sum, { name: 'last' }), 'relu'));
}

export const trunksAndJoins: readonly Topology[] = [
  {
    number: 1,
    name: 'chain with batch norm, and a convolution with bias alone',
    build: (b) => head(b, b.activation(layer(b, normed(b, image(b), 'a', 8), 'b', 6), 'relu')),
    kept: [
      [0, [0, 2, 5, 7]],
      [1, [1, 3, 4]],
    ],
    params: conv(3, 3, 4) + norm(4) + conv(3, 4, 3) + dense(3, 3),
    macs: macs(3, 3, 4, 16) + macs(3, 4, 3, 16) + 9,
  },
  {
    number: 3,
    name: 'identity stage of a ResNet',
    build(b: GraphBuilder): void {
      let x = normed(b, image(b), 'stem', 8);
      for (const name of ['one', 'two']) {
        const y = b.batchNorm(layer(b, normed(b, x, `${name}.conv1`, 5), `${name}.conv2`, 8));
        x = b.activation(b.add([x, y]), 'relu');
      }
      head(b, x);
    },
    kept: [
      [0, [0, 3, 4, 7]],
      [1, [0, 1, 4]],
      [2, [2, 3]],
    ],
    params:
      conv(3, 3, 4) +
      norm(4) +
      (conv(3, 4, 3) + norm(3) + conv(3, 3, 4) + norm(4)) +
      (conv(3, 4, 2) + norm(2) + conv(3, 2, 4) + norm(4)) +
      dense(4, 3),
    macs:
      macs(3, 3, 4, 16) +
      (macs(3, 4, 3, 16) + macs(3, 3, 4, 16)) +
      (macs(3, 4, 2, 16) + macs(3, 2, 4, 16)) +
      12,
  },
  {
    number: 4,
    name: 'projection shortcut',
    build(b: GraphBuilder): void {
      const x = layer(b, image(b), 'stem', 4);
      const y = b.conv2d(x, { name: 'inner', filters: 6, kernelSize: 3, strides: 2 });
      const outer = layer(b, b.activation(y, 'relu'), 'outer', 7);
      const skip = b.conv2d(x, { name: 'projection', filters: 7, kernelSize: 1, strides: 2 });
      head(b, b.add([outer, skip]));
    },
    kept: [
      [0, [1, 2]],
      [1, [0, 2, 5]],
      [2, [0, 1, 3, 5, 6]],
    ],
    params: conv(3, 3, 2) + conv(3, 2, 3) + conv(3, 3, 5) + conv(1, 2, 5) + dense(5, 3),
    macs: macs(3, 3, 2, 16) + macs(3, 2, 3, 4) + macs(3, 3, 5, 4) + macs(1, 2, 5, 4) + 15,
  },
  {
    number: 5,
    name: 'zero-padded shortcut (option A)',
    build(b: GraphBuilder): void {
      const x = layer(b, image(b), 'stem', 4);
      const thin = { begin: [0, 0, 0], end: [4, 4, 4], strides: [2, 2, 1] };
      const paddings = [
        [0, 0],
        [0, 0],
        [2, 3],
      ] as const;
      const strided = b.apply('slice', [x], thin);
      const skip = b.apply('pad', [strided], { paddings, mode: 'constant', value: 0 });
      const y = b.conv2d(x, { name: 'inner', filters: 5, kernelSize: 3, strides: 2 });
      head(b, b.add([skip, layer(b, b.activation(y, 'relu'), 'outer', 9)]));
    },
    // Channels 0 to 3 are the stem's and 2 to 5 of the outer convolution; 4 to 8 are its 0, 1, 6, 7, 8.
    kept: [
      [0, [0, 2, 3, 5, 8]],
      [1, [1, 4]],
    ],
    params: conv(3, 3, 3) + conv(3, 3, 2) + conv(3, 2, 5) + dense(5, 3),
    macs: macs(3, 3, 3, 16) + macs(3, 3, 2, 4) + macs(3, 2, 5, 4) + 15,
  },
  {
    number: 6,
    name: 'pre-activation block, trunk cut as one',
    build: preActivation,
    kept: [
      [0, [0, 2, 3]],
      [1, [1, 3]],
    ],
    params:
      conv(3, 3, 3) + norm(3) + conv(3, 3, 2) + norm(2) + conv(3, 2, 3) + norm(3) + dense(3, 3),
    macs: macs(3, 3, 3, 16) + macs(3, 3, 2, 16) + macs(3, 2, 3, 16) + 9,
  },
  {
    number: 6,
    name: 'pre-activation block, each batch norm with channels of its own',
    build: preActivation,
    structure: { trunk: 'select', grouped: 'slots' },
    kept: [
      [1, [0, 3, 5]],
      [2, [1, 3]],
      [3, [0, 1, 2, 5]],
    ],
    frozen: { stem: 'TRUNK', b: 'TRUNK' },
    params:
      conv(3, 3, 6) + norm(3) + conv(3, 3, 2) + norm(2) + conv(3, 2, 6) + norm(4) + dense(4, 3),
    macs: macs(3, 3, 6, 16) + macs(3, 3, 2, 16) + macs(3, 2, 6, 16) + 12,
  },
  {
    number: 7,
    name: 'concat cascade of 10, 20, 30, 60 channels at half',
    build(b: GraphBuilder): void {
      const x = image(b, 3);
      const joined = b.concat([layer(b, x, 'a', 10, 1), layer(b, x, 'b', 20, 1)]);
      const all = b.concat([joined, layer(b, x, 'd', 30, 1)]);
      head(b, b.add([all, layer(b, x, 'e', 60, 1)]));
    },
    kept: [[0, Array.from({ length: 30 }, (_, i) => 2 * i)]],
    params: conv(1, 3, 5) + conv(1, 3, 10) + conv(1, 3, 15) + conv(1, 3, 30) + dense(30, 3),
    macs: macs(1, 3, 5 + 10 + 15 + 30, 9) + 90,
  },
  {
    number: 8,
    name: 'add(x, x) and concat([x, x])',
    build(b: GraphBuilder): void {
      const x = layer(b, image(b), 'a', 6);
      const twice = b.add([x, x]);
      head(b, layer(b, b.concat([twice, twice]), 'b', 4));
    },
    kept: [
      [0, [1, 4, 5]],
      [1, [0, 2]],
    ],
    params: conv(3, 3, 3) + conv(3, 6, 2) + dense(2, 3),
    macs: macs(3, 3, 3, 16) + macs(3, 6, 2, 16) + 6,
  },
  {
    number: 9,
    name: 'concat split at other boundaries, joined and added again',
    build(b: GraphBuilder): void {
      const x = image(b);
      const joined = b.concat([layer(b, x, 'a', 5), layer(b, x, 'b', 7)]);
      const [p, q, r] = b.applyAll('split', [joined], { axis: -1, sizes: [3, 4, 5] });
      const added = b.add([q!, layer(b, x, 'c', 4)]);
      head(b, b.concat([layer(b, b.concat([p!, r!]), 'd', 3), layer(b, added, 'e', 3)]));
    },
    // p keeps 0 2, q keeps 3 5, r keeps 7 8 11: three of a, four of b, two of c.
    kept: [
      [0, [0, 2, 3, 5, 7, 8, 11]],
      [1, [0, 1]],
      [2, [0, 2]],
    ],
    params:
      conv(3, 3, 3) +
      conv(3, 3, 4) +
      conv(3, 3, 2) +
      conv(3, 2 + 3, 2) +
      conv(3, 2, 2) +
      dense(4, 3),
    macs: macs(3, 3, 3 + 4 + 2, 16) + macs(3, 5, 2, 16) + macs(3, 2, 2, 16) + 12,
  },
  {
    number: 10,
    name: 'unequal split, two parts through one shared convolution',
    build(b: GraphBuilder): void {
      const x = layer(b, image(b), 'a', 10);
      const [p, q, r] = b.applyAll('split', [x], { axis: -1, sizes: [4, 2, 4] });
      const first = layer(b, p!, 'shared', 3);
      const weights = { kernel: 'shared/kernel', bias: 'shared/bias' };
      const second = b.conv2d(r!, { name: 'again', filters: 3, kernelSize: 3, weights });
      head(b, b.concat([first, second, q!]));
    },
    // Channels i and i + 6 are one for i below 4: 1 7, 2 8 and 4 stay.
    kept: [
      [0, [1, 2, 4]],
      [1, [0, 2]],
    ],
    params: conv(3, 3, 5) + conv(3, 2, 2) + dense(2 + 2 + 1, 3),
    macs: macs(3, 3, 5, 16) + 2 * macs(3, 2, 2, 16) + 15,
  },
  {
    number: 11,
    name: 'Inception block with a pooled branch',
    build(b: GraphBuilder): void {
      const x = image(b);
      const parts = [4, 1, 6, 5].map((filters, i) => layer(b, x, `branch${i}`, filters));
      const pooled = b.maxPool2d(parts[0]!, { poolSize: 3, strides: 1, padding: 'same' });
      head(b, b.activation(b.batchNorm(b.concat([...parts, pooled])), 'relu'));
    },
    kept: [
      [0, [0, 3]],
      [2, [1, 2, 5]],
      [3, [0, 4]],
    ],
    params: conv(3, 3, 2 + 1 + 3 + 2) + norm(10) + dense(10, 3),
    macs: macs(3, 3, 2 + 1 + 3 + 2, 16) + 30,
  },
  {
    number: 12,
    name: 'U-Net with a long skip and a transposed convolution',
    build(b: GraphBuilder): void {
      const top = b.activation(layer(b, image(b), 'down', 5), 'relu');
      const deep = b.activation(layer(b, b.maxPool2d(top, { poolSize: 2 }), 'deep', 6), 'relu');
      const up = b.conv2dTranspose(deep, { name: 'up', filters: 4, kernelSize: 2, strides: 2 });
      b.output(
        layer(b, b.activation(layer(b, b.concat([top, up]), 'merge', 5), 'relu'), 'mask', 1, 1),
      );
    },
    kept: [
      [0, [0, 2, 4]],
      [1, [1, 2, 3, 5]],
      [2, [0, 3]],
      [3, [1, 2, 4]],
    ],
    frozen: { mask: 'OUTPUT' },
    params: conv(3, 3, 3) + conv(3, 3, 4) + conv(2, 4, 2) + conv(3, 3 + 2, 3) + conv(1, 3, 1),
    // The transposed convolution meets its kernel at each of its 4 input positions.
    macs:
      macs(3, 3, 3, 16) +
      macs(3, 3, 4, 4) +
      macs(2, 4, 2, 4) +
      macs(3, 5, 3, 16) +
      macs(1, 3, 1, 16),
  },
  {
    number: 13,
    name: 'MobileNetV1 separable layers, depthwise on the input first',
    build(b: GraphBuilder): void {
      const x = b.depthwiseConv2d(image(b), { name: 'dw0', kernelSize: 3 });
      const y = b.depthwiseConv2d(normed(b, x, 'a', 6, 1), { name: 'dw1', kernelSize: 3 });
      head(b, layer(b, y, 'b', 5, 1));
    },
    kept: [
      [0, [0, 1, 4, 5]],
      [1, [1, 2, 3]],
    ],
    frozen: { dw0: 'INPUT' },
    params: depthwise(3) + conv(1, 3, 4) + norm(4) + depthwise(4) + conv(1, 4, 3) + dense(3, 3),
    macs: 9 * 3 * 16 + macs(1, 3, 4, 16) + 9 * 4 * 16 + macs(1, 4, 3, 16) + 9,
  },
  {
    number: 14,
    name: 'MobileNetV2 inverted residuals, one of them with an addition',
    build(b: GraphBuilder): void {
      const block = (x: TensorId, name: string, residual: boolean): TensorId => {
        const y = b.depthwiseConv2d(normed(b, x, `${name}.expand`, 9, 1), { kernelSize: 3 });
        const z = b.activation(b.batchNorm(y), 'relu6');
        const out = b.batchNorm(layer(b, z, `${name}.project`, 6, 1));
        return residual ? b.add([x, out]) : out;
      };
      head(b, block(block(layer(b, image(b), 'stem', 4), 'one', false), 'two', true));
    },
    kept: [
      [0, [0, 3]],
      [1, [0, 2, 4, 6, 8]],
      [2, [1, 2, 5]],
      [3, [0, 1, 2, 3]],
    ],
    params:
      conv(3, 3, 2) +
      (conv(1, 2, 5) + norm(5) + depthwise(5) + norm(5) + conv(1, 5, 3) + norm(3)) +
      (conv(1, 3, 4) + norm(4) + depthwise(4) + norm(4) + conv(1, 4, 3) + norm(3)) +
      dense(3, 3),
    macs: macs(3, 3, 2, 16) + 16 * (2 * 5 + 9 * 5 + 5 * 3) + 16 * (3 * 4 + 9 * 4 + 4 * 3) + 9,
  },
];
