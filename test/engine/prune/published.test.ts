// The pruner on published networks: groups and counts that the literature and other tools state.

import { describe, expect, it } from 'vitest';
import { graphCost } from '../../../src-main/engine/graph/cost';
import type { Model } from '../../../src-main/engine/graph/types';
import type { PruneOptions } from '../../../src-main/engine/prune/types';
import { analyse, checkEquivalence, cut, planPrune, prune } from '../../../src-main/engine/prune';
import { defaultPruneOptions } from '../../../src-main/engine/prune/options';
import { buildZoo } from '../../../src-main/engine/zoo';
import { loadBackend } from '../../../src-main/engine/runtime/backend';
import { liCounts, liTables } from './li-tables';
import type { Table } from './li-tables';
import { modelOf, randomised } from './networks';
import { createRng } from '../../../src-main/engine/graph/rng';

function countsByTable(model: Model, table: Table): { params: number; macs: number } {
  const options = { ...defaultPruneOptions, target: {}, maxRatio: 1, table };
  const { model: slim, plan } = prune(model, options);
  const { params, macs } = graphCost(slim.graph);
  expect(plan.after).toMatchObject({ params, macs });
  return { params, macs };
}

describe('filters as cut by Li et al. 2017, table 1', () => {
  it.each(liCounts)('leave of %s what %s has', (id, table, params, macs) => {
    expect(countsByTable(buildZoo(id, { seed: 1 }), liTables[table])).toEqual({ params, macs });
  });

  it('leave ResNet-34-A and -B, but for the projections that the paper does not count', () => {
    const model = buildZoo('resnet34', { seed: 1 });
    // Three convolutions of 1 x 1 with batch norm, at 28 x 28, 14 x 14 and 7 x 7 places.
    const widths = [
      [64, 128, 28],
      [128, 256, 14],
      [256, 512, 7],
    ] as const;
    let [params, macs] = [0, 0];
    for (const [from, to, side] of widths) {
      params += from * to + 2 * to;
      macs += from * to * side ** 2;
    }
    expect(params).toBe(21_797_672 - 21_623_848);
    const { params: whole, macs: wholeMacs } = graphCost(model.graph);
    expect([whole - params, wholeMacs - macs]).toEqual([21_623_848, 3_644_493_824]);
    const counts = (['resnet34A', 'resnet34B'] as const).map((table) => {
      const cutModel = countsByTable(model, liTables[table]);
      return [cutModel.params - params, cutModel.macs - macs];
    });
    expect(counts).toEqual([
      [19_977_940, 3_080_916_992],
      [19_295_548, 2_763_001_856],
    ]);
  });
});

describe('groups of published networks', () => {
  it('tie the first convolution of ResNet-18 to its first stage', () => {
    const { groups } = analyse(buildZoo('resnet18', { seed: 1, inputShape: [64, 64, 3] }));
    expect(groups[0]!.producers).toEqual(['conv1', 'layer1.0.conv2', 'layer1.1.conv2']);
    const readers = groups[0]!.members.filter((name) => /\.(conv1|downsample)$/.test(name));
    expect(readers).toEqual([
      'layer1.0.conv1',
      'layer1.1.conv1',
      'layer2.0.conv1',
      'layer2.0.downsample',
    ]);
    expect(groups[0]!.members).toEqual(
      expect.arrayContaining(['conv1.bn', 'layer1.0.conv2.bn', 'layer1.1.conv2.bn']),
    );
  });

  it('leave every layer of VGG and every growth of DenseNet on its own', () => {
    const free = (id: string): number[] =>
      analyse(buildZoo(id, { seed: 1 })).groups.map(({ producers }) => producers.length);
    expect(new Set(free('vgg19-cifar'))).toEqual(new Set([1]));
    expect(new Set(free('densenet40-cifar'))).toEqual(new Set([1]));
  });

  it('make the three stages of an option A ResNet one trunk', () => {
    const { groups, channels } = analyse(buildZoo('resnet20-cifar', { seed: 1 }));
    expect(groups[0]!.channels).toBe(64);
    expect(groups[0]!.producers).toHaveLength(1 + 9);
    expect(
      channels[0]!.parts.filter(({ slots }) => slots !== null).map((part) => part.channels.length),
    ).toEqual([16, 32]);
  });
});

describe('alignment', () => {
  it.each(['layer', 'global'] as const)('holds in every stage of a padded trunk (%s)', (scope) => {
    const options: PruneOptions = {
      ...defaultPruneOptions,
      scope,
      target: { ratio: 0.5 },
      align: 8,
    };
    const { layers } = planPrune(buildZoo('resnet20-cifar', { seed: 1 }), options);
    const cutLayers = layers.filter(({ code }) => code === 'CUT');
    expect(cutLayers.length).toBeGreaterThan(5);
    for (const { to } of cutLayers) expect(to % 8).toBe(0);
    if (scope === 'global') return;
    const trunk = layers.filter(({ name }) => /^conv1$|conv2$/.test(name));
    expect(new Set(trunk.map(({ from, to }) => to / from))).toEqual(new Set([0.5]));
  });
});

describe('cuts of published networks', () => {
  const half: PruneOptions = { ...defaultPruneOptions, target: { macs: 0.5 } };

  it.each([
    'lenet5',
    'resnet20-cifar',
    'resnet20-cifar-b',
    'densenet40-cifar',
    'mobilenetv2-cifar',
  ])('of %s to half of the MACs compute what the masked original computes', async (id) => {
    const backend = await loadBackend();
    const zoo = buildZoo(id, { seed: 1 });
    const model = { ...zoo, graph: randomised(zoo.graph, createRng(2)) };
    const analysis = analyse(model);
    const plan = planPrune(model, half, analysis);
    expect(plan.after.macs).toBeLessThanOrEqual(plan.before.macs / 2);
    const slim = cut(model, analysis, plan.kept);
    const options = { samples: 2, seed: 3, backend };
    const verdict = await checkEquivalence(model, slim, analysis, plan.kept, options);
    expect(verdict).toMatchObject({ samples: 2, passed: true });
  });

  it('are refused by the check when a weight is off', async () => {
    const model = buildZoo('lenet5', { seed: 1 });
    const { model: slim, plan } = prune(model, half);
    const bent = modelOf(slim.graph);
    const bias = bent.graph.weights.get('conv1/bias')!;
    bias.data[0]! += 0.1;
    const verdict = await checkEquivalence(model, bent, analyse(model), plan.kept, {
      samples: 2,
      seed: 3,
    });
    expect(verdict.passed).toBe(false);
    expect(verdict.maxAbsDiff).toBeGreaterThan(verdict.tolerance);
  });
});
