// One step of training: a batch forwards and backwards, and the update of the weights.

import type { Batch } from '../data/loader';
import type { ImageSplit } from '../data/types';
import { AppError } from '../errors';
import { createRng, type Rng, type RngState } from '../graph/rng';
import type { Graph, Model } from '../graph/types';
import { indexOfLargest } from '../measure/accuracy';
import type { Backend } from '../runtime/backend';
import type { CrossEntropy, Tensor } from '../runtime/primitives';
import { WeightAverage, type AverageState } from './average';
import { BatchInput } from './batch-input';
import { clipByGlobalNorm } from './clip';
import { distilled, Teacher } from './distill';
import { compile, type Executable } from './executor';
import { classificationLoss, classifierHead, type ClassifierHead } from './loss';
import { asMemoryError } from './memory';
import { drawMix, mixImages, type Mix } from './mixup';
import { createOptimizer, type Optimizer, type OptimizerState } from './optimizer';
import { targetShares } from './targets';
import type { TrainOptions } from './types';

/** Sums over the samples of some batches. */
export type StepResult = {
  readonly loss: number;
  /** Right answers; with mixup, of a pair each counts by its share. */
  readonly right: number;
  readonly samples: number;
};

/** What steps need, beside the weights, to go on as if they had never stopped. */
export interface StepState {
  readonly optimizer: OptimizerState;
  readonly dropout: RngState;
  readonly mixup: RngState;
  /** Null without a moving average. */
  readonly average: AverageState | null;
}

export class TrainStep {
  readonly head: ClassifierHead;
  private readonly executable: Executable;
  private readonly average: WeightAverage | null;
  private readonly teacher: Teacher | null;
  private readonly optimizer: Optimizer;
  private readonly input: BatchInput;
  private readonly dropout: Rng;
  private readonly mixup: Rng;

  /**
   * @param graph the model's, with the weights to start from
   * @throws AppError DATA_MISMATCH when the model is no classifier or the teacher does not fit, INVALID_ARGUMENT
   * when there is a teacher and nothing to do with it, or the other way round
   */
  constructor(
    model: Model,
    graph: Graph,
    split: ImageSplit,
    private readonly options: TrainOptions,
    private readonly backend: Backend,
    teacher: Model | null,
    state: StepState | null,
  ) {
    const { batchSize, seed, optimizer, gammaSparsity, ema, distill } = options;
    if ((teacher === null) !== (distill === null)) throw oneWithoutTheOther(teacher !== null);
    this.head = classifierHead(model);
    this.input = new BatchInput(backend.tf, split, model.preprocessing, batchSize);
    // Other sequences than the loader's, which begins from the seed itself.
    this.dropout = createRng(seed + 1);
    this.mixup = createRng(seed + 2);
    if (state) {
      this.dropout.setState(state.dropout);
      this.mixup.setState(state.mixup);
    }
    const outputs = [this.head.tensor];
    this.teacher = teacher && new Teacher(teacher, this.head, split, backend, batchSize);
    this.executable = compile(graph, backend, outputs);
    const average = state?.average ?? { graph, updates: 0 };
    this.average = ema === null ? null : new WeightAverage(average, backend, outputs, ema);
    this.optimizer = createOptimizer(
      this.executable,
      graph,
      optimizer,
      gammaSparsity,
      state?.optimizer,
    );
  }

  /** What is evaluated and kept: the average of the weights where there is one, else the weights. */
  get result(): Executable {
    return this.average?.executable ?? this.executable;
  }

  /** The weights that the next step starts from. */
  weights(): Graph {
    return this.executable.weights.toGraph();
  }

  /**
   * Trains on a batch. Without a finite loss nothing is changed, and that loss returned.
   * @throws AppError OUT_OF_MEMORY
   */
  take(batch: Batch, rate: number): StepResult {
    try {
      return this.backend.tf.tidy(() => this.compute(batch, rate));
    } catch (error) {
      throw asMemoryError(error, batch.count);
    }
  }

  state(): StepState {
    return {
      optimizer: this.optimizer.state(),
      dropout: this.dropout.getState(),
      mixup: this.mixup.getState(),
      average: this.average?.state() ?? null,
    };
  }

  dispose(): void {
    this.optimizer.dispose();
    this.average?.dispose();
    this.teacher?.dispose();
    this.executable.dispose();
  }

  private compute(batch: Batch, rate: number): StepResult {
    const { tf } = this.backend;
    const { mixup, clipNorm } = this.options;
    const mix = mixup > 0 ? drawMix(this.mixup, batch.count, mixup) : null;
    const images = this.input.images(batch);
    const pass = this.executable.record([mix === null ? images : mixImages(tf, images, mix)], {
      batchStatistics: true,
      momentum: null,
      dropout: this.dropout,
    });
    const output = pass.outputs[0]!;
    const { losses, gradient } = this.lossOf(batch, mix, output);
    const loss = losses.dataSync<'float32'>().reduce((sum, value) => sum + value, 0);
    if (!Number.isFinite(loss)) {
      pass.dispose();
      return { loss, right: 0, samples: batch.count };
    }
    const scores = output.dataSync<'float32'>();
    const gradients = pass.backward([tf.div(gradient, batch.count)]);
    this.optimizer.step(
      clipNorm === null ? gradients : clipByGlobalNorm(tf, gradients, clipNorm),
      rate,
    );
    this.average?.update(this.executable.weights);
    return { loss, right: countRight(scores, batch.labels, mix), samples: batch.count };
  }

  private lossOf(batch: Batch, mix: Mix | null, output: Tensor): CrossEntropy {
    const { backend, head, options, teacher } = this;
    const { labelSmoothing, distill } = options;
    const loss = classificationLoss(
      backend,
      head,
      output,
      mix === null && labelSmoothing === 0
        ? this.input.labels(batch)
        : backend.tf.tensor2d(targetShares(batch.labels, head, labelSmoothing, mix), [
            batch.count,
            head.classes,
          ]),
    );
    if (teacher === null || distill === null) return loss;
    return distilled(backend, loss, output, teacher.logits(batch, mix), distill);
  }
}

function countRight(scores: Float32Array, labels: Int32Array, mix: Mix | null): number {
  const classes = scores.length / labels.length;
  return labels.reduce((right, label, i) => {
    const answer = indexOfLargest(scores.subarray(i * classes, (i + 1) * classes));
    if (mix === null) return right + (answer === label ? 1 : 0);
    const partner = labels[mix.partners[i]!];
    return right + (answer === label ? mix.share : 0) + (answer === partner ? 1 - mix.share : 0);
  }, 0);
}

function oneWithoutTheOther(hasTeacher: boolean): AppError {
  return new AppError(
    'INVALID_ARGUMENT',
    hasTeacher
      ? 'A teacher is named, and nothing says how to learn from it.'
      : 'Distillation is asked for, and no teacher is named.',
    'Give both a teacher and the options of distillation, or neither.',
    { details: { field: 'teacher' } },
  );
}
