import { describe, expect, it } from 'vitest';
import {
  binCounts,
  binsFor,
  histogramTable,
  shareBelow,
} from '../../../src-renderer/charts/histogram';

const sample = (values: readonly number[], count = values.length) => ({ values, count });

describe('the bins of a histogram', () => {
  it('cover all samples, from 0 on a linear axis', () => {
    const bins = binsFor([sample([0, 0.5]), sample([0.1, 2])], false, 4);
    expect(bins.edges[0]).toBe(0);
    expect(bins.edges).toHaveLength(5);
    expect(bins.edges.at(-1)).toBeGreaterThan(2);
    expect(binCounts(sample([0, 0.1, 0.6, 1.1, 2]), bins)).toEqual([2, 1, 1, 1]);
  });

  it('cover decades on a logarithmic one, zeros in the first', () => {
    const bins = binsFor([sample([0, 0.001, 1])], true, 3);
    expect(bins.edges.map((edge) => Number(edge.toPrecision(2)))).toEqual([0.001, 0.01, 0.1, 1]);
    expect(binCounts(sample([0, 0.001, 0.02, 0.5, 1]), bins)).toEqual([2, 1, 2]);
  });

  it('count channels where the values are quantiles of more', () => {
    const bins = binsFor([sample([0.1, 0.9])], false, 2);
    expect(binCounts(sample([0.1, 0.2, 0.8, 0.9], 4000), bins)).toEqual([2000, 2000]);
  });

  it('are there for gammas that are all 0', () => {
    for (const logarithmic of [false, true]) {
      const bins = binsFor([sample([0, 0, 0])], logarithmic, 4);
      expect(bins.edges.every(Number.isFinite)).toBe(true);
      expect(binCounts(sample([0, 0, 0]), bins)).toEqual([3, 0, 0, 0]);
    }
  });

  it('make a table with a column for each sample', () => {
    const bins = binsFor([sample([1, 2])], false, 2);
    const table = histogramTable(bins, [
      { title: 'a', sample: sample([0.5, 1.9]) },
      { title: 'b', sample: sample([1.5, 1.9]) },
    ]);
    expect(table.columns).toEqual(['gamma from', 'gamma to', 'a', 'b']);
    expect(table.rows).toEqual([
      [0, 1.001, 1, 0],
      [1.001, 2.002, 1, 2],
    ]);
  });
});

describe('the share below a value', () => {
  it('counts what is smaller', () => {
    expect(shareBelow(sample([0.1, 0.2, 0.2, 0.3]), 0.2)).toBe(0.25);
    expect(shareBelow(sample([0.1]), 1)).toBe(1);
    expect(shareBelow(sample([]), 1)).toBe(0);
  });
});
