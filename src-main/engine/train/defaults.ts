// Training options that work for an engineer who changes nothing.

import type { TrainOptions } from './types';

const base = {
  batchSize: 128,
  seed: 0,
  augment: { flip: true, padCrop: 2 },
  gammaSparsity: 0,
  samplesPerEpoch: null,
  keepBest: true,
} as const;

/**
 * Winning accuracy back after a cut. Higher than the constant 0.001 of Li et al. 2017 (which takes 40 epochs)
 * and decaying to nothing, so that a few epochs are enough.
 */
export function fineTuneDefaults(epochs: number): TrainOptions {
  return {
    ...base,
    epochs,
    optimizer: {
      kind: 'sgd',
      learningRate: 0.02,
      momentum: 0.9,
      nesterov: true,
      weightDecay: 1e-4,
      decayAll: false,
    },
    schedule: { kind: 'cosine', warmupEpochs: 0, finalFactor: 0.01 },
  };
}

/** Training from random weights: the recipe of Liu et al. 2017 (SGD, Nesterov, 0.1) with a cosine in place of steps. */
export function fullTrainingDefaults(epochs: number): TrainOptions {
  return {
    ...fineTuneDefaults(epochs),
    optimizer: {
      kind: 'sgd',
      learningRate: 0.1,
      momentum: 0.9,
      nesterov: true,
      weightDecay: 1e-4,
      decayAll: false,
    },
    schedule: { kind: 'cosine', warmupEpochs: Math.min(2, epochs / 10), finalFactor: 0 },
  };
}
