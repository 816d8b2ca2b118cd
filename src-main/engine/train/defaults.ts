// Default options of training.

import type { OptimizerOptions, TrainOptions } from './types';

const sgd: OptimizerOptions = {
  kind: 'sgd',
  learningRate: 0.1,
  momentum: 0.9,
  nesterov: true,
  weightDecay: 1e-4,
  decayAll: false,
};

const shared = {
  batchSize: 128,
  seed: 1,
  // He et al. 2016, section 4.2.
  augment: { flip: true, padCrop: 4 },
  gammaSparsity: 0,
  samplesPerEpoch: null,
  keepBest: true,
} satisfies Partial<TrainOptions>;

/** Training from random weights: SGD from 0.1 down to 0 along a cosine, after an epoch of warm-up. */
export function fullTrainingDefaults(epochs: number): TrainOptions {
  return {
    ...shared,
    epochs,
    optimizer: sgd,
    schedule: { kind: 'cosine', warmupEpochs: Math.min(1, epochs / 10), finalFactor: 0 },
  };
}

/** Recovery of a trained network after a cut: a tenth of the learning rate, without warm-up. */
export function fineTuneDefaults(epochs: number): TrainOptions {
  return {
    ...shared,
    epochs,
    optimizer: { ...sgd, learningRate: 0.01 },
    schedule: { kind: 'cosine', warmupEpochs: 0, finalFactor: 0 },
  };
}
