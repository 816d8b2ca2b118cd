import { describe, expect, it } from 'vitest';
import type { GraphBuilder } from '../../../src-main/engine/graph/build';
import { createRng } from '../../../src-main/engine/graph/rng';
import { analyse } from '../../../src-main/engine/prune/groups';
import {
  difference,
  expectCutEquivalent,
  expectCutsEquivalent,
  makeModel,
  producersOf,
  randomChoice,
  referenceTolerance,
  weightOf,
} from './networks';
import { cut } from '../../../src-main/engine/prune/surgery';

type Net = (b: GraphBuilder) => void;

/** A classifier behind every net, so that the output is frozen away from what is tested. */
function head(b: GraphBuilder, x: string): void {
  b.output(b.dense(b.globalAvgPool(x), { units: 3, name: 'head' }));
}

const conv = (b: GraphBuilder, x: string, name: string, filters: number, kernelSize = 3): string =>
  b.conv2d(x, { name, filters, kernelSize });

describe('chains', () => {
  const chain: Net = (b) => {
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

describe('residual networks', () => {
  /** Two basic blocks, of which the second may change width. */
  const identity: Net = (b) => {
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
