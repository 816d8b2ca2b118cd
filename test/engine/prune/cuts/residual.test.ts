// Cuts through additions: which layers are cut together.

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

describe('residual networks', () => {
  /** Two basic blocks, of which the second may change width. */
  const identity: Parameters<typeof makeModel>[0] = (b) => {
    const block = (x: string, name: string): string => {
      let y = b.activation(b.batchNorm(conv(b, x, `${name}.conv1`, 5)), 'relu');
      y = b.batchNorm(conv(b, y, `${name}.conv2`, 8));
      return b.activation(b.add([x, y], { name: `${name}.add` }), 'relu');
    };
    let x = b.activation(b.batchNorm(conv(b, b.input('image', [5, 5, 3]), 'stem', 8)), 'relu');
    x = block(x, 'one');
    x = block(x, 'two');
    head(b, x);
  };

  it('makes the trunk one group and leaves the inner convolutions free', () => {
    const model = makeModel(identity);
    const analysis = analyse(model);
    expect(producersOf(analysis)).toEqual([
      ['stem', 'one.conv2', 'two.conv2'],
      ['one.conv1'],
      ['two.conv1'],
      ['head'],
    ]);
    expect(analysis.groups[0]!.ties).toEqual([
      { node: 'one.add', kind: 'op', between: ['stem', 'one.conv2'] },
      { node: 'two.add', kind: 'op', between: ['stem', 'two.conv2'] },
    ]);
    expectCutsEquivalent(model);
  });

  it('ties a projection shortcut to the trunk of its stage', () => {
    const model = makeModel((b) => {
      const x = conv(b, b.input('image', [6, 6, 3]), 'stem', 4);
      let y = b.activation(
        b.conv2d(x, { name: 'inner', filters: 6, kernelSize: 3, strides: 2 }),
        'relu',
      );
      y = conv(b, y, 'outer', 7);
      const shortcut = b.conv2d(x, { name: 'projection', filters: 7, kernelSize: 1, strides: 2 });
      head(b, b.add([y, shortcut]));
    });
    expect(producersOf(analyse(model))).toEqual([
      ['stem'],
      ['inner'],
      ['outer', 'projection'],
      ['head'],
    ]);
    expectCutsEquivalent(model);
  });

  it('shifts indices through a zero-padded shortcut (option A)', () => {
    const model = makeModel((b) => {
      const x = conv(b, b.input('image', [6, 6, 3]), 'stem', 4);
      const strided = b.apply('slice', [x], {
        begin: [0, 0, 0],
        end: [6, 6, 4],
        strides: [2, 2, 1],
      });
      const paddings = [
        [0, 0],
        [0, 0],
        [2, 3],
      ] as const;
      const shortcut = b.apply('pad', [strided], { paddings, mode: 'constant', value: 0 });
      let y = b.activation(
        b.conv2d(x, { name: 'inner', filters: 5, kernelSize: 3, strides: 2 }),
        'relu',
      );
      y = conv(b, y, 'outer', 9);
      head(b, b.activation(b.add([shortcut, y]), 'relu'));
    });
    const analysis = analyse(model);
    expect(producersOf(analysis)).toEqual([['stem', 'outer'], ['inner'], ['head']]);
    // Channels 0 to 3 are the stem's, and 2 to 5 of the outer convolution; then come its 0, 1, 6, 7, 8.
    expect(analysis.groups[0]!.channels).toBe(9);
    const result = expectCutEquivalent(
      model,
      analysis,
      new Map([[0, Int32Array.of(0, 2, 3, 5, 8)]]),
    );
    expect(weightOf(result, 'stem/bias').shape).toEqual([3]);
    expect([...weightOf(result, 'outer/bias').data]).toEqual(
      [1, 2, 4, 5, 8].map((i) => weightOf(model, 'outer/bias').data[i]),
    );
    expectCutsEquivalent(model, { rounds: 6 });
  });

  it('freezes what is added to the model input and says through which layer', () => {
    const model = makeModel((b) => {
      const x = b.input('image', [4, 4, 3]);
      head(b, b.add([x, conv(b, conv(b, x, 'inner', 5), 'outer', 3)], { name: 'sum' }));
    });
    const { groups } = analyse(model);
    expect(groups.map(({ producers, frozen }) => [producers, frozen])).toEqual([
      [['inner'], null],
      [['outer'], { code: 'INPUT', by: 'sum' }],
      [['head'], { code: 'OUTPUT', by: 'head' }],
    ]);
    expectCutsEquivalent(model);
  });

  it('is unmoved by add(x, x)', () => {
    const model = makeModel((b) => {
      const x = conv(b, b.input('image', [4, 4, 3]), 'a', 6);
      head(b, b.add([x, x]));
    });
    expect(producersOf(analyse(model))).toEqual([['a'], ['head']]);
    expectCutsEquivalent(model);
  });

  it('keeps a pre-activation trunk together through its batch norms', () => {
    const model = makeModel((b) => {
      let x = conv(b, b.input('image', [5, 5, 3]), 'stem', 6);
      for (const name of ['one', 'two']) {
        let y = b.activation(b.batchNorm(x, { name: `${name}.bn` }), 'relu');
        y = b.activation(b.batchNorm(conv(b, y, `${name}.a`, 4)), 'relu');
        x = b.add([x, conv(b, y, `${name}.b`, 6)]);
      }
      head(b, b.activation(b.batchNorm(x), 'relu'));
    });
    expect(producersOf(analyse(model))).toEqual([
      ['stem', 'one.b', 'two.b'],
      ['one.a'],
      ['two.a'],
      ['head'],
    ]);
    expectCutsEquivalent(model);
  });
});
