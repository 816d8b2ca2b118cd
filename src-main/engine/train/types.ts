// Options and results of training. Defaults live in `train/defaults.ts`.

import type { Model } from '../graph/types';

export type OptimizerOptions = {
  readonly kind: 'sgd';
  readonly learningRate: number;
  readonly momentum: number;
  readonly nesterov: boolean;
  /** L2 penalty added to the gradient; not on BN and bias unless `decayAll`. */
  readonly weightDecay: number;
  readonly decayAll: boolean;
};

export type ScheduleOptions =
  | { readonly kind: 'constant' }
  | { readonly kind: 'cosine'; readonly warmupEpochs: number; readonly finalFactor: number }
  /** Multiplies by `factor` at each fraction of the epochs, for instance 0.5 and 0.75. */
  | {
      readonly kind: 'step';
      readonly warmupEpochs: number;
      readonly milestones: readonly number[];
      readonly factor: number;
    };

export interface AugmentOptions {
  readonly flip: boolean;
  /** Pixels of zero padding before a random crop back to size; 0 is off. */
  readonly padCrop: number;
}

export interface TrainOptions {
  readonly epochs: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly optimizer: OptimizerOptions;
  readonly schedule: ScheduleOptions;
  readonly augment: AugmentOptions;
  /** Strength s of the L1 subgradient s * sign(gamma) on BN gamma (Liu et al. 2017); 0 is off. */
  readonly gammaSparsity: number;
  /** Limits each epoch to this many samples; null takes all. */
  readonly samplesPerEpoch: number | null;
  /** Keep the weights of the best validation epoch rather than of the last. */
  readonly keepBest: boolean;
}

export interface EpochRecord {
  readonly epoch: number;
  readonly learningRate: number;
  readonly trainLoss: number;
  readonly trainAccuracy: number;
  readonly valLoss: number | null;
  readonly valAccuracy: number | null;
  readonly imagesPerSecond: number;
}

export interface TrainResult {
  readonly model: Model;
  readonly history: readonly EpochRecord[];
  readonly bestEpoch: number;
  readonly backend: string;
}

export type BackendName = 'tensorflow' | 'cpu';
