// How far the penalty on gamma moves what nothing else holds: whether a training can bring gammas to 0 at all.

import { learningRateAt } from './schedule';
import type { TrainOptions } from './types';

/**
 * The distance that a gamma falls which the loss does not depend on: each step of SGD takes rate * s off it, and
 * momentum m repeats that by 1 / (1 - m) in all (the steps at the end of the run have not had their repetitions yet,
 * which matters little). Null for Adam, which divides by the size of the gradient.
 */
export function gammaTravel(options: TrainOptions, images: number): number | null {
  const { optimizer, schedule, epochs, batchSize, samplesPerEpoch, gammaSparsity } = options;
  if (optimizer.kind !== 'sgd') return null;
  const steps = Math.ceil(Math.min(images, samplesPerEpoch ?? images) / batchSize);
  let sum = 0;
  for (let step = 0; step < epochs * steps; step++) {
    sum += learningRateAt(schedule, optimizer.learningRate, step / steps, epochs, 1 / steps);
  }
  return (gammaSparsity * sum) / (1 - optimizer.momentum);
}
