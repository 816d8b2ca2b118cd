// Channel selection: batch norms before the convolutions of a block pick their own channels of the trunk they read.

import { describe, expect, it } from 'vitest';
import type { GraphBuilder } from '../../../src-main/engine/graph/build';
import { graphCost } from '../../../src-main/engine/graph/cost';
import { createRng } from '../../../src-main/engine/graph/rng';
import type { Graph, Model, NodeOf } from '../../../src-main/engine/graph/types';
import { validateGraph } from '../../../src-main/engine/graph/validate';
import { silentContext } from '../../../src-main/engine/context';
import {
  analyse,
  checkEquivalence,
  collectStatistics,
  explainLayers,
  prune,
} from '../../../src-main/engine/prune';
import { defaultPruneOptions } from '../../../src-main/engine/prune/options';
import type { Structure } from '../../../src-main/engine/prune/trunk';
import type { PruneOptions } from '../../../src-main/engine/prune/types';
import { loadBackend } from '../../../src-main/engine/runtime/backend';
import { buildZoo } from '../../../src-main/engine/zoo';
import { toyDataset } from '../train/toy';
import { runReference } from '../reference';
import {
  difference,
  expectCutEquivalent,
  expectCutsEquivalent,
  makeModel,
  producersOf,
  randomChoice,
  randomised,
  referenceTolerance,
  weightOf,
} from './networks';

const select: Structure = { trunk: 'select', grouped: 'slots' };

const conv = (b: GraphBuilder, x: string, name: string, filters: number): string =>
  b.conv2d(x, { name, filters, kernelSize: 3 });

function preConv(b: GraphBuilder, x: string, name: string, filters: number): string {
  return conv(b, b.activation(b.batchNorm(x, { name: `${name}.bn` }), 'relu'), name, filters);
}

/** Two pre-activation blocks on a trunk of six channels, a last batch norm and a classifier. */
function preResNet(): Model {
  return makeModel((b) => {
    let x = conv(b, b.input('image', [5, 5, 3]), 'stem', 6);
    for (const name of ['one', 'two']) {
      const y = preConv(b, preConv(b, x, `${name}.a`, 4), `${name}.b`, 6);
      x = b.add([x, y], { name: `${name}.add` });
    }
    x = b.activation(b.batchNorm(x, { name: 'last' }), 'relu');
    b.output(b.dense(b.globalAvgPool(x), { units: 3, name: 'head' }));
  });
}

function gathers({ graph }: Model): NodeOf<'gather'>[] {
  return graph.nodes.filter((node) => node.op === 'gather');
}

const names = ({ graph }: Model): string[] => graph.nodes.map(({ name }) => name);

