import { describe, expect, it } from 'vitest';
import type { Metric } from '../../../src-main/engine/context';
import {
  appendMetric,
  bestPoint,
  historySeries,
  noMetrics,
  overEpochs,
  smoothed,
} from '../../../src-renderer/state/metrics';

const batch = (step: number, epoch: number, trainLoss: number): Metric => ({
  step,
  epoch,
  values: { trainLoss },
});
const validation = (epoch: number, valLoss: number): Metric => ({
  step: epoch,
  epoch,
  values: { valLoss },
});

describe('live metrics', () => {
  it('stands batches within their epoch and validation at its end', () => {
    const metrics = [batch(10, 1, 3), batch(20, 1, 2), validation(1, 2.5), batch(30, 2, 1)].reduce(
      appendMetric,
      noMetrics,
    );
    expect(overEpochs(metrics, null)).toEqual({
      trainLoss: { x: [0.5, 1, 1.5], y: [3, 2, 1] },
      valLoss: { x: [1], y: [2.5] },
    });
  });

  it('knows the length of the first epoch from the progress until it has ended', () => {
    const metrics = appendMetric(noMetrics, batch(10, 1, 3));
    expect(overEpochs(metrics, 40)['trainLoss']?.x).toEqual([0.25]);
  });

  it('goes on to the right when a second training starts', () => {
    const metrics = [
      batch(10, 1, 3),
      validation(1, 2),
      batch(5, 1, 2.8),
      batch(10, 1, 2.6),
      validation(1, 1.8),
    ].reduce(appendMetric, noMetrics);
    expect(overEpochs(metrics, null)).toEqual({
      trainLoss: { x: [1, 1.5, 2], y: [3, 2.8, 2.6] },
      valLoss: { x: [1, 2], y: [2, 1.8] },
    });
  });

  it('keeps the gammas of each epoch, also where a training begins or nothing is validated', () => {
    const gammas = (epoch: number, gamma: number): Metric => ({
      step: epoch,
      epoch,
      values: {},
      gammas: { count: 1, values: [gamma] },
    });
    const metrics = [
      gammas(0, 1),
      batch(10, 1, 3),
      gammas(1, 0.5),
      gammas(0, 0.4),
      batch(5, 1, 2),
      gammas(1, 0.2),
    ].reduce(appendMetric, noMetrics);
    expect(metrics.gammas.map(({ training, epoch }) => [training, epoch])).toEqual([
      [1, 0],
      [1, 1],
      [2, 0],
      [2, 1],
    ]);
    expect(metrics.gammas.map(({ sample }) => sample.values[0])).toEqual([1, 0.5, 0.4, 0.2]);
    // Ten steps made an epoch of the first training, five more half of the next.
    expect(metrics.step).toBe(15);
    expect(overEpochs({ ...metrics, stepsPerEpoch: 10 }, null)['trainLoss']?.x).toEqual([1, 1.5]);
  });

  it('leaves out what is no number, and thins what grows too long', () => {
    let metrics = appendMetric(noMetrics, batch(1, 1, Number.NaN));
    expect(metrics.series).toEqual({});
    for (let step = 2; step <= 5000; step++) metrics = appendMetric(metrics, batch(step, 1, step));
    const { x = [], y = [] } = metrics.series['trainLoss'] ?? {};
    expect(x.length).toBeLessThanOrEqual(4096);
    expect(x.length).toBe(y.length);
    expect(x.at(-1)).toBe(5000);
    expect(x).toEqual(x.toSorted((a, b) => a - b));
  });

  it('finds the best epoch', () => {
    expect(bestPoint({ x: [1, 2, 3], y: [0.8, 0.92, 0.9] })).toEqual({ x: 2, y: 0.92 });
    expect(bestPoint(undefined)).toBeNull();
  });

  it('smooths from the first value on', () => {
    expect(smoothed({ x: [0, 1, 2], y: [1, 0, 0] }, 0.5).y).toEqual([1, 0.5, 0.25]);
    expect(smoothed({ x: [0], y: [7] }, 0)).toEqual({ x: [0], y: [7] });
  });

  it('draws a stored history without the epochs that had no validation', () => {
    const record = {
      learningRate: 0.1,
      trainLoss: 1,
      trainAccuracy: 0.5,
      imagesPerSecond: 100,
    };
    const series = historySeries([
      { ...record, epoch: 1, valLoss: null, valAccuracy: null },
      { ...record, epoch: 2, valLoss: 0.9, valAccuracy: 0.6 },
    ]);
    expect(series['valAccuracy']).toEqual({ x: [2], y: [0.6] });
    expect(series['trainLoss']).toEqual({ x: [1, 2], y: [1, 1] });
  });
});
