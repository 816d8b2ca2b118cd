// Budgets are met and met closely, on real architectures; limits of single layers; tables read off a plan.

import { describe, expect, it } from 'vitest';
import type { GraphBuilder } from '../../../src-main/engine/graph/build';
import { graphCost, storedBytes } from '../../../src-main/engine/graph/cost';
import type { Graph, Model } from '../../../src-main/engine/graph/types';
import { analyse, type Analysis } from '../../../src-main/engine/prune/groups';
import { defaultPruneOptions } from '../../../src-main/engine/prune/options';
import { planLargestCut, planPrune } from '../../../src-main/engine/prune/plan';
import { cut } from '../../../src-main/engine/prune/surgery';
import { planTable } from '../../../src-main/engine/prune/table';
import type {
  Criterion,
  PruneOptions,
  PrunePlan,
  PruneTarget,
} from '../../../src-main/engine/prune/types';
import { buildZoo } from '../../../src-main/engine/zoo';
import { makeModel } from './networks';

const open: PruneOptions = { ...defaultPruneOptions, maxRatio: 1, target: {} };

const zoo = (
  [
    ['lenet5', [28, 28, 1]],
    ['resnet20-cifar-b', [16, 16, 3]],
    ['densenet40-cifar', [16, 16, 3]],
    ['mobilenetv2-cifar', [32, 32, 3]],
  ] as const
).map(([id, inputShape]) => {
  const model = buildZoo(id, { seed: 1, classes: 4, inputShape: [...inputShape] });
  return { id, model, analysis: analyse(model) };
});

interface Case {
  readonly criterion: Criterion;
  readonly align: number;
  readonly scope: 'global' | 'layer';
  readonly target: PruneTarget;
}

const cases: readonly Case[] = [
  { criterion: 'l1', align: 1, scope: 'global', target: { macs: 0.5 } },
  { criterion: 'lamp', align: 8, scope: 'global', target: { macs: 0.7 } },
  { criterion: 'fpgm', align: 4, scope: 'layer', target: { params: 0.6 } },
  { criterion: 'random', align: 2, scope: 'global', target: { macs: 0.6, params: 0.7 } },
];

/** Each budget of a target as a function of a graph, with its limit. */
function budgets(target: PruneTarget, before: Graph): readonly ((graph: Graph) => number)[] {
  const cost = graphCost(before);
  return [
    ...(target.macs === undefined
      ? []
      : [(graph: Graph) => graphCost(graph).macs / (target.macs! * cost.macs)]),
    ...(target.params === undefined
      ? []
      : [(graph: Graph) => graphCost(graph).params / (target.params! * cost.params)]),
    ...(target.bytes === undefined
      ? []
      : [(graph: Graph) => storedBytes(graph, target.precision ?? 'fp32') / target.bytes!]),
  ];
}

/** The cut made again with the most important of the channels that a group lost put back, one step of them. */
function withOneStepBack(
  model: Model,
  analysis: Analysis,
  plan: PrunePlan,
  align: number,
): readonly Graph[] {
  return analysis.channels.flatMap(({ id, count, slots }) => {
    const kept = plan.kept.get(id)!;
    if (kept.length === count) return [];
    const width = Math.min(...slots);
    // The next multiple of the alignment, or all there is.
    const next = Math.min(
      count,
      Math.ceil(((Math.floor((kept.length * width) / align) + 1) * align) / width),
    );
    const gone = Array.from({ length: count }, (_, i) => i).filter((i) => !kept.includes(i));
    const more = [...kept, ...gone.slice(0, next - kept.length)].sort((a, b) => a - b);
    return [cut(model, analysis, new Map(plan.kept).set(id, Int32Array.from(more))).graph];
  });
}

function expectMet(model: Model, analysis: Analysis, options: PruneOptions): void {
  const plan = planPrune(model, options, analysis);
  const result = cut(model, analysis, plan.kept);
  const shares = budgets(options.target, model.graph);
  for (const share of shares) expect(share(result.graph)).toBeLessThanOrEqual(1);
  // Not more than one step below: with one step of some group put back, a budget is missed.
  const back = withOneStepBack(model, analysis, plan, options.align);
  expect(back.some((graph) => shares.some((share) => share(graph) > 1))).toBe(true);
}

describe.each(zoo)('budgets of $id', ({ model, analysis }) => {
  it.each(cases)(
    'are met to within one step: $criterion, multiples of $align, $scope, $target',
    ({ criterion, align, scope, target }) => {
      expectMet(model, analysis, { ...open, criterion, align, scope, target });
    },
  );

  it.each(['fp32', 'fp16', 'int8'] as const)(
    'in bytes at %s are met to within one step',
    (precision) => {
      const whole = storedBytes(model.graph, precision);
      expectMet(model, analysis, {
        ...open,
        align: 4,
        target: { bytes: Math.floor(whole * 0.6), precision },
      });
    },
  );

  it('say how far one can go where they cannot be met', () => {
    const options = { ...open, maxRatio: 0.3, target: { macs: 0.05 } };
    const furthest = planLargestCut(model, options, analysis);
    let error: unknown;
    try {
      planPrune(model, options, analysis);
    } catch (thrown) {
      error = thrown;
    }
    const heaviest = [...furthest.layers].sort((a, b) => b.macsTo - a.macsTo)[0]!;
    expect(error).toMatchObject({
      code: 'PRUNE_TARGET_UNREACHABLE',
      details: { figure: 'macs', reachable: furthest.after.macs },
      message: expect.stringContaining(`"${heaviest.name}"`) as string,
    });
    // And there it can go.
    const share = furthest.after.macs / furthest.before.macs;
    const there = planPrune(model, { ...options, target: { macs: share } }, analysis);
    expect(there.after.macs).toBe(furthest.after.macs);
  });

  it('come out again from the table that is read off the plan', () => {
    const plan = planPrune(model, { ...open, align: 2, target: { macs: 0.5 } }, analysis);
    const table = planTable(analysis, plan);
    expect(Object.keys(table).length).toBeGreaterThan(0);
    const again = planPrune(model, { ...open, align: 2, target: {}, table }, analysis);
    expect([...again.kept]).toEqual([...plan.kept]);
    expect(again.after).toEqual(plan.after);
  });
});

