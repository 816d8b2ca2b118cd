import { describe, expect, it } from 'vitest';
import type { GraphBuilder } from '../../../src-main/engine/graph/build';
import { graphCost, nodeCosts } from '../../../src-main/engine/graph/cost';
import { createRng } from '../../../src-main/engine/graph/rng';
import type { Model } from '../../../src-main/engine/graph/types';
import { analyse } from '../../../src-main/engine/prune/groups';
import { defaultPruneOptions } from '../../../src-main/engine/prune/options';
import { explainLayers, planPrune, prune } from '../../../src-main/engine/prune/plan';
import { cut } from '../../../src-main/engine/prune/surgery';
import type {
  LayerReport,
  PruneOptions,
  PrunePlan,
  PruneTarget,
  Scope,
} from '../../../src-main/engine/prune/types';
import { makeModel, weightOf } from './networks';

const open: PruneOptions = { ...defaultPruneOptions, maxRatio: 1, target: {} };

/** Stem, two residual blocks with grouped and depthwise parts, a concat and a classifier. */
function mixed(b: GraphBuilder): void {
  const conv = (x: string, name: string, filters: number, kernelSize = 3): string =>
    b.activation(b.batchNorm(b.conv2d(x, { name, filters, kernelSize })), 'relu');
  const stem = conv(b.input('image', [8, 8, 3]), 'stem', 24);
  const wide = conv(stem, 'wide', 32, 1);
  const grouped = b.conv2d(wide, { name: 'grouped', filters: 32, kernelSize: 3, groups: 4 });
  const back = b.conv2d(b.activation(grouped, 'relu'), {
    name: 'back',
    filters: 24,
    kernelSize: 1,
  });
  const trunk = b.add([stem, back]);
  const deep = b.depthwiseConv2d(conv(trunk, 'expand', 40, 1), { name: 'dw', kernelSize: 3 });
  const branch = conv(deep, 'branch', 18, 1);
  const pooled = b.maxPool2d(b.concat([trunk, branch]), { poolSize: 2 });
  b.output(b.dense(b.flatten(conv(pooled, 'last', 20)), { name: 'head', units: 5 }));
}

/** A trunk that grows from 16 to 24 channels by zero padding, and a branch of 12 that is added to a part of it. */
function padded(b: GraphBuilder): void {
  const conv = (x: string, name: string, filters: number): string =>
    b.conv2d(x, { name, filters, kernelSize: 3 });
  const stem = conv(b.input('image', [4, 4, 3]), 'stem', 16);
  const narrow = b.add([stem, conv(b.activation(conv(stem, 'inner', 20), 'relu'), 'back', 16)]);
  const paddings = [
    [0, 0],
    [0, 0],
    [4, 4],
  ] as const;
  const skip = b.apply('pad', [narrow], { paddings, mode: 'constant', value: 0 });
  const wide = b.add([skip, conv(narrow, 'wide', 24)]);
  const [low, high] = b.applyAll('split', [wide], { axis: -1, sizes: [12, 12] });
  const joined = b.concat([b.add([low!, conv(wide, 'half', 12)]), high!]);
  b.output(b.dense(b.globalAvgPool(joined), { name: 'head', units: 3 }));
}

/** Two plain layers of 10 and 6 channels, with given L1 norms. */
function twoLayers(first: number[], second: number[]): Model {
  const model = makeModel((b) => {
    const x = b.conv2d(b.input('x', [2, 2, 1]), {
      name: 'a',
      filters: first.length,
      kernelSize: 1,
      bias: false,
    });
    const y = b.conv2d(x, { name: 'b', filters: second.length, kernelSize: 1, bias: false });
    b.output(b.dense(b.globalAvgPool(y), { name: 'head', units: 2 }));
  });
  weightOf(model, 'a/kernel').data.set(first);
  const kernel = weightOf(model, 'b/kernel').data;
  for (let i = 0; i < kernel.length; i++) {
    kernel[i] = second[i % second.length]! / first.length;
  }
  return model;
}

