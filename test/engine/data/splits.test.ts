// Held-back splits are drawn class by class, by seed.
import { describe, expect, it } from 'vitest';
import { checkFractions, holdBack } from '../../../src-main/engine/data/splits';
import { createRng } from '../../../src-main/engine/graph/rng';

/** Class 0 has 100 samples, class 1 has 10, class 2 has 1. */
const labels = Int32Array.from({ length: 111 }, (_, i) => (i < 100 ? 0 : i < 110 ? 1 : 2));

function countOf(splits: readonly string[], label: number, split: string): number {
  return splits.filter((name, i) => name === split && labels[i] === label).length;
}

describe('holdBack', () => {
  it('takes the same share of each class', () => {
    const splits = holdBack(labels, 3, { val: 0.1, test: 0.2 }, createRng(1));
    expect(countOf(splits, 0, 'test')).toBe(20);
    expect(countOf(splits, 0, 'val')).toBe(10);
    expect(countOf(splits, 1, 'test')).toBe(2);
    expect(countOf(splits, 1, 'val')).toBe(1);
    expect(countOf(splits, 0, 'train')).toBe(70);
  });

  it('leaves every class something to train with', () => {
    const splits = holdBack(labels, 3, { val: 0.45, test: 0.5 }, createRng(1));
    expect(countOf(splits, 2, 'train')).toBe(1);
  });

  it('repeats for a seed', () => {
    const draw = (seed: number): string =>
      holdBack(labels, 3, { val: 0.2, test: 0.2 }, createRng(seed)).join();
    expect(draw(1)).toBe(draw(1));
    expect(draw(2)).not.toBe(draw(1));
  });
});

describe('checkFractions', () => {
  it('refuses shares that leave nothing', () => {
    expect(() => checkFractions({ val: 0.5, test: 0.5 })).toThrow(/nothing to train with/);
    expect(() => checkFractions({ val: -0.1, test: 0 })).toThrow();
    expect(() => checkFractions({ val: Number.NaN, test: 0 })).toThrow();
    expect(() => checkFractions({ val: 0, test: 0.9 })).not.toThrow();
  });
});
