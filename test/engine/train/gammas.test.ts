import { describe, expect, it } from 'vitest';
import { createRng } from '../../../src-main/engine/graph/rng';
import { gammasOf, mostGammas, sampleGammas } from '../../../src-main/engine/train/gammas';
import { buildZoo } from '../../../src-main/engine/zoo';
import { toyModel } from './toy';

describe('the gammas of a network', () => {
  it('are those of every batch norm, by size without sign', () => {
    const { graph } = toyModel();
    graph.weights.get('bn1/gamma')!.data.set([0.5, -0.25, 1, 3, -2, 0.123456789]);
    expect(gammasOf(graph)).toEqual({
      count: 12,
      values: [0.12346, 0.25, 0.5, 1, 1, 1, 1, 1, 1, 1, 2, 3],
    });
  });

  it('are quantiles of a large network', () => {
    const rng = createRng(2);
    const layers = [3000, 1, 2000].map((length) =>
      Float32Array.from({ length }, () => rng.normal()),
    );
    const { count, values } = sampleGammas(layers)!;
    expect(count).toBe(5001);
    expect(values).toHaveLength(mostGammas);
    // Of any part of the channels as many are below a value as of the sample.
    const all = layers.flatMap((layer) => Array.from(layer, Math.abs));
    for (const limit of [0.01, 0.1, 0.5, 1, 2]) {
      const share = (list: readonly number[]): number =>
        list.filter((value) => value < limit).length / list.length;
      expect(Math.abs(share(values) - share(all))).toBeLessThan(1.5 / mostGammas);
    }
  });

  it('are none where there is no batch norm', () => {
    expect(gammasOf(buildZoo('lenet5', { seed: 1 }).graph)).toBeNull();
  });

  it('start at 0.5 where one asks for it', () => {
    const { values } = gammasOf(buildZoo('resnet20-cifar', { seed: 1, gamma: 0.5 }).graph)!;
    expect(new Set(values)).toEqual(new Set([0.5]));
  });
});
