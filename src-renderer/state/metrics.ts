// Live metrics of a job as series that a chart can draw: appended as they come, thinned when they grow long.
import type { Metric } from '../../src-main/engine/context';
import type { EpochRecord } from '../../src-main/engine/train/types';

/** Points of one quantity, x ascending. */
export interface Series {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

export interface Metrics {
  readonly series: Readonly<Record<string, Series>>;
  /** Epoch of the newest point, counted over all trainings of the job. */
  readonly epoch: number;
  /** Epochs of the trainings before the present one: a job that cuts in steps trains several times. */
  readonly offset: number;
}

export const noMetrics: Metrics = { series: {}, epoch: 0, offset: 0 };

/** Longest series that is kept; a chart is some hundred pixels wide. */
const longest = 4096;

/**
 * Adds a point at `position`, the fraction of epochs done in the present training (2.5: in the middle of the
 * third epoch).
 */
export function appendMetric(metrics: Metrics, metric: Metric, position: number): Metrics {
  const restarted = metrics.offset + metric.epoch < metrics.epoch;
  const offset = restarted ? metrics.epoch : metrics.offset;
  const x = offset + position;
  const series = { ...metrics.series };
  for (const [name, y] of Object.entries(metric.values)) {
    if (!Number.isFinite(y)) continue;
    const before = series[name] ?? { x: [], y: [] };
    series[name] = thinned({ x: [...before.x, x], y: [...before.y, y] });
  }
  return { series, epoch: offset + metric.epoch, offset };
}

/** True for figures of a whole epoch, false for those of a batch within it. */
export function isOfEpoch(values: Metric['values']): boolean {
  return Object.keys(values).some((name) => name.startsWith('val'));
}

/** Metrics that were stored while nobody looked: batches are spread evenly over their epoch. */
export function restoreMetrics(stored: readonly Metric[]): Metrics {
  let metrics = noMetrics;
  let start = 0;
  while (start < stored.length) {
    const epoch = stored[start]?.epoch ?? 0;
    let end = start;
    while (end < stored.length && stored[end]?.epoch === epoch) end += 1;
    const ofEpoch = stored.slice(start, end);
    ofEpoch.forEach((metric, index) => {
      const within = isOfEpoch(metric.values) ? 1 : (index + 1) / ofEpoch.length;
      metrics = appendMetric(metrics, metric, epoch - 1 + within);
    });
    start = end;
  }
  return metrics;
}

/** Every second point of a series that grew too long; the last one always stays. */
function thinned(series: Series): Series {
  if (series.x.length <= longest) return series;
  const stays = (_: number, index: number): boolean =>
    index % 2 === 0 || index === series.x.length - 1;
  return { x: series.x.filter(stays), y: series.y.filter(stays) };
}

/** The history stored with a version, as the same series, one point an epoch. */
export function historySeries(history: readonly EpochRecord[]): Metrics['series'] {
  const names = [
    'trainLoss',
    'valLoss',
    'trainAccuracy',
    'valAccuracy',
    'learningRate',
    'imagesPerSecond',
  ] as const;
  return Object.fromEntries(
    names.map((name) => {
      const points = history.filter((record) => record[name] !== null);
      return [
        name,
        { x: points.map((record) => record.epoch), y: points.map((record) => record[name] ?? 0) },
      ];
    }),
  );
}

/** The point with the largest y: the best epoch of a validation accuracy. Null for an empty series. */
export function bestPoint(series: Series | undefined): { x: number; y: number } | null {
  let best: { x: number; y: number } | null = null;
  series?.y.forEach((y, index) => {
    const x = series.x[index] ?? 0;
    if (best === null || y > best.y) best = { x, y };
  });
  return best;
}

/** Exponential moving average; `weight` 0 leaves the series as it is, near 1 smooths most. */
export function smoothed(series: Series, weight: number): Series {
  if (weight === 0) return series;
  let average = series.y[0] ?? 0;
  return {
    x: series.x,
    y: series.y.map((value) => (average = weight * average + (1 - weight) * value)),
  };
}
