import { describe, expect, it } from 'vitest';
import type { AccuracyFigure } from '../../../src-main/project/types';
import { scoreChart } from '../../../src-renderer/charts/curve';
import { difference, figure } from '../../../src-renderer/format';
import { comparableTriple, scoreTitle, triple } from '../../../src-renderer/state/figures';
import { datasetMisfit } from '../../../src-renderer/state/fit';
import { bestPoint, historySeries } from '../../../src-renderer/state/metrics';
import { accuracyKinds, column, kindOf } from '../../../src-renderer/views/compare/columns';
import { accuracy, version } from '../records';

const on = { data: 'd1', dataName: 'faces', split: 'test', samples: 100 } as const;
const values = (mae: number): AccuracyFigure => ({ ...on, task: 'values', mae, rmse: mae * 2 });
const labels: AccuracyFigure = {
  ...on,
  ...{ task: 'labels', accuracy: 0.9, microF1: 0.7, macroF1: 0.6 },
};

describe('the score of a version', () => {
  const [valued, labelled] = [
    version({ id: 'v', accuracy: values(0.25) }),
    version({ id: 'l', accuracy: labels }),
  ];

  it('is what its task is measured by', () => {
    expect(triple(valued)).toMatchObject({ accuracy: 0.25, scoreKind: 'error' });
    expect(triple(labelled)).toMatchObject({ accuracy: 0.6, scoreKind: 'accuracy' });
    expect([valued, labelled].map(scoreTitle)).toEqual(['Mean abs. error', 'Macro-F1']);
    const before = version({ id: 'b', accuracy: values(0.5) });
    expect(comparableTriple(valued, before).accuracy).toBe(0.5);
  });

  it('is better the less it is, where it is an error', () => {
    expect(figure('error', 0.123456)).toBe('0.1235');
    expect(difference('error', 0.25, 0.5)).toMatchObject({ verdict: 'better', direction: 'down' });
    expect(difference('error', 0.5, 0.25).verdict).toBe('worse');
  });

  it('stands in the columns of the comparison that it has', () => {
    const kinds = (...all: (typeof valued)[]): string[] =>
      accuracyKinds(all).map(({ value }) => value);
    expect(kinds(valued)).toEqual(['mae', 'rmse']);
    expect(kinds(labelled)).toEqual(['macroF1']);
    expect(kinds(version({ id: 'c', accuracy: accuracy(0.9) }), valued)).toEqual([
      ...['top1', 'macroF1', 'mae', 'rmse'],
    ]);
    const terms = { runtime: 'litert', threads: 1, accuracy: 'rmse' } as const;
    const entry = column('accuracy');
    expect([entry.value(valued, terms), kindOf(entry, terms)]).toEqual([0.5, 'error']);
    expect(entry.value(labelled, terms)).toBeNull();
    expect(kindOf(entry, { ...terms, accuracy: 'macroF1' })).toBe('accuracy');
  });

  it('has curves of its own, and the best point by the right end', () => {
    const epoch = { learningRate: 1, trainLoss: 1, valLoss: 1, imagesPerSecond: 1 };
    const mae = [0.5, 0.2, 0.3].map((valMae, i) => ({
      ...epoch,
      ...{ epoch: i + 1, trainAccuracy: null, valAccuracy: null, trainMae: 0.4, valMae },
    }));
    const series = historySeries(mae);
    expect(scoreChart(series)).toMatchObject({ kind: 'error', chosenBy: 'valMae' });
    expect(bestPoint(series['valMae'], 'error')).toEqual({ x: 2, y: 0.2 });
    expect(series['valAccuracy']).toEqual({ x: [], y: [] });
    const f1 = { ...epoch, epoch: 1, trainAccuracy: 0.5, valAccuracy: 0.5, valMacroF1: 0.4 };
    expect(scoreChart(historySeries([f1])).chosenBy).toBe('valMacroF1');
    expect(scoreChart(historySeries([])).chosenBy).toBe('valAccuracy');
  });

  it('needs a network with as many outputs', () => {
    const data = { height: 8, width: 8, channels: 3, classes: ['age'], task: 'values' } as const;
    const model = { inputShape: [8, 8, 3], classes: 1 };
    expect(datasetMisfit(data, model)).toBeNull();
    expect(datasetMisfit(data, { ...model, classes: 4 })).toBe(
      'It has 1 value, the model gives 4.',
    );
  });
});
