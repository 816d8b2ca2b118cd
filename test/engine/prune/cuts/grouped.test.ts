// Cuts of depthwise and grouped convolutions.

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

describe('depthwise and grouped convolutions', () => {
  it('moves a depthwise multiplier with its input channel', () => {
    const model = makeModel((b) => {
      const x = conv(b, b.input('image', [4, 4, 3]), 'a', 5);
      const y = b.depthwiseConv2d(x, { name: 'dw', kernelSize: 3, multiplier: 2 });
      head(b, conv(b, b.activation(b.batchNorm(y), 'relu6'), 'b', 4, 1));
    });
    const analysis = analyse(model);
    expect(producersOf(analysis)).toEqual([['a'], ['b'], ['head']]);
    const result = expectCutEquivalent(model, analysis, new Map([[0, Int32Array.of(0, 3)]]));
    expect(weightOf(result, 'dw/kernel').shape).toEqual([3, 3, 2, 2]);
    expect(result.graph.nodes.find((node) => node.name === 'dw')!.origin).toEqual([0, 1, 6, 7]);
    expectCutsEquivalent(model);
  });

  it('freezes a depthwise convolution on the input', () => {
    const model = makeModel((b) => {
      const x = b.depthwiseConv2d(b.input('image', [4, 4, 3]), { kernelSize: 3 });
      head(b, conv(b, x, 'a', 5, 1));
    });
    expect(producersOf(analyse(model))).toEqual([['a'], ['head']]);
    expectCutsEquivalent(model);
  });

  it('ties the inverted residual of MobileNetV2 only where there is an addition', () => {
    const model = makeModel((b) => {
      const block = (x: string, name: string, filters: number, residual: boolean): string => {
        let y = b.activation(b.batchNorm(conv(b, x, `${name}.expand`, 9, 1)), 'relu6');
        y = b.activation(b.batchNorm(b.depthwiseConv2d(y, { kernelSize: 3 })), 'relu6');
        y = b.batchNorm(conv(b, y, `${name}.project`, filters, 1));
        return residual ? b.add([x, y]) : y;
      };
      const x = conv(b, b.input('image', [4, 4, 3]), 'stem', 4);
      head(b, block(block(block(x, 'one', 6, false), 'two', 6, true), 'three', 5, false));
    });
    expect(producersOf(analyse(model))).toEqual([
      ['stem'],
      ['one.expand'],
      ['one.project', 'two.project'],
      ['two.expand'],
      ['three.expand'],
      ['three.project'],
      ['head'],
    ]);
    expectCutsEquivalent(model);
  });

  it('cuts equal slots from every group of a grouped convolution', () => {
    const model = makeModel((b) => {
      const x = conv(b, b.input('image', [4, 4, 3]), 'a', 12);
      const y = b.conv2d(x, { name: 'grouped', filters: 8, kernelSize: 3, groups: 4 });
      head(b, conv(b, b.activation(y, 'relu'), 'b', 5, 1));
    });
    const analysis = analyse(model);
    expect(producersOf(analysis)).toEqual([['a'], ['grouped'], ['b'], ['head']]);
    expect(analysis.groups.map(({ channels }) => channels)).toEqual([3, 2, 5, 3]);
    expect(analysis.channels[0]!.slots).toEqual([4]);
    const result = expectCutEquivalent(
      model,
      analysis,
      new Map([
        [0, Int32Array.of(1)],
        [1, Int32Array.of(0)],
      ]),
    );
    expect(result.graph.nodes.find((node) => node.name === 'a')!.origin).toEqual([1, 4, 7, 10]);
    expect(weightOf(result, 'grouped/kernel').shape).toEqual([3, 3, 1, 4]);
    expectCutsEquivalent(model);
  });

  it('meets 2 and 3 groups in a chain at their common multiple', () => {
    const model = makeModel((b) => {
      const x = b.conv2d(conv(b, b.input('image', [3, 3, 3]), 'a', 4), {
        name: 'two',
        filters: 12,
        kernelSize: 1,
        groups: 2,
      });
      head(b, b.conv2d(x, { name: 'three', filters: 6, kernelSize: 1, groups: 3 }));
    });
    const analysis = analyse(model);
    // Slots i and i + 6 go together for 'two', i and i + 4 and i + 8 for 'three': classes are i mod 2.
    expect(analysis.groups[1]!.channels).toBe(2);
    expect(analysis.channels[1]!.slots).toEqual([6]);
    expectCutsEquivalent(model);
  });

  it('treats one channel a group as a depthwise convolution', () => {
    const model = makeModel((b) => {
      const x = conv(b, b.input('image', [3, 3, 3]), 'a', 6);
      head(b, b.conv2d(x, { name: 'dw', filters: 12, kernelSize: 3, groups: 6 }));
    });
    const analysis = analyse(model);
    expect(analysis.groups.map(({ channels }) => channels)).toEqual([6, 3]);
    expectCutsEquivalent(model);
  });

  it('follows a channel shuffle', () => {
    const model = makeModel((b) => {
      const x = conv(b, b.input('image', [3, 3, 3]), 'a', 12);
      const grouped = b.apply('reshape', [x], { shape: [3, 3, 3, 4] });
      const turned = b.apply('permute', [grouped], { perm: [0, 1, 3, 2] });
      const shuffled = b.apply('reshape', [turned], { shape: [3, 3, 12] });
      head(b, conv(b, shuffled, 'b', 5));
    });
    const analysis = analyse(model);
    expect(producersOf(analysis)).toEqual([['a'], ['b'], ['head']]);
    expect(analysis.groups[0]!.channels).toBe(4);
    const result = expectCutEquivalent(model, analysis, new Map([[0, Int32Array.of(1, 3)]]));
    expect(result.graph.nodes.find((node) => node.name === 'a')!.origin).toEqual([
      1, 3, 5, 7, 9, 11,
    ]);
    expectCutsEquivalent(model);
  });
});
