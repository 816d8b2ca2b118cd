// Options and results of training. Defaults live in `train/defaults.ts`.

import type { Model } from '../graph/types';

interface EveryOptimizer {
  readonly learningRate: number;
  /** Not on BN and bias unless `decayAll`. L2 penalty added to the gradient; decoupled from it with AdamW. */
  readonly weightDecay: number;
  readonly decayAll: boolean;
}

export interface SgdOptions extends EveryOptimizer {
  readonly kind: 'sgd';
  readonly momentum: number;
  readonly nesterov: boolean;
}

/** Kingma and Ba 2015; with decoupled decay ('adamw') Loshchilov and Hutter 2019. As PyTorch computes them. */
export interface AdamOptions extends EveryOptimizer {
  readonly kind: 'adam' | 'adamw';
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

export type OptimizerOptions = SgdOptions | AdamOptions;

interface EverySchedule {
  /** Epochs, also in fractions, over which the rate rises linearly to where the schedule begins; 0 is none. */
  readonly warmupEpochs: number;
}

export interface ConstantSchedule extends EverySchedule {
  readonly kind: 'constant';
}

export interface CosineSchedule extends EverySchedule {
  readonly kind: 'cosine';
  readonly finalFactor: number;
}

/** Multiplies by `factor` at each fraction of the epochs, for instance 0.5 and 0.75. */
export interface StepSchedule extends EverySchedule {
  readonly kind: 'step';
  readonly milestones: readonly number[];
  readonly factor: number;
}

/** Up along a cosine from `startFactor` to the base rate over `riseShare` of the steps, down to `finalFactor`. */
export interface OneCycleSchedule extends EverySchedule {
  readonly kind: 'one-cycle';
  readonly riseShare: number;
  readonly startFactor: number;
  readonly finalFactor: number;
}

export type ScheduleOptions = ConstantSchedule | CosineSchedule | StepSchedule | OneCycleSchedule;

export interface AugmentOptions {
  readonly flip: boolean;
  /** Pixels of zero padding before a random crop back to size; 0 is off. */
  readonly padCrop: number;
}

/**
 * alpha * cross-entropy + (1 - alpha) * T^2 * KL(teacher / T || student / T) (Hinton et al. 2015), and
 * hints / 2 * the squared distances of their attention maps (Zagoruyko and Komodakis 2017).
 */
export interface DistillOptions {
  readonly temperature: number;
  readonly alpha: number;
  /** The paper's beta; 0 is off. */
  readonly hints: number;
}

/** What regression minimises: the mean squared error, or the mean absolute error. */
export type ValueLoss = 'mse' | 'mae';

export interface TrainOptions {
  readonly epochs: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly optimizer: OptimizerOptions;
  readonly schedule: ScheduleOptions;
  readonly augment: AugmentOptions;
  /** Of data with values; others do without. */
  readonly valueLoss: ValueLoss;
  /** Strength s of the L1 subgradient s * sign(gamma) on BN gamma (Liu et al. 2017); 0 is off. */
  readonly gammaSparsity: number;
  /** Share of each label that is spread evenly over all classes (Szegedy et al. 2016); 0 is off. */
  readonly labelSmoothing: number;
  /** Images and labels mixed in pairs, by shares of Beta(mixup, mixup) (Zhang et al. 2018); 0 is off. */
  readonly mixup: number;
  /** Gradients together are scaled down to this norm at most; null is off. */
  readonly clipNorm: number | null;
  /** Decay of a moving average of the weights, which then is what is evaluated and kept; null is off. */
  readonly ema: number | null;
  /** Stops after this many epochs without a better validation; null is off. */
  readonly patience: number | null;
  /** Learns from a teacher too; null is off. */
  readonly distill: DistillOptions | null;
  /** Limits each epoch to this many samples; null takes all. */
  readonly samplesPerEpoch: number | null;
  /** Keep the weights of the best validation epoch rather than of the last. */
  readonly keepBest: boolean;
}

/** How batch norm statistics are computed anew. */
export interface RecalibrateOptions {
  readonly batches: number;
  readonly batchSize: number;
  /** Chooses the images. */
  readonly seed: number;
}

export interface EpochRecord {
  readonly epoch: number;
  readonly learningRate: number;
  readonly trainLoss: number;
  /** Share of right answers, or of right labels; null where values are learned. */
  readonly trainAccuracy: number | null;
  readonly valLoss: number | null;
  readonly valAccuracy: number | null;
  /** Where an image has several labels. */
  readonly valMacroF1?: number | null;
  /** Mean absolute errors, where values are learned. */
  readonly trainMae?: number;
  readonly valMae?: number | null;
  readonly imagesPerSecond: number;
}

export interface TrainResult {
  readonly model: Model;
  readonly history: readonly EpochRecord[];
  readonly bestEpoch: number;
  readonly backend: string;
}

/** A step of the search for a learning rate. */
export interface RatePoint {
  readonly learningRate: number;
  /** Mean of the batch, and the exponential mean of those up to it. */
  readonly loss: number;
  readonly smoothed: number;
}

export interface RateCurve {
  /** One a step, until the loss ran away. */
  readonly points: readonly RatePoint[];
  /** Where the smoothed loss falls fastest; null where it does not fall by more than noise. */
  readonly steepest: number | null;
  /**
   * The highest rate whose smoothed loss is the lowest but for the noise of the batches: a flat bottom, as that of a
   * network that is trained already, has its lowest point anywhere.
   */
  readonly lowest: number;
  /** A tenth of `lowest`: high enough to be quick, far enough from where it runs away. */
  readonly suggestion: number;
}

/** 'webgpu' computes in a window only; the others in any process. */
export type BackendName = 'tensorflow' | 'cpu' | 'webgpu';