/** A trunk of three layers, one layer on its own, and a split that two layers read. */
function branches(b: GraphBuilder): void {
  const conv = (x: string, name: string, filters: number): string =>
    b.activation(b.conv2d(x, { name, filters, kernelSize: 3 }), 'relu');
  const stem = conv(b.input('image', [6, 6, 3]), 'stem', 16);
  const trunk = b.add([stem, conv(conv(stem, 'inner', 20), 'back', 16)]);
  const [low, high] = b.applyAll('split', [trunk], { axis: -1, sizes: [8, 8] });
  const sum = b.add([low!, conv(high!, 'half', 8)]);
  b.output(b.dense(b.globalAvgPool(b.concat([sum, high!])), { name: 'head', units: 3 }));
}

describe('bytes in a precision', () => {
  it('count kernels and the rest by what an export stores', () => {
    const model = makeModel((b) => {
      const x = b.conv2d(b.input('x', [4, 4, 2]), { name: 'a', filters: 5, kernelSize: 3 });
      b.output(b.dense(b.globalAvgPool(b.batchNorm(x)), { name: 'head', units: 3 }));
    });
    const kernels = 3 * 3 * 2 * 5 + 5 * 3;
    const rest = 5 + 4 * 5 + 3;
    expect(storedBytes(model.graph, 'fp32')).toBe(4 * (kernels + rest));
    expect(storedBytes(model.graph, 'fp32')).toBe(graphCost(model.graph).weightBytes);
    expect(storedBytes(model.graph, 'fp16')).toBe(2 * (kernels + rest));
    expect(storedBytes(model.graph, 'int8')).toBe(kernels + 4 * rest);
  });

  it('need a number of bytes', () => {
    const model = makeModel(branches);
    expect(() => planPrune(model, { ...open, target: { macs: 0.5, precision: 'fp16' } })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});

describe('ceilings', () => {
  const model = makeModel(branches);
  const analysis = analyse(model);
  const keptOf = (plan: PrunePlan, name: string): number =>
    plan.layers.find((layer) => layer.name === name)!.to;
  const furthest = (options: Partial<PruneOptions>): PrunePlan =>
    planLargestCut(model, { ...open, target: { ratio: 1 }, ...options }, analysis);

  it('hold for the layer that they name, and no other', () => {
    const plan = furthest({ ceilings: { inner: 0.25 } });
    expect(keptOf(plan, 'inner')).toBe(15);
    expect(keptOf(plan, 'stem')).toBeLessThan(6);
  });

  it('hold for all that moves together, by the strictest of them and of the global one', () => {
    expect(
      keptOf(furthest({ ceilings: { stem: 0.5, back: 0.25 } }), 'stem'),
    ).toBeGreaterThanOrEqual(12);
    expect(keptOf(furthest({ maxRatio: 0.1, ceilings: { inner: 0.5 } }), 'inner')).toBe(18);
  });

  it('hold for a layer that has a part of a group only', () => {
    expect(keptOf(furthest({}), 'half')).toBeLessThan(4);
    const plan = furthest({ ceilings: { half: 0.5 } });
    expect(keptOf(plan, 'half')).toBe(4);
  });

  it('round to the alignment towards more channels', () => {
    const plan = furthest({ align: 8, ceilings: { inner: 0.5 } });
    expect(keptOf(plan, 'inner')).toBe(16);
  });

  it('hold beside budgets, which are then met elsewhere', () => {
    const options: PruneOptions = { ...open, target: { macs: 0.5 }, ceilings: { inner: 0.1 } };
    const plan = planPrune(model, options, analysis);
    expect(keptOf(plan, 'inner')).toBeGreaterThanOrEqual(18);
    expect(plan.after.macs).toBeLessThanOrEqual(plan.before.macs / 2);
  });

  it('hold for the table as well', () => {
    const plan = planPrune(
      model,
      { ...open, table: { inner: 5 }, ceilings: { inner: 0.5 } },
      analysis,
    );
    expect(keptOf(plan, 'inner')).toBe(10);
  });

  it('are the reason of a layer that stays whole by them', () => {
    const plan = furthest({ ceilings: { inner: 0 } });
    const inner = plan.layers.find(({ name }) => name === 'inner')!;
    expect([inner.to, inner.code]).toEqual([20, 'CEILING']);
  });

  it('are refused for layers that are not there, and outside 0 to 1', () => {
    expect(() => furthest({ ceilings: { iner: 0.5 } })).toThrow(
      expect.objectContaining({
        code: 'NOT_FOUND',
        hint: expect.stringContaining('inner') as string,
      }),
    );
    expect(() => furthest({ ceilings: { inner: 1.5 } })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});
