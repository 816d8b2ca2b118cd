// What every long-running engine function is given: cancellation, progress, live metrics and a log.

import type { GammaSample } from './train/gammas';

/** One step of a long computation. `phase` is a short stable word; `label` is for people. */
export interface Progress {
  readonly phase:
    | 'reading'
    | 'decoding'
    | 'planning'
    | 'pruning'
    | 'checking'
    | 'calibrating'
    | 'training'
    | 'evaluating'
    | 'measuring'
    | 'exporting'
    | 'verifying'
    | 'writing';
  readonly label: string;
  /** Units done and in total; total 0 means unknown. */
  readonly done: number;
  readonly total: number;
}

/** A point of a time series: training and validation figures. */
export interface Metric {
  /** Global step (train) or epoch (validation). */
  readonly step: number;
  readonly epoch: number;
  /** For instance trainLoss, trainAccuracy, valLoss, valAccuracy, learningRate, imagesPerSecond. */
  readonly values: Readonly<Record<string, number>>;
  /** The distribution of gammas at the end of the epoch; with epoch 0, before the first. */
  readonly gammas?: GammaSample;
}

export interface EngineContext {
  /** Checked between batches; functions throw its reason (an AppError CANCELLED) when aborted. */
  readonly signal: AbortSignal;
  progress(progress: Progress): void;
  metric(metric: Metric): void;
  log(level: 'info' | 'warn', text: string): void;
}

/** A context that listens to nothing: for tests and small synchronous work. */
export const silentContext: EngineContext = {
  signal: new AbortController().signal,
  progress: () => undefined,
  metric: () => undefined,
  log: () => undefined,
};
