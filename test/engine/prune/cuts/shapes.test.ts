// Cuts through what moves channels or positions elsewhere.

import { describe, expect, it } from 'vitest';
import { analyse } from '../../../../src-main/engine/prune/groups';
import { expectCutEquivalent, expectCutsEquivalent, makeModel, weightOf } from '../networks';
import { head, layer as conv } from '../topologies/tools';

describe('changes of resolution and shape', () => {
  it('maps flattened positions back to channels (NHWC)', () => {
    const model = makeModel((b) => {
      const x = conv(b, b.input('image', [2, 3, 3]), 'a', 4);
      b.output(b.dense(b.flatten(x), { units: 5, name: 'fc' }));
    });
    const analysis = analyse(model);
    const result = expectCutEquivalent(model, analysis, new Map([[0, Int32Array.of(1, 3)]]));
    const rows = [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23];
    const kernel = weightOf(model, 'fc/kernel').data;
    expect([...weightOf(result, 'fc/kernel').data]).toEqual(
      rows.flatMap((row) => [...kernel.subarray(row * 5, row * 5 + 5)]),
    );
    expectCutsEquivalent(model);
  });

  it('maps an NCHW flatten (permute, then flatten)', () => {
    const model = makeModel((b) => {
      const x = conv(b, b.input('image', [2, 3, 3]), 'a', 4);
      const turned = b.apply('permute', [x], { perm: [2, 0, 1] });
      b.output(b.dense(b.flatten(turned), { units: 5, name: 'fc' }));
    });
    const result = expectCutEquivalent(model, analyse(model), new Map([[0, Int32Array.of(2)]]));
    expect(weightOf(result, 'fc/kernel').shape).toEqual([6, 5]);
    expectCutsEquivalent(model);
  });

  it.each(['dcr', 'crd'] as const)('follows depth to space in %s order', (order) => {
    const model = makeModel((b) => {
      const x = conv(b, b.input('image', [2, 2, 3]), 'a', 12);
      const y = b.apply('depthToSpace', [x], { block: 2, order });
      head(b, conv(b, y, 'b', 4));
    });
    const analysis = analyse(model);
    expect(analysis.groups[0]!.channels).toBe(3);
    expectCutsEquivalent(model);
  });

  it('follows space to depth', () => {
    const model = makeModel((b) => {
      const x = conv(b, b.input('image', [4, 4, 3]), 'a', 5);
      head(b, conv(b, b.apply('spaceToDepth', [x], { block: 2 }), 'b', 4));
    });
    const result = expectCutEquivalent(model, analyse(model), new Map([[0, Int32Array.of(0, 4)]]));
    expect(weightOf(result, 'b/kernel').shape).toEqual([3, 3, 8, 4]);
    expectCutsEquivalent(model);
  });

  it('freezes what passes through ops that mix channels', () => {
    const model = makeModel((b) => {
      const x = conv(b, b.input('image', [3, 3, 3]), 'a', 4);
      const normal = b.apply('layerNorm', [x], { epsilon: 1e-3, axes: [-1] }, { name: 'ln' });
      const y = conv(b, normal, 'b', 5);
      head(b, b.apply('softmax', [y], { axis: -1 }, { name: 'soft' }));
    });
    const { groups } = analyse(model);
    expect(groups.map(({ frozen }) => frozen)).toEqual([
      { code: 'OP_MIXES_CHANNELS', by: 'ln' },
      { code: 'OP_MIXES_CHANNELS', by: 'soft' },
      { code: 'OUTPUT', by: 'head' },
    ]);
    expectCutsEquivalent(model);
  });
});