describe('selection in a pre-activation residual network', () => {
  it('gives each batch norm on the trunk a group of its own and freezes the trunk', () => {
    const model = preResNet();
    const analysis = analyse(model, select);
    expect([...analysis.flow.selecting]).toEqual(['one.a.bn', 'two.a.bn', 'last']);
    expect(producersOf(analysis)).toEqual([
      ['stem', 'one.b', 'two.b'],
      ['one.a.bn'],
      ['one.a'],
      ['two.a.bn'],
      ['two.a'],
      ['last'],
      ['head'],
    ]);
    expect(analysis.groups.map(({ channels, free }) => [channels, free])).toEqual([
      [6, 0],
      [6, 6],
      [4, 4],
      [6, 6],
      [4, 4],
      [6, 6],
      [3, 0],
    ]);
    expect(analysis.groups[0]!.frozen).toEqual({ code: 'TRUNK', by: 'one.a.bn' });
  });

  it('puts a gather before a batch norm, and slices what reads it', () => {
    const model = preResNet();
    const analysis = analyse(model, select);
    const slim = expectCutEquivalent(
      model,
      analysis,
      new Map([
        [1, Int32Array.of(1, 4, 5)],
        [5, Int32Array.of(0, 2)],
      ]),
    );
    expect(gathers(slim).map(({ name, inputs, attrs }) => [name, inputs, attrs.indices])).toEqual([
      ['one.a.bn.select', ['stem'], [1, 4, 5]],
      ['last.select', ['two.add'], [0, 2]],
    ]);
    expect(slim.graph.nodes.find(({ name }) => name === 'one.a.bn')!.inputs).toEqual([
      'one.a.bn.select',
    ]);
    expect(weightOf(slim, 'one.a.bn/gamma').shape).toEqual([3]);
    expect(weightOf(slim, 'one.a/kernel').shape).toEqual([3, 3, 3, 4]);
    expect(weightOf(slim, 'two.a/kernel').shape).toEqual([3, 3, 6, 4]);
    expect(weightOf(slim, 'head/kernel').shape).toEqual([2, 3]);
    expect(weightOf(slim, 'stem/kernel').shape).toEqual([3, 3, 3, 6]);
  });

  it('computes what the masked original computes, in one cut and in two', () => {
    const model = preResNet();
    const rng = createRng(5);
    for (let round = 0; round < 8; round++) {
      const analysis = analyse(model, select);
      const once = expectCutEquivalent(model, analysis, randomChoice(analysis, rng));
      const again = analyse(once, select);
      const twice = expectCutEquivalent(once, again, randomChoice(again, rng));
      expect(gathers(twice).length).toBeLessThanOrEqual(3);
      validateGraph(twice.graph);
    }
  });

  it('becomes one gather when cut twice, with indices into the trunk', () => {
    const model = preResNet();
    const once = expectCutEquivalent(
      model,
      analyse(model, select),
      new Map([[1, Int32Array.of(1, 3, 4, 5)]]),
    );
    const twice = expectCutEquivalent(
      once,
      analyse(once, select),
      new Map([[1, Int32Array.of(0, 2)]]),
    );
    expect(gathers(twice).map(({ name, attrs }) => [name, attrs.indices])).toEqual([
      ['one.a.bn.select', [1, 4]],
    ]);
    expect(names(twice)).toEqual(names(once));
    expect(twice.graph.nodes.find(({ name }) => name === 'one.a.bn')!.origin).toEqual([1, 4]);
  });

  it('leaves a model that may be cut as one group again', () => {
    const model = preResNet();
    const analysis = analyse(model, select);
    const slim = expectCutEquivalent(model, analysis, randomChoice(analysis, createRng(2)));
    expect(gathers(slim).length).toBeGreaterThan(0);
    expectCutsEquivalent(slim, { rounds: 5 });
  });

  it('adds nothing when all channels stay', () => {
    const model = preResNet();
    const slim = expectCutEquivalent(model, analyse(model, select), new Map());
    expect(slim.graph.nodes).toEqual(model.graph.nodes);
  });
});

describe('selection elsewhere', () => {
  it('takes a concatenation for a trunk, and its last batch norm with it', () => {
    const model = makeModel((b) => {
      let x = conv(b, b.input('image', [4, 4, 3]), 'stem', 4);
      for (const name of ['one', 'two'])
        x = b.concat([x, preConv(b, x, name, 3)], { name: `${name}.cat` });
      const last = b.activation(b.batchNorm(x, { name: 'last' }), 'relu');
      b.output(b.dense(b.globalAvgPool(last), { units: 2, name: 'head' }));
    });
    const analysis = analyse(model, select);
    expect([...analysis.flow.selecting]).toEqual(['one.bn', 'two.bn', 'last']);
    expect(analysis.groups.map(({ channels, free }) => [channels, free])).toEqual([
      [4, 0],
      [4, 4],
      [3, 0],
      [7, 7],
      [3, 0],
      [10, 10],
      [2, 0],
    ]);
    const rng = createRng(4);
    for (let i = 0; i < 6; i++) expectCutEquivalent(model, analysis, randomChoice(analysis, rng));
  });

  it('leaves batch norms behind convolutions alone, also where they end a branch on the trunk', () => {
    const model = makeModel((b) => {
      let x = b.batchNorm(conv(b, b.input('image', [4, 4, 3]), 'stem', 5), { name: 'stem.bn' });
      const y = preConv(b, preConv(b, x, 'a', 4), 'b', 5);
      x = b.add([x, b.batchNorm(y, { name: 'end' })]);
      b.output(b.dense(b.globalAvgPool(b.activation(x, 'relu')), { units: 2, name: 'head' }));
    });
    expect([...analyse(model, select).flow.selecting]).toEqual(['a.bn']);
  });

  it('changes nothing in a network without a trunk that batch norms read', () => {
    for (const id of ['vgg16-cifar', 'resnet20-cifar', 'mobilenetv2-cifar']) {
      const model = buildZoo(id, { seed: 1 });
      expect(analyse(model, select).groups).toEqual(analyse(model).groups);
    }
  });
});

