// Cuts of graphs with several inputs, outputs or readers of a weight.

import { describe, expect, it } from 'vitest';
import { createRng } from '../../../../src-main/engine/graph/rng';
import { analyse } from '../../../../src-main/engine/prune/groups';
import { cut } from '../../../../src-main/engine/prune/surgery';
import {
  difference,
  expectCutsEquivalent,
  makeModel,
  producersOf,
  randomChoice,
  referenceTolerance,
} from '../networks';
import { head, layer as conv } from '../topologies/tools';

describe('graphs with several ends', () => {
  it('freezes a tensor that is output and read inside', () => {
    const model = makeModel((b) => {
      const x = conv(b, b.input('image', [4, 4, 3]), 'a', 5);
      const y = conv(b, x, 'b', 6);
      b.output(y, 'features');
      head(b, conv(b, y, 'c', 4));
    });
    const { groups } = analyse(model);
    expect(groups.map(({ free }) => free)).toEqual([5, 0, 4, 0]);
    expectCutsEquivalent(model);
  });

  it('takes several inputs', () => {
    const model = makeModel((b) => {
      const image = conv(b, b.input('image', [3, 3, 3]), 'a', 5);
      const meta = b.dense(b.input('meta', [4]), { units: 6, name: 'm' });
      b.output(b.dense(b.concat([b.globalAvgPool(image), meta]), { units: 2, name: 'out' }));
    });
    expectCutsEquivalent(model);
  });

  it('cuts a layer shared at two places alike', () => {
    const model = makeModel((b) => {
      const twin = (x: string, name: string): string =>
        b.conv2d(x, {
          name,
          filters: 6,
          kernelSize: 3,
          weights: name === 'first' ? {} : { kernel: 'first/kernel', bias: 'first/bias' },
        });
      const [p, q] = [
        twin(b.input('p', [3, 3, 3]), 'first'),
        twin(b.input('q', [3, 3, 3]), 'second'),
      ];
      b.output(
        b.apply(
          'sub',
          [b.dense(b.globalAvgPool(p), { units: 2 }), b.dense(b.globalAvgPool(q), { units: 2 })],
          {},
        ),
      );
    });
    const analysis = analyse(model);
    expect(producersOf(analysis)[0]).toEqual(['first', 'second']);
    expect(analysis.groups[0]!.ties).toEqual([
      { node: 'second', kind: 'sharedWeight', between: ['first', 'second'] },
    ]);
    expectCutsEquivalent(model);
  });

  it('freezes channels of a weight that is also read in a way that cannot follow', () => {
    const model = makeModel((b) => {
      const x = conv(b, b.input('image', [3, 3, 3]), 'a', 4);
      const y = b.dense(b.globalAvgPool(x), { units: 5, name: 'fc' });
      const stored = b.apply(
        'constant',
        [],
        {},
        { name: 'stored', weights: { value: 'fc/kernel' } },
      );
      b.output(b.dense(y, { units: 2, name: 'head' }));
      b.output(b.dense(b.apply('flatten', [stored], {}), { units: 2, name: 'other' }));
    });
    const { groups } = analyse(model);
    // The constant's rows are no channels, so the inputs of the dense layer stay; its outputs can go.
    expect(groups.map(({ producers, frozen }) => [producers, frozen])).toEqual([
      [['a'], { code: 'OP_WITHOUT_RULE', by: 'stored' }],
      [['fc'], null],
      [['head'], { code: 'OUTPUT', by: 'head' }],
      [['other'], { code: 'OUTPUT', by: 'other' }],
    ]);
    expectCutsEquivalent(model);
  });

  it('leaves branches that nobody reads alone with the rest', () => {
    const model = makeModel((b) => {
      const x = conv(b, b.input('image', [3, 3, 3]), 'a', 5);
      conv(b, x, 'unused', 4);
      head(b, b.apply('dropout', [x], { rate: 0.5 }));
    });
    expectCutsEquivalent(model);
  });
});

describe('the oracle itself', () => {
  it('sees a cut that takes the wrong channels', () => {
    const model = makeModel((b) => head(b, conv(b, b.input('image', [3, 3, 3]), 'a', 6)));
    const analysis = analyse(model);
    const kept = randomChoice(analysis, createRng(3));
    const wrong = new Map(kept).set(
      0,
      Int32Array.of(...kept.get(0)!)
        .map((i) => 5 - i)
        .reverse(),
    );
    expect([...wrong.get(0)!]).not.toEqual([...kept.get(0)!]);
    expect(difference(cut(model, analysis, kept), cut(model, analysis, wrong), 1)).toBeGreaterThan(
      referenceTolerance * 1e3,
    );
  });
});
