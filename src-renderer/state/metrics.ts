// Live metrics of a job as series that a chart can draw: appended as they come, thinned when they grow long.
import type { Metric } from '../../src-main/engine/context';
import type { GammaSample } from '../../src-main/engine/train/gammas';
import type { EpochRecord } from '../../src-main/engine/train/types';

/** Points of one quantity, x ascending. */
export interface Series {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** The gammas at the end of an epoch of one of the trainings of a job; epoch 0 is before the first. */
export interface GammaPoint {
  /** Counts from 1. */
  readonly training: number;
  readonly epoch: number;
  readonly sample: GammaSample;
}

export interface Metrics {
  /** Over global steps, counted through all trainings of the job. */
  readonly series: Readonly<Record<string, Series>>;
  /** Newest step. */
  readonly step: number;
  /** Steps of the trainings before the present one: a job that cuts in steps trains several times. */
  readonly offset: number;
  /** Known after the first epoch. */
  readonly stepsPerEpoch: number | null;
  readonly gammas: readonly GammaPoint[];
}

export const noMetrics: Metrics = {
  series: {},
  step: 0,
  offset: 0,
  stepsPerEpoch: null,
  gammas: [],
};

/** Longest series that is kept; a chart is some hundred pixels wide. */
const longest = 4096;

/** Figures of a batch come with their step, those of a whole epoch after its last step. */
function isOfEpoch({ values, gammas }: Metric): boolean {
  return gammas !== undefined || Object.keys(values).some((name) => name.startsWith('val'));
}

/** Adds a point. */
export function appendMetric(metrics: Metrics, metric: Metric): Metrics {
  const ofEpoch = isOfEpoch(metric);
  const gammas = withGammas(metrics.gammas, metric);
  if (ofEpoch && metric.epoch === 0) return { ...metrics, offset: metrics.step, gammas };
  const restarted = !ofEpoch && metrics.offset + metric.step <= metrics.step;
  const offset = restarted ? metrics.step : metrics.offset;
  const step = ofEpoch ? Math.max(metrics.step, metric.epoch) : offset + metric.step;
  const series = { ...metrics.series };
  for (const [name, y] of Object.entries(metric.values)) {
    if (!Number.isFinite(y)) continue;
    const before = series[name] ?? { x: [], y: [] };
    series[name] = thinned({ x: [...before.x, step], y: [...before.y, y] });
  }
  const stepsPerEpoch = ofEpoch ? (step - offset) / metric.epoch : metrics.stepsPerEpoch;
  return { series, step, offset, stepsPerEpoch, gammas };
}

function withGammas(
  points: readonly GammaPoint[],
  { epoch, gammas: sample }: Metric,
): readonly GammaPoint[] {
  if (sample === undefined) return points;
  const last = points.at(-1);
  const begun =
    last !== undefined && epoch > last.epoch ? last.training : (last?.training ?? 0) + 1;
  return [...points, { training: begun, epoch, sample }];
}

/** The series over epochs; `stepsPerEpoch` serves until the first epoch has ended. */
export function overEpochs(metrics: Metrics, stepsPerEpoch: number | null): Metrics['series'] {
  const length = metrics.stepsPerEpoch ?? stepsPerEpoch ?? Math.max(1, metrics.step);
  return Object.fromEntries(
    Object.entries(metrics.series).map(([name, { x, y }]) => [
      name,
      { x: x.map((step) => step / length), y },
    ]),
  );
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
    'valMacroF1',
    'trainMae',
    'valMae',
    'learningRate',
    'imagesPerSecond',
  ] as const;
  return Object.fromEntries(
    names.map((name) => {
      const points = history.filter((record) => typeof record[name] === 'number');
      return [
        name,
        { x: points.map((record) => record.epoch), y: points.map((record) => record[name] ?? 0) },
      ];
    }),
  );
}

/** The point with the best y: the largest of accuracies, the smallest of errors. Null for an empty series. */
export function bestPoint(
  series: Series | undefined,
  kind: 'accuracy' | 'error' = 'accuracy',
): { x: number; y: number } | null {
  let best: { x: number; y: number } | null = null;
  series?.y.forEach((y, index) => {
    const x = series.x[index] ?? 0;
    const isBetter = best === null || (kind === 'error' ? y < best.y : y > best.y);
    if (isBetter) best = { x, y };
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
