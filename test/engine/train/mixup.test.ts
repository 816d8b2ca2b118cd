// Shares of mixup by their moments, and mixed images and labels against plain loops.

import { describe, expect, it } from 'vitest';
import { createRng } from '../../../src-main/engine/graph/rng';
import { loadBackend } from '../../../src-main/engine/runtime/backend';
import { drawBeta, drawMix, mixImages } from '../../../src-main/engine/train/mixup';
import { targetShares } from '../../../src-main/engine/train/targets';
import { maxAbsDiff } from '../reference';

describe('drawBeta', () => {
  it.each([0.01, 0.2, 1, 3, 50])('has the moments of Beta(%d, %d)', (alpha) => {
    const rng = createRng(5);
    const draws = Array.from({ length: 20_000 }, () => drawBeta(rng, alpha));
    const mean = (of: (x: number) => number): number =>
      draws.reduce((sum, x) => sum + of(x), 0) / draws.length;
    expect(draws.every((x) => x >= 0 && x <= 1)).toBe(true);
    expect(mean((x) => x)).toBeCloseTo(1 / 2, 2);
    const variance = 1 / (4 * (2 * alpha + 1));
    expect(mean((x) => (x - 0.5) ** 2) / variance).toBeCloseTo(1, 1);
    // The fourth central moment tells it from other symmetric distributions of the same variance.
    const fourth = (3 * variance ** 2 * (2 * alpha + 1)) / (2 * alpha + 3);
    expect(mean((x) => (x - 0.5) ** 4) / fourth).toBeCloseTo(1, 1);
  });
});

describe('a mix', () => {
  it('pairs each sample of the batch once, repeatably', () => {
    const rng = createRng(2);
    const state = rng.getState();
    const mix = drawMix(rng, 9, 0.4);
    expect([...mix.partners].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    rng.setState(state);
    expect(drawMix(rng, 9, 0.4)).toEqual(mix);
  });

  it.each(['tensorflow', 'cpu'] as const)('mixes images on %s', async (name) => {
    const { tf } = await loadBackend(name);
    const rng = createRng(3);
    const values = Float32Array.from({ length: 4 * 2 * 3 }, () => rng.normal());
    const mix = { share: 0.3, partners: Int32Array.of(2, 0, 1, 3) };
    const mixed = tf.tidy(() => mixImages(tf, tf.tensor(values, [4, 2, 3]), mix).dataSync());
    const expected = Array.from(
      values,
      (x, i) => 0.3 * x + 0.7 * values[mix.partners[Math.floor(i / 6)]! * 6 + (i % 6)]!,
    );
    expect(maxAbsDiff(mixed, expected)).toBeLessThan(1e-6);
  });
});

describe('targetShares', () => {
  const labels = Int32Array.of(2, 0, 2);
  const rows = (shares: Float32Array): number[][] =>
    [0, 1, 2].map((i) => Array.from(shares.subarray(i * 4, i * 4 + 4)));
  const close = (row: number[]): number[] => row.map((x): number => expect.closeTo(x, 6));

  it('spreads a share of each label over all classes', () => {
    const shares = targetShares(labels, { kind: 'logits', classes: 4 }, 0.2, null);
    expect(rows(shares)).toEqual([
      close([0.05, 0.05, 0.85, 0.05]),
      close([0.85, 0.05, 0.05, 0.05]),
      close([0.05, 0.05, 0.85, 0.05]),
    ]);
  });

  it('moves answers towards a half where each class is a question of its own', () => {
    const shares = targetShares(labels, { kind: 'independent', classes: 4 }, 0.2, null);
    expect(rows(shares)[0]).toEqual(close([0.1, 0.1, 0.9, 0.1]));
  });

  it('gives each of a pair its share', () => {
    const mix = { share: 0.75, partners: Int32Array.of(1, 2, 0) };
    const shares = targetShares(labels, { kind: 'logits', classes: 4 }, 0.2, mix);
    expect(rows(shares)).toEqual([
      close([0.25, 0.05, 0.65, 0.05]),
      close([0.65, 0.05, 0.25, 0.05]),
      close([0.05, 0.05, 0.85, 0.05]),
    ]);
  });
});
