// Cuts of layers one behind the other.

import { describe, expect, it } from 'vitest';
import { analyse } from '../../../../src-main/engine/prune/groups';
import { cut } from '../../../../src-main/engine/prune/surgery';
import {
  expectCutEquivalent,
  expectCutsEquivalent,
  makeModel,
  producersOf,
  weightOf,
} from '../networks';
import { head, layer as conv } from '../topologies/tools';

describe('chains', () => {
  const chain: Parameters<typeof makeModel>[0] = (b) => {
    let x = conv(b, b.input('image', [6, 6, 3]), 'a', 8);
    x = b.activation(b.batchNorm(x, { name: 'a_bn' }), 'relu');
    x = b.maxPool2d(x, { poolSize: 2 });
    x = b.activation(conv(b, x, 'b', 6), 'relu');
    head(b, x);
  };

  it('gives every layer its own group and freezes the output', () => {
    const analysis = analyse(makeModel(chain));
    expect(producersOf(analysis)).toEqual([['a'], ['b'], ['head']]);
    expect(analysis.groups.map(({ channels, free }) => [channels, free])).toEqual([
      [8, 8],
      [6, 6],
      [3, 0],
    ]);
    expect(analysis.groups[2]!.frozen).toEqual({ code: 'OUTPUT', by: 'head' });
    expect(analysis.groups[0]!.members).toEqual(['a', 'a_bn', 'relu', 'maxPool2d', 'b']);
  });

  it('cuts filters, bias, batch norm and the next layer', () => {
    const model = makeModel(chain);
    const analysis = analyse(model);
    const result = expectCutEquivalent(model, analysis, new Map([[0, Int32Array.of(1, 2, 5)]]));
    expect(weightOf(result, 'a/kernel').shape).toEqual([3, 3, 3, 3]);
    expect(weightOf(result, 'b/kernel').shape).toEqual([3, 3, 3, 6]);
    for (const role of ['gamma', 'beta', 'mean', 'variance']) {
      const before = weightOf(model, `a_bn/${role}`).data;
      expect([...weightOf(result, `a_bn/${role}`).data]).toEqual([1, 2, 5].map((i) => before[i]));
    }
    expectCutsEquivalent(model);
  });

  it('is equivalent when only the producers are masked, as relu keeps zeros', () => {
    expectCutsEquivalent(makeModel(chain), { masks: (site) => site.kind !== 'in' });
  });

  it('changes nothing when nothing is cut', () => {
    const model = makeModel(chain);
    const result = cut(model, analyse(model), new Map());
    expect(result.graph.weights).toEqual(model.graph.weights);
    expect(result.graph.nodes).toEqual(model.graph.nodes);
  });

  it('gives the same model for A then B as for both at once', () => {
    const model = makeModel(chain);
    const analysis = analyse(model);
    const [a, b] = [Int32Array.of(0, 3, 4), Int32Array.of(2, 5)];
    const both = cut(
      model,
      analysis,
      new Map([
        [0, a],
        [1, b],
      ]),
    );
    const first = cut(model, analysis, new Map([[0, a]]));
    const second = cut(first, analyse(first), new Map([[1, b]]));
    expect(second.graph.weights).toEqual(both.graph.weights);
    expect(second.graph.nodes).toEqual(both.graph.nodes);
  });

  it('keeps provenance to the first ancestor over two cuts', () => {
    const model = makeModel(chain);
    const first = cut(model, analyse(model), new Map([[0, Int32Array.of(1, 3, 4, 6, 7)]]));
    const second = cut(first, analyse(first), new Map([[0, Int32Array.of(0, 2, 4)]]));
    const origin = (name: string): readonly number[] | undefined =>
      second.graph.nodes.find((node) => node.name === name)!.origin;
    expect(origin('a')).toEqual([1, 4, 7]);
    expect(origin('a_bn')).toEqual([1, 4, 7]);
    expect(origin('maxPool2d')).toEqual([1, 4, 7]);
    expect(origin('b')).toBeUndefined();
    expect([...weightOf(second, 'a/bias').data]).toEqual(
      [1, 4, 7].map((i) => weightOf(model, 'a/bias').data[i]),
    );
  });

  it('follows dense layers with batch norm, and convolutions without bias', () => {
    const model = makeModel((b) => {
      let x = b.dense(b.input('x', [5]), { units: 7, name: 'a', bias: false });
      x = b.activation(b.batchNorm(x), 'tanh');
      b.output(b.dense(x, { units: 2, name: 'b' }));
    });
    expect(producersOf(analyse(model))).toEqual([['a'], ['b']]);
    expectCutsEquivalent(model);
  });
});
