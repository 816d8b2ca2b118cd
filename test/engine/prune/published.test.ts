// The pruner on published networks: groups and counts that the literature and other tools state.

import { describe, expect, it } from 'vitest';
import { graphCost } from '../../../src-main/engine/graph/cost';
import type { Model } from '../../../src-main/engine/graph/types';
import type { PruneOptions } from '../../../src-main/engine/prune/types';
import { analyse, checkEquivalence, cut, planPrune, prune } from '../../../src-main/engine/prune';
import { defaultPruneOptions } from '../../../src-main/engine/prune/options';
import { buildZoo } from '../../../src-main/engine/zoo';
import { loadBackend } from '../../../src-main/engine/runtime/backend';
import { modelOf, randomised } from './networks';
import { createRng } from '../../../src-main/engine/graph/rng';

type Table = Record<string, number>;

function countsByTable(model: Model, table: Table): { params: number; macs: number } {
  const options = { ...defaultPruneOptions, target: {}, maxRatio: 1, table };
  const { model: slim, plan } = prune(model, options);
  const { params, macs } = graphCost(slim.graph);
  expect(plan.after).toMatchObject({ params, macs });
  return { params, macs };
}

/**
 * First convolutions of the blocks of a CIFAR ResNet, each keeping floor(width * (1 - p)) filters. Layers count
 * from 1 with the stem; a block's first convolution has an even number. `skip` names layers left whole.
 */
function li(blocks: number, percents: readonly number[], skip: readonly number[]): Table {
  const table: Table = {};
  for (const [stage, percent] of percents.entries()) {
    const width = 16 * 2 ** stage;
    for (let i = 0; i < blocks; i++) {
      const layer = 2 * (stage * blocks + i) + 2;
      if (percent === 0 || skip.includes(layer)) continue;
      // In integers: 0.9 * 10 is not 9 in floating point everywhere.
      table[`stage${stage + 1}.block${i + 1}.conv1`] = Math.floor((width * (100 - percent)) / 100);
    }
  }
  return table;
}

describe('filters as cut by Li et al. 2017, table 1', () => {
  it.each([
    ['resnet56-cifar', 'A', li(9, [10, 10, 10], [16, 20, 38, 54]), 773_336, 112_435_840],
    ['resnet56-cifar', 'B', li(9, [60, 30, 10], [16, 18, 20, 34, 38, 54]), 735_712, 90_907_264],
    ['resnet110-cifar', 'A', li(18, [50, 0, 0], [36]), 1_688_522, 212_779_648],
    ['resnet110-cifar', 'B', li(18, [50, 40, 30], [36, 38, 74]), 1_168_424, 155_124_352],
  ])('leave %s-%s', (id, _variant, table, params, macs) => {
    expect(countsByTable(buildZoo(id, { seed: 1 }), table)).toEqual({ params, macs });
  });

  it('leave VGG-16-A', () => {
    const table: Table = { conv1: 32 };
    for (let i = 8; i <= 13; i++) table[`conv${i}`] = 256;
    expect(countsByTable(buildZoo('vgg16-cifar', { seed: 1 }), table)).toEqual({
      params: 5_397_034,
      macs: 206_279_680,
    });
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
