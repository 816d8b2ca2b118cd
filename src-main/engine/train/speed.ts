// How fast a training will go here, from a few of its steps that are thrown away.

import { setImmediate } from 'node:timers/promises';
import type { EngineContext } from '../context';
import type { Dataset } from '../data/types';
import type { Model } from '../graph/types';
import { startStopwatch } from '../measure/stopwatch';
import type { Compute } from './compute';
import { nextBatch } from './rate-finder';
import { taskOf } from './task-loss';
import { trainingCompute, trainingLoader, trainingSplit } from './trainer';
import type { TrainOptions } from './types';

/** The first steps of a process load kernels and fill caches. */
const warmUpSteps = 2;
const leastSteps = 3;
/** Seconds after which enough has been seen. */
const enough = 1.5;

/**
 * Images a second of a training with these options, validation and what a teacher costs not included. The model
 * stays as it is.
 * @throws AppError as `train` does, or the reason of the signal, which is looked at before each step
 */
export async function measureTrainingSpeed(
  model: Model,
  dataset: Dataset,
  options: TrainOptions,
  context: EngineContext,
  compute?: Compute,
): Promise<number> {
  const split = trainingSplit(dataset);
  const alone = { ...options, distill: null };
  const loader = trainingLoader(split, alone);
  const chosen = await trainingCompute(compute);
  const step = await chosen.begin({
    model,
    shape: split,
    task: taskOf(split),
    options: alone,
    teacher: null,
    state: null,
  });
  try {
    let elapsed = startStopwatch();
    let samples = 0;
    for (let taken = 0; taken < warmUpSteps + leastSteps || elapsed() < enough; taken++) {
      if (taken === warmUpSteps) [elapsed, samples] = [startStopwatch(), 0];
      const batch = await nextBatch(loader);
      await setImmediate();
      context.signal.throwIfAborted();
      // At rate 0 nothing runs away, and everything is computed all the same.
      samples += (await step.take(batch, 0)).samples;
    }
    return samples / elapsed();
  } finally {
    await step.dispose();
  }
}
