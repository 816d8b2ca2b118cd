// Cuts through concat, split, slice and gather.

import { describe, expect, it } from 'vitest';
import { analyse } from '../../../../src-main/engine/prune/groups';
import {
  expectCutEquivalent,
  expectCutsEquivalent,
  makeModel,
  producersOf,
  weightOf,
} from '../networks';
import { head, layer as conv } from '../topologies/tools';

describe('joins and splits', () => {
  it('cuts a concat cascade of 10, 20, 30, 60 channels to 5, 10, 15, 30', () => {
    const model = makeModel((b) => {
      const x = b.input('image', [3, 3, 3]);
      const [a, c] = [conv(b, x, 'a', 10, 1), conv(b, x, 'b', 20, 1)];
      const joined = b.concat([a, c], { name: 'ab' });
      const d = conv(b, x, 'd', 30, 1);
      const all = b.concat([joined, d], { name: 'abd' });
      head(b, b.add([all, conv(b, x, 'e', 60, 1)]));
    });
    const analysis = analyse(model);
    expect(producersOf(analysis)).toEqual([['a', 'b', 'd', 'e'], ['head']]);
    expect(analysis.groups[0]!.channels).toBe(60);
    const everySecond = Int32Array.from({ length: 30 }, (_, i) => 2 * i);
    const result = expectCutEquivalent(model, analysis, new Map([[0, everySecond]]));
    expect(['a', 'b', 'd', 'e'].map((name) => weightOf(result, `${name}/bias`).shape[0])).toEqual([
      5, 10, 15, 30,
    ]);
    expectCutsEquivalent(model);
  });

  it('keeps the inputs of a concat apart, and shifts what follows it', () => {
    const model = makeModel((b) => {
      const x = b.input('image', [4, 4, 3]);
      const parts = [4, 1, 6, 5].map((filters, i) => conv(b, x, `branch${i}`, filters));
      const pooled = b.maxPool2d(parts[0]!, { poolSize: 3, strides: 1, padding: 'same' });
      const joined = b.concat([...parts, pooled]);
      head(b, b.activation(b.batchNorm(joined), 'relu'));
    });
    expect(producersOf(analyse(model))).toEqual([
      ['branch0'],
      ['branch1'],
      ['branch2'],
      ['branch3'],
      ['head'],
    ]);
    expectCutsEquivalent(model, { rounds: 5 });
  });

  it('cuts both copies of concat(x, x)', () => {
    const model = makeModel((b) => {
      const x = conv(b, b.input('image', [3, 3, 3]), 'a', 6);
      head(b, conv(b, b.concat([x, x]), 'b', 4));
    });
    const result = expectCutEquivalent(model, analyse(model), new Map([[0, Int32Array.of(1, 4)]]));
    expect(weightOf(result, 'b/kernel').shape).toEqual([3, 3, 4, 4]);
    expectCutsEquivalent(model);
  });

  it('splits a concat at other boundaries, joins one part again and adds another', () => {
    const model = makeModel((b) => {
      const x = b.input('image', [3, 3, 3]);
      const joined = b.concat([conv(b, x, 'a', 5), conv(b, x, 'b', 7)]);
      const [p, q, r] = b.applyAll('split', [joined], { axis: -1, sizes: [3, 4, 5] });
      const again = b.concat([p!, r!]);
      const added = b.add([q!, conv(b, x, 'c', 4)]);
      head(b, b.concat([conv(b, again, 'd', 3), conv(b, added, 'e', 3)]));
    });
    const analysis = analyse(model);
    // q covers the last two channels of a and the first two of b, and is tied to c.
    expect(producersOf(analysis)).toEqual([['a', 'b', 'c'], ['d'], ['e'], ['head']]);
    expect(analysis.groups[0]!.channels).toBe(12);
    // Tensors: p = a0..a2, q = a3 a4 b0 b1, r = b2..b6. Layers: a, b, and c, which has the channels of q.
    expect(
      analysis.channels[0]!.parts.map(({ channels, slots }) => [[...channels], slots]),
    ).toEqual([
      [[0, 1, 2, 3, 4], 1],
      [[5, 6, 7, 8, 9, 10, 11], 1],
      [[3, 4, 5, 6], 1],
      [[0, 1, 2], null],
      [[7, 8, 9, 10, 11], null],
      [[0, 1, 2, 7, 8, 9, 10, 11], null],
    ]);
    expectCutsEquivalent(model, { rounds: 8 });
  });

  it('ties unequal splits through a shared layer', () => {
    const model = makeModel((b) => {
      const x = conv(b, b.input('image', [3, 3, 3]), 'a', 10);
      const [p, q, r] = b.applyAll('split', [x], { axis: -1, sizes: [4, 2, 4] });
      const first = conv(b, p!, 'shared', 3);
      const second = b.conv2d(r!, {
        name: 'shared_again',
        filters: 3,
        kernelSize: 3,
        weights: { kernel: 'shared/kernel', bias: 'shared/bias' },
      });
      head(b, b.concat([first, second, q!]));
    });
    const analysis = analyse(model);
    expect(producersOf(analysis)).toEqual([['a'], ['shared', 'shared_again'], ['head']]);
    expect(analysis.groups[0]!.channels).toBe(6);
    const result = expectCutEquivalent(model, analysis, new Map([[0, Int32Array.of(1, 2, 4)]]));
    const origin = result.graph.nodes.find((node) => node.name === 'a')!.origin;
    expect(origin).toEqual([1, 2, 4, 7, 8]);
    expectCutsEquivalent(model, { rounds: 5 });
  });

  it('takes channels by slice, step-2 slice and gather', () => {
    const model = makeModel((b) => {
      const x = conv(b, b.input('image', [3, 3, 3]), 'a', 9);
      const slice = (begin: number, end: number, stride: number): string =>
        b.apply('slice', [x], {
          begin: [0, 0, begin],
          end: [3, 3, end],
          strides: [1, 1, stride],
        });
      const picked = b.apply('gather', [x], { indices: [8, 1, 1, 4] });
      head(b, b.concat([slice(2, 7, 1), slice(1, 9, 2), picked]));
    });
    expectCutsEquivalent(model, { rounds: 8 });
  });

  it('joins over height without an offset, tying the channels', () => {
    const model = makeModel((b) => {
      const x = b.input('image', [3, 3, 3]);
      head(b, b.concat([conv(b, x, 'a', 5), conv(b, x, 'b', 5)], { axis: 0 }));
    });
    expect(producersOf(analyse(model))).toEqual([['a', 'b'], ['head']]);
    expectCutsEquivalent(model);
  });

  it('follows a U-Net with a transposed convolution and a long skip', () => {
    const model = makeModel((b) => {
      const top = b.activation(conv(b, b.input('image', [4, 4, 3]), 'down', 5), 'relu');
      const deep = b.activation(conv(b, b.maxPool2d(top, { poolSize: 2 }), 'deep', 6), 'relu');
      const up = b.conv2dTranspose(deep, { name: 'up', filters: 4, kernelSize: 2, strides: 2 });
      const joined = b.activation(conv(b, b.concat([top, up]), 'merge', 5), 'relu');
      b.output(conv(b, joined, 'mask', 1, 1));
    });
    expect(producersOf(analyse(model))).toEqual([['down'], ['deep'], ['up'], ['merge'], ['mask']]);
    expectCutsEquivalent(model);
  });
});
