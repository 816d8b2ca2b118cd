// The learning rate range test: what the loss does while the rate rises from far too low to far too high.
//
// Smith 2017, "Cyclical Learning Rates for Training Neural Networks", section 3.3; with the exponential steps and
// the smoothing of fastai's lr_find.

import { setImmediate } from 'node:timers/promises';
import type { EngineContext } from '../context';
import type { Batch, BatchLoader } from '../data/loader';
import type { Dataset } from '../data/types';
import { AppError } from '../errors';
import type { Model } from '../graph/types';
import { taskOf } from './task-loss';
import { trainingCompute, trainingLoader, trainingSplit, type TrainRun } from './trainer';
import type { RateCurve, RatePoint, TrainOptions } from './types';

export interface RateSweep {
  readonly from: number;
  readonly to: number;
  readonly steps: number;
}

export const defaultSweep: RateSweep = { from: 1e-6, to: 10, steps: 200 };

/** Weight of the past in the smoothed loss. */
const inertia = 0.95;
/** A smoothed loss this often the lowest has run away. */
const runaway = 4;
/** Points that only begin the smoothing. */
const beginning = 10;
/** Standard deviations of the smoothed loss that are no more than noise. */
const significant = 3;

/**
 * Trains on one batch a rate, with the options of the training to come but for its rate and schedule. The model is
 * left as it is.
 * @throws AppError DATA_MISMATCH, INVALID_ARGUMENT, OUT_OF_MEMORY, TRAIN_DIVERGED when already the first losses
 * are no numbers, or the reason of the signal
 */
export async function findLearningRate(
  model: Model,
  dataset: Dataset,
  options: TrainOptions,
  context: EngineContext,
  run: Omit<TrainRun, 'resume'> & { readonly sweep?: RateSweep } = {},
): Promise<RateCurve> {
  const { teacher = null, sweep = defaultSweep } = run;
  const compute = await trainingCompute(run.compute);
  const split = trainingSplit(dataset);
  const plain = { ...options, ema: null };
  const asked = { model, shape: split, task: taskOf(split), options: plain };
  const step = await compute.begin({ ...asked, teacher, state: null });
  const loader = trainingLoader(split, plain);
  const points: RatePoint[] = [];
  let [sum, weight, best] = [0, 0, Infinity];
  try {
    for (let i = 0; i < sweep.steps; i++) {
      const batch = await nextBatch(loader);
      await setImmediate();
      context.signal.throwIfAborted();
      const learningRate = sweep.from * (sweep.to / sweep.from) ** (i / (sweep.steps - 1));
      const result = await step.take(batch, learningRate);
      const loss = result.loss / result.samples;
      if (!Number.isFinite(loss)) break;
      sum = inertia * sum + (1 - inertia) * loss;
      weight = inertia * weight + (1 - inertia);
      const smoothed = sum / weight;
      if (smoothed > runaway * best) break;
      best = Math.min(best, smoothed);
      points.push({ learningRate, loss, smoothed });
      const label = 'Looking for a learning rate';
      context.progress({ phase: 'training', label, done: i + 1, total: sweep.steps });
    }
  } finally {
    await step.dispose();
  }
  return readCurve(points);
}

/** What a curve says. @throws AppError TRAIN_DIVERGED when there are too few points to say anything */
export function readCurve(points: readonly RatePoint[]): RateCurve {
  const settled = points.slice(beginning);
  if (settled.length < 3) {
    throw new AppError(
      'TRAIN_DIVERGED',
      'The loss runs away at once, even at the lowest rate.',
      'Check the data set and its preprocessing.',
    );
  }
  const least = Math.min(...settled.map(({ smoothed }) => smoothed));
  const noise = significant * smoothedNoise(settled);
  const { learningRate: lowest } = settled
    .filter(({ smoothed }) => smoothed <= least + noise)
    .at(-1)!;
  let [steepest, fastest]: [number | null, number] = [null, 0];
  const falls = settled[0]!.smoothed - least > 2 * noise;
  for (let i = 1; falls && i < settled.length - 1 && settled[i]!.learningRate <= lowest; i++) {
    const [before, after] = [settled[i - 1]!, settled[i + 1]!];
    const width = Math.log(after.learningRate / before.learningRate);
    const slope = (after.smoothed - before.smoothed) / width;
    if (slope < fastest) [steepest, fastest] = [settled[i]!.learningRate, slope];
  }
  return { points, steepest, lowest, suggestion: lowest / 10 };
}

/**
 * Standard deviation of the smoothed loss by the chance of the batches alone: that of the losses, from the median
 * step between neighbours (which neither a trend nor the runaway moves), times that of an exponential mean.
 */
function smoothedNoise(points: readonly RatePoint[]): number {
  const steps = points.slice(1).map(({ loss }, i) => Math.abs(loss - points[i]!.loss));
  const median = steps.sort((a, b) => a - b)[Math.floor(steps.length / 2)]!;
  // Of a normal distribution the median of |x| is 0.6745 standard deviations; a difference has two variances.
  const deviation = median / 0.6745 / Math.SQRT2;
  return deviation * Math.sqrt((1 - inertia) / (1 + inertia));
}

/** The next batch of this epoch or the next one, of more than one image unless all are of one. */
export async function nextBatch(loader: BatchLoader): Promise<Batch> {
  for (;;) {
    const batch = await loader.next();
    if (batch !== null && (batch.count > 1 || loader.batchesPerEpoch === loader.samplesPerEpoch)) {
      return batch;
    }
  }
}
