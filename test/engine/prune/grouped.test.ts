// Grouped convolutions cut by whole groups, and what the two ways of cutting them come to.

import { describe, expect, it } from 'vitest';
import type { GraphBuilder } from '../../../src-main/engine/graph/build';
import type { Model, NodeOf } from '../../../src-main/engine/graph/types';
import {
  analyse,
  planPrune,
  prune,
  structureCosts,
  structureOf,
} from '../../../src-main/engine/prune';
import { defaultPruneOptions } from '../../../src-main/engine/prune/options';
import type { Structure } from '../../../src-main/engine/prune';
import type { PruneOptions } from '../../../src-main/engine/prune/types';
import { buildZoo } from '../../../src-main/engine/zoo';
import { expectCutEquivalent, makeModel, randomChoice, weightOf } from './networks';
import { createRng } from '../../../src-main/engine/graph/rng';

const wholeGroups: Structure = { trunk: 'group', grouped: 'groups' };

function chain(...layers: { filters: number; groups: number }[]): Model {
  return makeModel((b: GraphBuilder) => {
    let x = b.input('image', [4, 4, 3]);
    layers.forEach(({ filters, groups }, i) => {
      const name = `conv${i}`;
      x = b.activation(b.conv2d(x, { name, filters, groups, kernelSize: i === 0 ? 1 : 3 }), 'relu');
    });
    b.output(b.dense(b.globalAvgPool(x), { units: 2, name: 'head' }));
  });
}

function conv({ graph }: Model, name: string): NodeOf<'conv2d'> {
  return graph.nodes.find((node) => node.name === name) as NodeOf<'conv2d'>;
}

describe('whole groups', () => {
  it('go with their input channels and their filters', () => {
    const model = chain(
      { filters: 12, groups: 1 },
      { filters: 8, groups: 4 },
      { filters: 5, groups: 1 },
    );
    const analysis = analyse(model, wholeGroups);
    // Four groups of three input channels and two filters: one unit each, common to both layers.
    expect(analysis.groups.map(({ producers, channels }) => [producers, channels])).toEqual([
      [['conv0', 'conv1'], 4],
      [['conv2'], 5],
      [['head'], 2],
    ]);
    const slim = expectCutEquivalent(model, analysis, new Map([[0, Int32Array.of(0, 3)]]));
    expect(conv(slim, 'conv1').attrs).toMatchObject({ filters: 4, groups: 2 });
    expect(conv(slim, 'conv0').origin).toEqual([0, 1, 2, 9, 10, 11]);
    expect(conv(slim, 'conv1').origin).toEqual([0, 1, 6, 7]);
    expect(weightOf(slim, 'conv1/kernel').shape).toEqual([3, 3, 3, 4]);
    expect(weightOf(slim, 'conv2/kernel').shape).toEqual([3, 3, 4, 5]);
  });

  it('of two group counts that divide each other go in the larger unit', () => {
    const model = chain(
      { filters: 8, groups: 1 },
      { filters: 12, groups: 4 },
      { filters: 6, groups: 2 },
    );
    const analysis = analyse(model, wholeGroups);
    // A group of conv2 reads 6 channels: two groups of conv1.
    expect(analysis.groups[0]).toMatchObject({ channels: 2, free: 2 });
    const slim = expectCutEquivalent(model, analysis, new Map([[0, Int32Array.of(1)]]));
    expect(conv(slim, 'conv1').attrs).toMatchObject({ filters: 6, groups: 2 });
    expect(conv(slim, 'conv2').attrs).toMatchObject({ filters: 3, groups: 1 });
  });

  it('of two and three groups can only go together, and the report says so', () => {
    const model = chain(
      { filters: 4, groups: 1 },
      { filters: 12, groups: 2 },
      { filters: 6, groups: 3 },
    );
    const options: PruneOptions = {
      ...defaultPruneOptions,
      grouped: 'groups',
      target: { ratio: 0.5 },
    };
    const { layers } = planPrune(model, options);
    expect(layers.find(({ name }) => name === 'conv1')).toMatchObject({
      code: 'GROUPED',
      reason: 'Its 12 channels can only go together: layers with groups tie them.',
    });
    // By slots, the unit is the least common multiple of both: 6 of 12 channels.
    expect(analyse(model).channels[1]).toMatchObject({ count: 2, slots: [6] });
  });

  it('leave depthwise convolutions as they are cut anyway', () => {
    const model = chain({ filters: 6, groups: 1 }, { filters: 12, groups: 6 });
    expect(analyse(model, wholeGroups).groups).toEqual(analyse(model).groups);
  });

  it('compute what the masked original computes, cut twice', () => {
    const model = chain(
      { filters: 12, groups: 1 },
      { filters: 12, groups: 6 },
      { filters: 12, groups: 3 },
      { filters: 4, groups: 1 },
    );
    const rng = createRng(9);
    for (let round = 0; round < 6; round++) {
      const analysis = analyse(model, wholeGroups);
      const once = expectCutEquivalent(model, analysis, randomChoice(analysis, rng));
      const again = analyse(once, {
        trunk: 'group',
        grouped: round % 2 === 0 ? 'groups' : 'slots',
      });
      expectCutEquivalent(once, again, randomChoice(again, rng));
    }
  });

  it('are aligned by the width of the layers, not by their number', () => {
    const model = chain({ filters: 16, groups: 1 }, { filters: 16, groups: 8 });
    const options: PruneOptions = {
      ...defaultPruneOptions,
      grouped: 'groups',
      scope: 'layer',
      target: { ratio: 0.4 },
      align: 4,
    };
    const { layers } = planPrune(model, options);
    expect(layers.map(({ to }) => to)).toEqual([12, 12, 2]);
  });
});

describe('costs of the choices', () => {
  const costs = (model: Model, options: PruneOptions): ReturnType<typeof structureCosts> =>
    structureCosts(
      options,
      (structure) => analyse(model, structure),
      (choice) => planPrune(model, choice, analyse(model, structureOf(choice))).after,
    );
  const half: PruneOptions = { ...defaultPruneOptions, target: { ratio: 0.5 } };

  it('are those of the cuts, and missing where there is nothing to choose', () => {
    const model = chain({ filters: 12, groups: 1 }, { filters: 8, groups: 4 });
    const { trunk, grouped } = costs(model, half);
    expect(trunk).toBeNull();
    for (const choice of ['slots', 'groups'] as const) {
      expect(grouped![choice]).toEqual(prune(model, { ...half, grouped: choice }).plan.after);
    }
    expect(grouped!.slots).not.toEqual(grouped!.groups);
  });

  it('are shown of a trunk that batch norms read', () => {
    const model = buildZoo('densenet40-cifar', { seed: 1 });
    const { trunk, grouped } = costs(model, half);
    expect(grouped).toBeNull();
    expect(trunk!.select!.macs).not.toBe(trunk!.group!.macs);
  });

  it('are null where the target is out of reach', () => {
    const model = chain(
      { filters: 4, groups: 1 },
      { filters: 12, groups: 2 },
      { filters: 6, groups: 3 },
    );
    const { grouped } = costs(model, { ...half, target: { macs: 0.3 } });
    expect(grouped!.groups).toBeNull();
    expect(grouped!.slots!.macs).toBeGreaterThan(0);
  });
});