describe('plans with selection', () => {
  const half: PruneOptions = { ...defaultPruneOptions, trunk: 'select', target: { ratio: 0.5 } };

  it.each(['l1', 'l2', 'fpgm', 'lamp', 'bn', 'random'] as const)(
    'rank selected channels by %s',
    (criterion) => {
      const model = preResNet();
      const { model: slim, plan } = prune(model, { ...half, criterion, scope: 'layer' });
      expect(gathers(slim)).toHaveLength(3);
      for (const { attrs } of gathers(slim)) expect(attrs.indices).toHaveLength(3);
      const report = plan.layers.find(({ name }) => name === 'one.a.bn')!;
      expect(report).toMatchObject({ op: 'batchNorm', code: 'CUT', from: 6, to: 3 });
      expect(report.reason).toBe('Selects 3 of the 6 channels of the trunk.');
      expect(plan.layers.find(({ name }) => name === 'stem')).toMatchObject({
        code: 'TRUNK',
        cause: 'one.a.bn',
      });
    },
  );

  it('score a selected channel by the slice of the kernel that reads it', () => {
    const model = preResNet();
    const { data, shape } = weightOf(model, 'one.a/kernel');
    const sums = Array.from({ length: 6 }, (_, input) => {
      let sum = 0;
      for (let place = 0; place < 9; place++) {
        for (let filter = 0; filter < shape[3]!; filter++) {
          sum += Math.abs(data[(place * 6 + input) * 4 + filter]!);
        }
      }
      return sum;
    });
    const best = [...sums.keys()].sort((a, b) => sums[b]! - sums[a]!).slice(0, 3);
    const { model: slim } = prune(model, { ...half, scope: 'layer' });
    expect(gathers(slim)[0]!.attrs.indices).toEqual(best.sort((a, b) => a - b));
  });

  it('score it by its gamma for bn', () => {
    const model = preResNet();
    const gamma = Array.from(weightOf(model, 'last/gamma').data, Math.abs);
    const best = [...gamma.keys()].sort((a, b) => gamma[b]! - gamma[a]!).slice(0, 3);
    const { model: slim } = prune(model, { ...half, criterion: 'bn', scope: 'layer' });
    expect(gathers(slim)[2]!.attrs.indices).toEqual(best.sort((a, b) => a - b));
  });

  it('hold alignment and take a batch norm in the table', () => {
    const table = { 'one.a.bn': 2, 'two.a.bn': 0.5, last: 0 };
    const { model: slim } = prune(preResNet(), { ...half, target: {}, table });
    expect(gathers(slim).map(({ attrs }) => attrs.indices.length)).toEqual([2, 3]);
    const aligned = prune(preResNet(), { ...half, align: 4, scope: 'layer' });
    expect(gathers(aligned.model).map(({ attrs }) => attrs.indices.length)).toEqual([4, 4, 4]);
  });

  it('refuse an analysis of the other choice', () => {
    const model = preResNet();
    expect(() => prune(model, half, analyse(model))).toThrowError(/other choices/);
    expect(() => prune(model, { ...half, trunk: 'group' }, analyse(model, select))).toThrowError(
      /other choices/,
    );
  });

  it('are explained before a cut', () => {
    const model = preResNet();
    const reports = explainLayers(model, analyse(model, select));
    expect(reports.map(({ name, code }) => [name, code])).toEqual([
      ['stem', 'TRUNK'],
      ['one.a.bn', 'PRUNABLE'],
      ['one.a', 'PRUNABLE'],
      ['one.b', 'TRUNK'],
      ['two.a.bn', 'PRUNABLE'],
      ['two.a', 'PRUNABLE'],
      ['two.b', 'TRUNK'],
      ['last', 'PRUNABLE'],
      ['head', 'OUTPUT'],
    ]);
  });
});

