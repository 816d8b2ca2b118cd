// What training needs of whatever computes its steps: a backend of this process, or a GPU that only a window
// reaches. Loader, schedule, bookkeeping and checkpoints stay with the trainer.

import type { Batch } from '../data/loader';
import type { ImageShape, Task } from '../data/types';
import type { RngState } from '../graph/rng';
import type { Graph, Model, WeightId } from '../graph/types';
import type { Scorer } from '../measure/scorer';
import type { AverageState } from './average';
import type { OptimizerState } from './optimizer';
import type { BackendName, TrainOptions } from './types';

/** Sums over the samples of some batches. */
export interface StepResult {
  readonly loss: number;
  /**
   * Right answers, shares of right labels, or mean absolute errors. With mixup, right answers to either of a pair count
   * by its share.
   */
  readonly score: number;
  readonly samples: number;
}

/** What steps need, beside the weights, to go on as if they had never stopped. */
export interface StepState {
  readonly optimizer: OptimizerState;
  readonly dropout: RngState;
  readonly mixup: RngState;
  /** Null without a moving average. */
  readonly average: AverageState | null;
}

export interface StepRequest {
  /** With the weights to start from. */
  readonly model: Model;
  readonly shape: ImageShape;
  readonly task: Task;
  readonly options: TrainOptions;
  readonly teacher: Model | null;
  /** Null at the start of a training. */
  readonly state: StepState | null;
}

/**
 * A training of one model, step by step. What counts, and what it scores with, is the average of the weights where
 * there is one, else the weights.
 */
export interface TrainingStep extends Scorer {
  /**
   * Trains on a batch. Without a finite loss no trained weight is changed, and that loss returned.
   * @throws AppError OUT_OF_MEMORY
   */
  take(batch: Batch, rate: number): Promise<StepResult>;
  /** Numbers of some of the weights that count. */
  read(ids: readonly WeightId[]): Promise<readonly Float32Array[]>;
  /** The weights that count. */
  result(): Promise<Graph>;
  /** The weights that the next step starts from. */
  weights(): Promise<Graph>;
  state(): Promise<StepState>;
  dispose(): Promise<void>;
}

export interface Compute {
  readonly name: BackendName;
  /** Library, version and device, for people and for the record of what computed a figure. */
  readonly detail: string;
  /** Why native TensorFlow is not in use although it would have been taken; else null. */
  readonly fallbackReason: string | null;
  /**
   * @throws AppError DATA_MISMATCH when the model cannot do the task or the teacher does not fit, INVALID_ARGUMENT
   * when there is a teacher and nothing to do with it, or the other way round, or an option is none of the task
   */
  begin(request: StepRequest): Promise<TrainingStep>;
}
