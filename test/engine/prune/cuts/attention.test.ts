// Cuts through products with gates, and of constants that are broadcast.

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

describe('attention and broadcasting', () => {
  it('ties the expansion of squeeze-and-excitation to the trunk and leaves the reduction free', () => {
    const model = makeModel((b) => {
      const x = b.activation(conv(b, b.input('image', [4, 4, 3]), 'trunk', 8), 'hardSwish');
      const pooled = b.globalAvgPool(x, { keepDims: true });
      const reduced = b.activation(conv(b, pooled, 'reduce', 3, 1), 'relu');
      const gate = b.activation(conv(b, reduced, 'expand', 8, 1), 'hardSigmoid');
      head(b, b.mul([x, gate]));
    });
    expect(producersOf(analyse(model))).toEqual([['trunk', 'expand'], ['reduce'], ['head']]);
    expectCutsEquivalent(model);
  });

  it('takes a vector gate as well', () => {
    const model = makeModel((b) => {
      const x = conv(b, b.input('image', [4, 4, 3]), 'trunk', 8);
      const reduced = b.dense(b.globalAvgPool(x), { units: 3, name: 'reduce' });
      const gate = b.activation(b.dense(reduced, { units: 8, name: 'expand' }), 'sigmoid');
      head(b, b.mul([x, gate]));
    });
    expect(producersOf(analyse(model))).toEqual([['trunk', 'expand'], ['reduce'], ['head']]);
    expectCutsEquivalent(model);
  });

  it('leaves the trunk free under spatial attention and scalar factors', () => {
    const model = makeModel((b) => {
      const x = conv(b, b.input('image', [4, 4, 3]), 'trunk', 6);
      const map = b.activation(conv(b, x, 'map', 1), 'sigmoid');
      const scaled = b.mul([
        b.mul([x, map]),
        b.constant({ shape: [1], dtype: 'float32', data: Float32Array.of(2) }),
      ]);
      head(b, scaled);
    });
    const { groups } = analyse(model);
    expect(groups.map(({ producers, free }) => [producers, free])).toEqual([
      [['trunk'], 6],
      [['map'], 0],
      [['head'], 0],
    ]);
    expectCutsEquivalent(model);
  });

  it('slices constants of [C] and [H, W, C] and slopes of both kinds', () => {
    const model = makeModel((b) => {
      const filled = (
        shape: number[],
      ): { shape: number[]; dtype: 'float32'; data: Float32Array } => ({
        shape,
        dtype: 'float32',
        data: new Float32Array(shape.reduce((n, size) => n * size, 1)).fill(1),
      });
      let x = conv(b, b.input('image', [3, 3, 3]), 'a', 6);
      x = b.add([x, b.constant(filled([6]), { name: 'c' })]);
      x = b.mul([x, b.constant(filled([3, 3, 6]), { name: 'hwc' })]);
      x = b.prelu(b.prelu(x, { name: 'channel' }), {
        name: 'place',
        weights: { alpha: filled([3, 3, 6]) },
      });
      head(b, b.prelu(x, { name: 'one', weights: { alpha: filled([1]) } }));
    });
    const result = expectCutEquivalent(model, analyse(model), new Map([[0, Int32Array.of(0, 2)]]));
    expect(
      ['c/value', 'hwc/value', 'channel/alpha', 'place/alpha', 'one/alpha'].map(
        (id) => weightOf(result, id).shape,
      ),
    ).toEqual([[2], [3, 3, 2], [2], [3, 3, 2], [1]]);
    expectCutsEquivalent(model);
  });
});