describe('selected channels on data', () => {
  const preprocessing = { scale: 1 / 255, mean: [0.4], std: [0.3], channelOrder: 'rgb' } as const;
  const model: Model = {
    ...makeModel((b) => {
      let x = b.conv2d(b.input('image', [8, 8, 3]), { name: 'stem', filters: 5, kernelSize: 3 });
      x = b.add([x, preConv(b, preConv(b, x, 'a', 3), 'b', 5)]);
      const last = b.activation(b.batchNorm(x, { name: 'last' }), 'relu');
      b.output(b.dense(b.globalAvgPool(last), { name: 'head', units: 4 }));
    }),
    preprocessing,
    outputKind: 'logits',
  };
  const split = toyDataset({ train: 12, val: 0, test: 0 }).split('train');
  const collect = (criterion: 'taylor' | 'activation'): ReturnType<typeof collectStatistics> =>
    collectStatistics(model, analyse(model, select), split, { criterion, seed: 3 }, silentContext);

  /** Mean cross-entropy over all images, in plain loops. */
  function loss(graph: Graph): number {
    const pixels = new Uint8Array(8 * 8 * 3);
    let sum = 0;
    for (let i = 0; i < split.count; i++) {
      split.read(Int32Array.of(i), pixels);
      const data = Float64Array.from(pixels, (value) => (value / 255 - 0.4) / 0.3);
      const logits = [...runReference(graph, [data])[0]!.data];
      const total = logits.reduce((part, logit) => part + Math.exp(logit), 0);
      sum += Math.log(total) - logits[split.labels[i]!]!;
    }
    return sum / split.count;
  }

  it('are scored for taylor by the gate that gamma and beta are', async () => {
    const scores = (await collect('taylor')).get('last')!;
    const lossAt = (channel: number, factor: number): number => {
      const weights = new Map(model.graph.weights);
      for (const id of ['last/gamma', 'last/beta']) {
        const stored = weightOf(model, id);
        const data = Float32Array.from(stored.data);
        data[channel]! *= factor;
        weights.set(id, { ...stored, data });
      }
      return loss({ ...model.graph, weights });
    };
    // With z the factor of a channel: (L(z = 1 + h) - L(z = 1 - h)) / 2h tends to dL/dz.
    const h = 1e-3;
    for (let channel = 0; channel < 5; channel++) {
      const slope = (lossAt(channel, 1 + h) - lossAt(channel, 1 - h)) / (2 * h);
      expect(Math.sqrt(scores[channel]!)).toBeCloseTo(Math.abs(slope), 4);
    }
  });

  it('are cut by what they do behind their own batch norm', async () => {
    const statistics = await collect('activation');
    const scores = statistics.get('last')!;
    const options: PruneOptions = {
      ...defaultPruneOptions,
      criterion: 'activation',
      trunk: 'select',
      scope: 'layer',
      target: { ratio: 0.4 },
    };
    const { model: slim } = prune(model, options, undefined, statistics);
    const best = [...Array(5).keys()].sort((a, b) => scores[b]! - scores[a]!).slice(0, 3);
    expect(gathers(slim)[1]!.attrs.indices).toEqual(best.sort((a, b) => a - b));
  });
});

describe('published networks with selection', () => {
  it.each([
    ['preresnet164-cifar', 54 * 3 + 1],
    ['densenet40-cifar', 39],
  ])('%s is cut by the gammas of all its batch norms', async (id, norms) => {
    const zoo = buildZoo(id, { seed: 1 });
    const model = { ...zoo, graph: randomised(zoo.graph, createRng(2)) };
    const options: PruneOptions = {
      ...defaultPruneOptions,
      criterion: 'bn',
      trunk: 'select',
      target: { ratio: 0.4 },
      maxRatio: 1,
    };
    const analysis = analyse(model, select);
    // Network Slimming ranks every gamma of the network in one list: all of its batch norms have a group.
    expect(analysis.groups.filter(({ free }) => free > 0)).toHaveLength(norms);
    const { model: slim, plan } = prune(model, options, analysis);
    const gammas = model.graph.nodes
      .filter(({ op }) => op === 'batchNorm')
      .flatMap((node) => Array.from(weightOf(model, node.weights.gamma!).data, Math.abs))
      .sort((a, b) => a - b);
    const left = slim.graph.nodes
      .filter(({ op }) => op === 'batchNorm')
      .flatMap((node) => Array.from(weightOf(slim, node.weights.gamma!).data, Math.abs));
    // The published threshold: the gamma at 40 % of the sorted list; layers keep at least one channel.
    const cutGammas = Math.floor(gammas.length * 0.4);
    expect(left.length).toBeGreaterThanOrEqual(gammas.length - cutGammas);
    expect(left.length).toBeLessThan(gammas.length - cutGammas + 10);
    expect(Math.min(...left)).toBeGreaterThanOrEqual(gammas[cutGammas - 10]!);
    const { params, macs } = graphCost(slim.graph);
    expect(plan.after).toMatchObject({ params, macs });
    expect(plan.after.macs).toBeLessThan(0.75 * plan.before.macs);
    const backend = await loadBackend();
    const verdict = await checkEquivalence(model, slim, analysis, plan.kept, {
      samples: 1,
      seed: 3,
      backend,
    });
    expect(verdict.passed).toBe(true);
  });

  it('differ from the masked original when a gather is wrong', () => {
    const model = preResNet();
    const analysis = analyse(model, select);
    const slim = expectCutEquivalent(model, analysis, new Map([[1, Int32Array.of(1, 4, 5)]]));
    const nodes = slim.graph.nodes.map((node) =>
      node.op === 'gather' ? { ...node, attrs: { indices: [5, 4, 1] } } : node,
    );
    const bent = { ...slim, graph: { ...slim.graph, nodes } };
    expect(difference(slim, bent, 1)).toBeGreaterThan(referenceTolerance * 1e3);
  });
});
