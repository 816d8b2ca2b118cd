// Default options of training.

import type { Task } from '../data/types';
import type {
  AdamOptions,
  DistillOptions,
  OptimizerOptions,
  ScheduleOptions,
  SgdOptions,
  TrainOptions,
} from './types';

const sgd: SgdOptions = {
  kind: 'sgd',
  learningRate: 0.1,
  momentum: 0.9,
  nesterov: true,
  weightDecay: 1e-4,
  decayAll: false,
};

/** A rate that fits Adam; of the moments those of Kingma and Ba 2015. */
const adam: AdamOptions = {
  kind: 'adam',
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 1e-4,
  decayAll: false,
};

// The decay of AdamW multiplies with the rate: PyTorch's default.
const adamw: AdamOptions = { ...adam, kind: 'adamw', weightDecay: 1e-2 };

/** Weights that are trained already take a tenth of the rate. */
const gentle = <O extends OptimizerOptions>(optimizer: O): O => ({
  ...optimizer,
  learningRate: optimizer.learningRate / 10,
});

/** What one trains for: to recover trained weights, or from random ones. */
export type TrainPurpose = 'fine-tune' | 'full';

export interface OptimizerDefaults extends Readonly<
  Record<OptimizerOptions['kind'], OptimizerOptions>
> {
  readonly sgd: SgdOptions;
  readonly adam: AdamOptions;
  readonly adamw: AdamOptions;
}

/** What each optimizer is set to when it is chosen. */
export const optimizerDefaults: Readonly<Record<TrainPurpose, OptimizerDefaults>> = {
  full: { sgd, adam, adamw },
  'fine-tune': { sgd: gentle(sgd), adam: gentle(adam), adamw: gentle(adamw) },
};

export type ScheduleDefaults = Readonly<Record<ScheduleOptions['kind'], ScheduleOptions>>;

/** What each schedule is set to when it is chosen; the one cycle as in PyTorch's OneCycleLR. */
export const scheduleDefaults: ScheduleDefaults = {
  constant: { kind: 'constant', warmupEpochs: 0 },
  cosine: { kind: 'cosine', warmupEpochs: 0, finalFactor: 0 },
  step: { kind: 'step', warmupEpochs: 0, milestones: [0.5, 0.75], factor: 0.1 },
  'one-cycle': {
    kind: 'one-cycle',
    warmupEpochs: 0,
    riseShare: 0.3,
    startFactor: 1 / 25,
    finalFactor: 1 / 25 / 1e4,
  },
};

/** Hinton et al. 2015 take most of the loss from the teacher. */
export const distillDefaults: DistillOptions = { temperature: 4, alpha: 0.1, hints: 0 };

/**
 * Strength of the penalty on gamma in Network Slimming (Liu et al. 2017, section 4.2): this for VGG, a tenth of it for
 * ResNet and DenseNet, over 160 epochs. Short trainings need more.
 */
export const slimmingSparsity = 1e-4;

/**
 * Norm that gradients are scaled down to. Those of a squared error are as large as what is to be told: without a bound,
 * values of some hundred make the first steps of SGD run away.
 */
export const defaultClip: Readonly<Record<Task, number | null>> = {
  classes: null,
  labels: null,
  values: 1,
};

/** Batches whose statistics replace those of the uncut network. */
export const recalibrateDefaults = { batches: 20, batchSize: 128, seed: 0 } as const;

const shared = {
  batchSize: 128,
  seed: 1,
  // He et al. 2016, section 4.2.
  augment: { flip: true, padCrop: 4 },
  valueLoss: 'mse',
  gammaSparsity: 0,
  labelSmoothing: 0,
  mixup: 0,
  clipNorm: defaultClip.classes,
  ema: null,
  patience: null,
  distill: null,
  samplesPerEpoch: null,
  keepBest: true,
} satisfies Partial<TrainOptions>;

/** Training from random weights: SGD from 0.1 down to 0 along a cosine, after an epoch of warm-up. */
export function fullTrainingDefaults(epochs: number): TrainOptions {
  return {
    ...shared,
    epochs,
    optimizer: optimizerDefaults.full.sgd,
    schedule: { ...scheduleDefaults.cosine, warmupEpochs: Math.min(1, epochs / 10) },
  };
}

/** Recovery of a trained network after a cut: a tenth of the learning rate, without warm-up. */
export function fineTuneDefaults(epochs: number): TrainOptions {
  return {
    ...shared,
    epochs,
    optimizer: optimizerDefaults['fine-tune'].sgd,
    schedule: scheduleDefaults.cosine,
  };
}