function report(plan: { readonly layers: readonly LayerReport[] }, name: string): LayerReport {
  return plan.layers.find((layer) => layer.name === name)!;
}

function keptOf(plan: PrunePlan, group: number): number[] {
  return [...plan.kept.get(group)!];
}

const failsWith = (code: string, text: string): object =>
  expect.objectContaining({ code, message: expect.stringContaining(text) as string }) as object;

describe('ratio', () => {
  const model = twoLayers([5, 1, 4, 2, 3, 6, 7, 8, 9, 10], [3, 1, 2, 4, 5, 6]);

  it('takes the least important channels of each layer', () => {
    const plan = planPrune(model, { ...open, scope: 'layer', target: { ratio: 0.3 } });
    expect(keptOf(plan, 0)).toEqual([0, 2, 5, 6, 7, 8, 9]);
    // 0.3 of 6 is 1.8: one channel goes, as two would be more than asked.
    expect(keptOf(plan, 1)).toEqual([0, 2, 3, 4, 5]);
  });

  it('counts shares exactly where floating point products do not', () => {
    const wide = twoLayers(
      Array.from({ length: 100 }, (_, i) => i + 1),
      [1, 2],
    );
    const plan = planPrune(wide, { ...open, scope: 'layer', target: { ratio: 0.29 } });
    expect(report(plan, 'a').to).toBe(71);
  });

  it('ranks all channels in one list for the global scope', () => {
    const plan = planPrune(model, {
      ...open,
      normalisation: 'none',
      target: { ratio: 0.25 },
    });
    // Four of sixteen, with norms 1, 1, 2, 2.
    expect(keptOf(plan, 0)).toEqual([0, 2, 4, 5, 6, 7, 8, 9]);
    expect(keptOf(plan, 1)).toEqual([0, 3, 4, 5]);
  });

  it('breaks ties by layer, then by index, and never cuts more than asked', () => {
    const level = twoLayers(new Array<number>(10).fill(1), new Array<number>(6).fill(1));
    const plan = planPrune(level, { ...open, normalisation: 'none', target: { ratio: 0.25 } });
    expect(keptOf(plan, 0)).toEqual([4, 5, 6, 7, 8, 9]);
    expect(keptOf(plan, 1)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('keeps one channel of each layer when all should go', () => {
    const plan = planPrune(model, { ...open, scope: 'layer', target: { ratio: 1 } });
    expect(keptOf(plan, 0)).toEqual([9]);
    expect(keptOf(plan, 1)).toEqual([5]);
  });

  it('takes the same share of every layer of a cascade that is tied together', () => {
    const cascade = makeModel((b) => {
      const x = b.input('image', [3, 3, 3]);
      const conv = (name: string, filters: number): string =>
        b.conv2d(x, { name, filters, kernelSize: 1 });
      const all = b.concat([b.concat([conv('a', 10), conv('b', 20)]), conv('c', 30)]);
      const sum = b.add([all, conv('d', 60)]);
      b.output(b.dense(b.globalAvgPool(sum), { units: 2, name: 'head' }));
    });
    const plan = planPrune(cascade, { ...open, scope: 'layer', target: { ratio: 0.5 } });
    expect(plan.layers.map(({ to }) => to)).toEqual([5, 10, 15, 30, 2]);
  });

  it('holds limits in the narrower layers of a padded trunk as well', () => {
    const padded = makeModel((b) => {
      const x = b.conv2d(b.input('x', [2, 2, 1]), { name: 'narrow', filters: 4, kernelSize: 1 });
      const paddings = [
        [0, 0],
        [0, 0],
        [0, 4],
      ] as const;
      const skip = b.apply('pad', [x], { paddings, mode: 'constant', value: 0 });
      const y = b.conv2d(x, { name: 'wide', filters: 8, kernelSize: 1 });
      b.output(b.dense(b.globalAvgPool(b.add([skip, y])), { units: 2, name: 'head' }));
    });
    // The four channels of the narrow layer are the least important by far.
    weightOf(padded, 'narrow/kernel').data.fill(0);
    const wide = weightOf(padded, 'wide/kernel').data;
    wide.forEach((_, i) => (wide[i] = i % 8 < 4 ? 0 : 1));
    const to = (options: Partial<PruneOptions>): number[] =>
      planPrune(padded, { ...open, target: { ratio: 0.5 }, ...options }).layers.map((l) => l.to);
    expect(to({ scope: 'layer' })).toEqual([2, 4, 2]);
    expect(to({ scope: 'global' })).toEqual([1, 4, 2]);
    expect(to({ scope: 'global', minChannels: 3 })).toEqual([3, 4, 2]);
    expect(to({ scope: 'global', maxRatio: 0.5 })).toEqual([2, 4, 2]);
  });

  it('cuts nothing at 0', () => {
    const { model: same, plan } = prune(model, { ...open, target: { ratio: 0 } });
    expect(same.graph.weights).toEqual(model.graph.weights);
    expect(plan.after).toEqual(plan.before);
  });
});

describe('Network Slimming', () => {
  /** Gammas of two batch norms. */
  function slimmable(first: number[], second: number[]): Model {
    const model = makeModel((b) => {
      let x = b.conv2d(b.input('x', [2, 2, 1]), { name: 'a', filters: 6, kernelSize: 1 });
      x = b.batchNorm(x, { name: 'a_bn' });
      x = b.batchNorm(b.conv2d(x, { name: 'b', filters: 4, kernelSize: 1 }), { name: 'b_bn' });
      x = b.conv2d(x, { name: 'c', filters: 3, kernelSize: 1 });
      b.output(b.dense(b.globalAvgPool(x), { name: 'head', units: 2 }));
    });
    weightOf(model, 'a_bn/gamma').data.set(first);
    weightOf(model, 'b_bn/gamma').data.set(second);
    return model;
  }

  const slimming: PruneOptions = { ...open, criterion: 'bn', target: { ratio: 0.5 } };

  it('keeps every gamma above the global percentile, whatever its sign', () => {
    const plan = planPrune(
      slimmable([0.1, -0.9, 0.2, 0.3, -0.05, 0.8], [0.7, 0.6, -0.01, 0.5]),
      slimming,
    );
    expect(keptOf(plan, 0)).toEqual([1, 5]);
    expect(keptOf(plan, 1)).toEqual([0, 1, 3]);
  });

  it('cuts ties at the threshold by index up to what was asked', () => {
    const plan = planPrune(slimmable([0, 0, 0, 0, 0, 0], [0, 0, 1, 1]), slimming);
    // Five of ten, but a layer keeps one channel.
    expect(keptOf(plan, 0)).toEqual([5]);
    expect(keptOf(plan, 1)).toEqual([0, 1, 2, 3]);
  });

  it('leaves layers without batch norm alone and says so', () => {
    const plan = planPrune(slimmable([1, 2, 3, 4, 5, 6], [1, 2, 3, 4]), slimming);
    expect(report(plan, 'c')).toMatchObject({ from: 3, to: 3, code: 'NO_SCORE' });
  });
});

describe('limits', () => {
  const model = twoLayers([5, 1, 4, 2, 3, 6, 7, 8, 9, 10], [3, 1, 2, 4, 5, 6]);
  const layer = (options: Partial<PruneOptions>): PrunePlan =>
    planPrune(model, { ...open, scope: 'layer', target: { ratio: 0.5 }, ...options });

  it('keeps a multiple, or the whole layer', () => {
    const plan = layer({ align: 4 });
    // Five of ten would stay: rounded up to eight. Three of six: rounded up to four.
    expect([report(plan, 'a').to, report(plan, 'b').to]).toEqual([8, 4]);
    const wide = layer({ align: 16 });
    expect(report(wide, 'a')).toMatchObject({ to: 10, code: 'ALIGNMENT' });
  });

  it('keeps a minimum', () => {
    const plan = layer({ minChannels: 6 });
    expect(report(plan, 'a').to).toBe(6);
    expect(report(plan, 'b')).toMatchObject({ to: 6, code: 'MIN_CHANNELS' });
  });

  it('cuts at most a share of a layer', () => {
    const plan = layer({ maxRatio: 0.2 });
    expect([report(plan, 'a').to, report(plan, 'b').to]).toEqual([8, 5]);
    expect(report(layer({ maxRatio: 0.1 }), 'b').code).toBe('MAX_RATIO');
  });

  it('spares protected layers and what moves with them', () => {
    const residual = makeModel((b) => {
      const x = b.conv2d(b.input('x', [2, 2, 1]), { name: 'a', filters: 4, kernelSize: 1 });
      const y = b.conv2d(x, { name: 'b', filters: 4, kernelSize: 1 });
      const z = b.conv2d(b.add([x, y]), { name: 'c', filters: 4, kernelSize: 1 });
      b.output(b.dense(b.globalAvgPool(z), { name: 'head', units: 2 }));
    });
    const plan = planPrune(residual, {
      ...open,
      scope: 'layer',
      target: { ratio: 0.5 },
      protect: ['b'],
    });
    expect(report(plan, 'b')).toMatchObject({ to: 4, code: 'PROTECTED', cause: null });
    expect(report(plan, 'a')).toMatchObject({ to: 4, code: 'PROTECTED', cause: 'b' });
    expect(report(plan, 'c').to).toBe(2);
  });

  it('knows protected layers by name and suggests the nearest', () => {
    expect(() => layer({ protect: ['head', 'hed'] })).toThrow(
      expect.objectContaining({
        code: 'NOT_FOUND',
        hint: expect.stringContaining('"head"') as string,
      }),
    );
  });

  it('aligns the width of grouped layers, not the number of slots', () => {
    const grouped = makeModel((b) => {
      const x = b.conv2d(b.input('x', [2, 2, 1]), { name: 'a', filters: 32, kernelSize: 1 });
      const y = b.conv2d(x, { name: 'g', filters: 32, kernelSize: 1, groups: 8 });
      b.output(b.dense(b.globalAvgPool(y), { name: 'head', units: 2 }));
    });
    const plan = planPrune(grouped, {
      ...open,
      scope: 'layer',
      align: 16,
      minChannels: 16,
      target: { ratio: 0.5 },
    });
    expect([report(plan, 'a').to, report(plan, 'g').to]).toEqual([16, 16]);
    const few = planPrune(grouped, {
      ...open,
      scope: 'layer',
      minChannels: 17,
      target: { ratio: 0.9 },
    });
    expect(report(few, 'a').to).toBe(24);
  });
});

describe('budgets', () => {
  const model = makeModel(mixed);
  const analysis = analyse(model);

  it.each<[PruneTarget, Scope]>([
    [{ macs: 0.5 }, 'global'],
    [{ macs: 0.31 }, 'layer'],
    [{ params: 0.4 }, 'global'],
    [{ params: 0.77 }, 'layer'],
    [{ bytes: 20_000 }, 'global'],
    [{ macs: 0.6, params: 0.4, bytes: 60_000 }, 'layer'],
    [{ ratio: 0.2, macs: 0.9 }, 'global'],
  ])('%o in scope %s are held, and one step less would not do', (target, scope) => {
    const { model: slim, plan } = prune(model, { ...open, target, scope }, analysis);
    const within = (cost: { macs: number; params: number; weightBytes: number }): boolean =>
      (target.macs === undefined || cost.macs <= target.macs * plan.before.macs) &&
      (target.params === undefined || cost.params <= target.params * plan.before.params) &&
      (target.bytes === undefined || cost.weightBytes <= target.bytes);
    expect(plan.after).toEqual(graphCost(slim.graph));
    expect(within(plan.after)).toBe(true);
    if ('ratio' in target) return;
    // Giving one more channel back to some group must break a budget: the last step was needed.
    const oneBack = analysis.channels.some(({ id, count }) => {
      const kept = plan.kept.get(id)!;
      if (kept.length === count) return false;
      const missing = Array.from({ length: count }, (_, i) => i).filter((i) => !kept.includes(i));
      return missing.some((channel) => {
        const more = new Map(plan.kept).set(id, Int32Array.from([...kept, channel]).sort());
        return !within(graphCost(cut(model, analysis, more).graph));
      });
    });
    expect(oneBack).toBe(true);
  });

  it('takes the strictest of several targets', () => {
    const after = (target: PruneOptions['target']): number =>
      planPrune(model, { ...open, target }, analysis).after.macs;
    expect(after({ ratio: 0.5, macs: 0.9 })).toBe(after({ ratio: 0.5 }));
    expect(after({ ratio: 0.01, macs: 0.4 })).toBe(after({ macs: 0.4 }));
  });

  it('cuts nothing when the budget holds already', () => {
    const plan = planPrune(model, { ...open, target: { bytes: 1e9, macs: 1 } }, analysis);
    expect(plan.after).toEqual(plan.before);
  });

  it('says how far one can go and what stands in the way', () => {
    const options = { ...open, target: { macs: 0.01 }, protect: ['expand'], minChannels: 8 };
    expect(() => planPrune(model, options, analysis)).toThrow(
      failsWith('PRUNE_TARGET_UNREACHABLE', '"expand" (Protected)'),
    );
    let reachable = 0;
    try {
      planPrune(model, options, analysis);
    } catch (error) {
      reachable = (error as { details: { reachable: number } }).details.reachable;
    }
    const share = reachable / analysis.cost.macs;
    const plan = planPrune(model, { ...options, target: { macs: share } }, analysis);
    expect(plan.after.macs).toBe(reachable);
  });
});

describe('table', () => {
  const model = makeModel(mixed);
  const analysis = analyse(model);
  const planTable = (table: Record<string, number>, more: Partial<PruneOptions> = {}): PrunePlan =>
    planPrune(model, { ...open, table, ...more }, analysis);

  it('keeps a number of channels from 1 on, and cuts a share below', () => {
    const plan = planTable({ wide: 16, branch: 0.5, last: 1 });
    expect(['wide', 'branch', 'last', 'stem'].map((name) => report(plan, name).to)).toEqual([
      16, 9, 1, 24,
    ]);
    expect(report(plan, 'stem').code).toBe('PRUNABLE');
  });

  it('moves what is tied to a named layer', () => {
    const plan = planTable({ back: 10, dw: 30 });
    expect(['stem', 'back', 'expand', 'dw'].map((name) => report(plan, name).to)).toEqual([
      10, 10, 30, 30,
    ]);
  });

  it('rounds up to whole slots of a grouped layer', () => {
    expect(report(planTable({ grouped: 10 }), 'grouped').to).toBe(12);
  });

  it('leaves the rest to the target', () => {
    const plan = planTable({ stem: 24 }, { target: { macs: 0.6 } });
    expect(report(plan, 'stem').to).toBe(24);
    expect(plan.after.macs).toBeLessThanOrEqual(0.6 * plan.before.macs);
  });

  it.each([
    [{ nothing: 3 }, 'NOT_FOUND', 'nothing'],
    [{ wide: 33 }, 'INVALID_ARGUMENT', 'cannot keep 33'],
    [{ wide: 2.5 }, 'INVALID_ARGUMENT', '2.5'],
    [{ stem: 10, back: 11 }, 'INVALID_ARGUMENT', 'moves together with "stem"'],
    [{ concat: 10 }, 'INVALID_ARGUMENT', 'concat'],
  ])('refuses %o', (table, code, text) => {
    expect(() => planTable(table as Record<string, number>)).toThrow(failsWith(code, text));
  });
});

describe('options', () => {
  const model = twoLayers([1, 2], [1, 2]);

  it.each([
    [{ target: {} }, 'no pruning target'],
    [{ target: { ratio: 1.5 } }, 'ratio'],
    [{ target: { macs: 0 } }, 'macs'],
    [{ target: { params: NaN } }, 'params'],
    [{ target: { bytes: -1 } }, 'bytes'],
    [{ align: 0 }, 'align'],
    [{ minChannels: 1.5 }, 'minChannels'],
    [{ maxRatio: 2 }, 'maxRatio'],
  ])('%o are refused', (change, text) => {
    const options = { ...open, target: { ratio: 0.5 }, ...change };
    expect(() => planPrune(model, options)).toThrow(failsWith('INVALID_ARGUMENT', text));
  });

  it('refuse the analysis of another model', () => {
    const other = analyse(twoLayers([1, 2], [1, 2]));
    expect(() => planPrune(model, { ...open, target: { ratio: 0.5 } }, other)).toThrow(
      failsWith('INTERNAL', 'another model'),
    );
  });
});

describe('reports', () => {
  const model = makeModel((b) => {
    const image = b.input('image', [4, 4, 3]);
    const conv = (x: string, name: string, filters: number): string =>
      b.conv2d(x, { name, filters, kernelSize: 3 });
    const early = b.depthwiseConv2d(image, { name: 'early', kernelSize: 3 });
    const tied = b.add([image, conv(early, 'tied', 3)], { name: 'sum' });
    const one = b.mul([conv(tied, 'free', 8), b.activation(conv(tied, 'map', 1), 'sigmoid')], {
      name: 'attention',
    });
    const twins = conv(one, 'twins', 4);
    const single = b.conv2d(twins, { name: 'single', filters: 4, kernelSize: 1, groups: 2 });
    const wide = b.conv2d(single, { name: 'wide', filters: 6, kernelSize: 1, groups: 2 });
    const thin = conv(wide, 'thin', 1);
    const normal = b.apply(
      'layerNorm',
      [conv(thin, 'mixed', 4)],
      { epsilon: 1e-3, axes: [-1] },
      { name: 'ln' },
    );
    b.output(b.dense(b.globalAvgPool(normal), { name: 'head', units: 2 }));
  });

  it('explain each layer of an uncut model', () => {
    const codes = explainLayers(model).map(({ name, code, cause }) => [name, code, cause]);
    expect(codes).toEqual([
      ['early', 'INPUT', null],
      ['tied', 'INPUT', 'sum'],
      ['free', 'PRUNABLE', null],
      ['map', 'OP_MIXES_CHANNELS', 'attention'],
      ['twins', 'PRUNABLE', null],
      ['single', 'PRUNABLE', null],
      ['wide', 'PRUNABLE', null],
      ['thin', 'ONE_CHANNEL', null],
      ['mixed', 'OP_MIXES_CHANNELS', 'ln'],
      ['head', 'OUTPUT', null],
    ]);
  });

  it('say it in a sentence that names the cause', () => {
    const reasons = new Map(explainLayers(model).map(({ name, reason }) => [name, reason]));
    expect(reasons.get('tied')).toBe('Its channels are tied to the model\'s input by "sum" (add).');
    expect(reasons.get('mixed')).toContain('"ln" (layerNorm)');
  });

  it('give costs of each layer before and after', () => {
    const { model: slim, plan } = prune(model, { ...open, target: { ratio: 0.5 }, scope: 'layer' });
    const [before, after] = [nodeCosts(model.graph), nodeCosts(slim.graph)];
    expect(plan.layers).toHaveLength(10);
    for (const layer of plan.layers) {
      expect([layer.paramsFrom, layer.macsFrom]).toEqual([
        before.get(layer.node)!.params,
        before.get(layer.node)!.macs,
      ]);
      expect([layer.paramsTo, layer.macsTo]).toEqual([
        after.get(layer.node)!.params,
        after.get(layer.node)!.macs,
      ]);
      expect(layer.code === 'CUT').toBe(layer.to < layer.from);
    }
  });

  it('tell a threshold from a share that rounds to nothing', () => {
    const layers = twoLayers([1, 2, 3], [1, 1, 1]);
    const code = (scope: PruneOptions['scope']): string[] =>
      planPrune(layers, { ...open, scope, target: { ratio: 0.2 } }).layers.map((l) => l.code);
    expect(code('layer')).toEqual(['RATIO_ROUNDS_TO_ZERO', 'RATIO_ROUNDS_TO_ZERO', 'OUTPUT']);
    expect(code('global')).toEqual(['CUT', 'ABOVE_THRESHOLD', 'OUTPUT']);
  });

  it('name a layer whose channels are all one', () => {
    const grouped = makeModel((b) => {
      const x = b.conv2d(b.input('x', [2, 2, 4]), {
        name: 'g',
        filters: 2,
        kernelSize: 1,
        groups: 2,
      });
      b.output(b.dense(b.globalAvgPool(x), { units: 1, name: 'head' }));
    });
    expect(explainLayers(grouped)[0]).toMatchObject({ from: 2, code: 'GROUPED' });
  });
});

describe('random options', () => {
  it.each([
    ['mixed', mixed],
    ['padded', padded],
  ])('never cut too much of a %s network, and hold every limit', (_name, net) => {
    const model = makeModel(net);
    const analysis = analyse(model);
    const rng = createRng(5);
    const pick = <T>(list: readonly T[]): T => list[rng.int(list.length)]!;
    for (let round = 0; round < 200; round++) {
      const ratio = rng.uniform();
      const options: PruneOptions = {
        criterion: pick(['l1', 'l2', 'fpgm', 'lamp', 'random'] as const),
        reduction: pick(['mean', 'sum', 'max', 'first'] as const),
        normalisation: pick(['none', 'mean', 'max', 'standardise'] as const),
        scope: pick(['layer', 'global'] as const),
        target: { ratio },
        align: pick([1, 2, 3, 8]),
        minChannels: pick([1, 4, 9]),
        maxRatio: pick([1, 0.75, 0.4]),
        protect: pick([[], ['branch'], ['dw', 'back']]).filter((name) =>
          model.graph.nodes.some((node) => node.name === name),
        ),
        seed: round,
      };
      const plan = planPrune(model, options, analysis);
      let [asked, gone] = [0, 0];
      for (const { id, mayGo } of analysis.channels) {
        const kept = keptOf(plan, id);
        expect(kept.length).toBeGreaterThanOrEqual(1);
        expect(new Set(kept).size).toBe(kept.length);
        mayGo.forEach((may, channel) => may === 1 || expect(kept).toContain(channel));
      }
      for (const { count, mayGo, id } of analysis.channels) {
        if (mayGo.includes(1)) asked += count;
        gone += count - keptOf(plan, id).length;
      }
      expect(gone / asked).toBeLessThanOrEqual(ratio);
      for (const { op, from, to } of plan.layers) {
        if (to === from) continue;
        const share = (from - to) / from;
        expect(share).toBeLessThanOrEqual(options.maxRatio);
        expect(to % options.align).toBe(0);
        if (options.scope === 'layer') expect(share).toBeLessThanOrEqual(ratio);
        if (op !== 'depthwiseConv2d') expect(to).toBeGreaterThanOrEqual(options.minChannels);
      }
      for (const name of options.protect) {
        expect(report(plan, name)).toMatchObject({ code: 'PROTECTED' });
      }
    }
  });

  it('plan what is then cut, to the last figure', () => {
    const model = makeModel(mixed);
    const analysis = analyse(model);
    const rng = createRng(6);
    for (let round = 0; round < 20; round++) {
      const options: PruneOptions = {
        ...open,
        criterion: 'random',
        seed: round,
        target: { ratio: rng.uniform() },
      };
      const { model: slim, plan } = prune(model, options, analysis);
      expect(plan.after).toEqual(graphCost(slim.graph));
    }
  });
});
