// One step of training: a batch forwards and backwards, and the update of the weights.

import type { Batch } from '../data/loader';
import type { Task } from '../data/types';
import { AppError } from '../errors';
import { createRng, type Rng } from '../graph/rng';
import type { Graph, WeightId } from '../graph/types';
import { ExecutableScorer, type BatchScores } from '../measure/scorer';
import type { Backend } from '../runtime/backend';
import type { Tensor } from '../runtime/primitives';
import { WeightAverage } from './average';
import { BatchInput } from './batch-input';
import { batchScore } from './batch-score';
import { clipByGlobalNorm } from './clip';
import type { Compute, StepRequest, StepResult, StepState, TrainingStep } from './compute';
import { distilled, Teacher } from './distill';
import { compile, type Executable } from './executor/executable';
import { hintLoss } from './hints';
import { asMemoryError } from './memory';
import { drawMix, mixImages, type Mix } from './mixup';
import { createOptimizer, type Optimizer } from './optimizer';
import { readTogether } from './read';
import { targetRows, targetShares } from './targets';
import { plainTarget, taskHead, taskLoss, type TaskHead } from './task-loss';
import type { TrainOptions } from './types';

/** Steps by a backend of this process. */
export function localCompute(backend: Backend): Compute {
  return {
    name: backend.name,
    detail: backend.detail,
    fallbackReason: backend.fallbackReason,
    begin: async (request) => new TrainStep(request, backend),
  };
}

interface Pass {
  readonly mix: Mix | null;
  /** Scores and losses, on their way. */
  readonly read: Promise<Float32Array[]>;
  readonly gradients: ReadonlyMap<WeightId, Tensor>;
}

interface StepLoss {
  readonly losses: Tensor;
  /** Of the sum of the losses, one an output of the pass. */
  readonly gradients: readonly Tensor[];
}

export class TrainStep implements TrainingStep {
  private readonly options: TrainOptions;
  private readonly head: TaskHead;
  private readonly executable: Executable;
  private readonly average: WeightAverage | null;
  private readonly teacher: Teacher | null;
  private readonly optimizer: Optimizer;
  private readonly input: BatchInput;
  private readonly scorer: ExecutableScorer;
  private readonly dropout: Rng;
  private readonly mixup: Rng;

  /** @throws AppError as `Compute.begin` does */
  constructor(
    { model, shape, task, options, teacher, state }: StepRequest,
    private readonly backend: Backend,
  ) {
    const { graph, preprocessing } = model;
    const { seed, optimizer, gammaSparsity, ema, distill } = options;
    this.options = options;
    if ((teacher === null) !== (distill === null)) throw oneWithoutTheOther(teacher !== null);
    checkOptions(task, options);
    this.head = taskHead(model, task);
    this.input = new BatchInput(backend.tf, shape, preprocessing);
    // Other sequences than the loader's, which begins from the seed itself.
    this.dropout = createRng(seed + 1);
    this.mixup = createRng(seed + 2);
    if (state) {
      this.dropout.setState(state.dropout);
      this.mixup.setState(state.mixup);
    }
    const { head } = this;
    this.teacher =
      teacher && distill && head.task === 'classes'
        ? new Teacher(teacher, { graph, head }, shape, backend, distill.hints > 0)
        : null;
    this.executable = compile(graph, backend, [head.tensor, ...(this.teacher?.hinted ?? [])]);
    const average = state?.average ?? { graph, updates: 0 };
    this.average = ema === null ? null : new WeightAverage(average, backend, [head.tensor], ema);
    this.optimizer = createOptimizer(
      this.executable,
      graph,
      optimizer,
      gammaSparsity,
      state?.optimizer,
    );
    const { valueLoss } = options;
    this.scorer = new ExecutableScorer(this.counting, this.head, shape, preprocessing, valueLoss);
  }

  get classes(): number {
    return this.head.classes;
  }

  get detail(): string {
    return this.backend.detail;
  }

  async take(batch: Batch, rate: number): Promise<StepResult> {
    try {
      return await this.compute(batch, rate);
    } catch (error) {
      throw asMemoryError(error, batch.count);
    }
  }

  score(batch: Batch): Promise<BatchScores> {
    return this.scorer.score(batch);
  }

  read(ids: readonly WeightId[]): Promise<readonly Float32Array[]> {
    return this.counting.weights.read(ids);
  }

  result(): Promise<Graph> {
    return this.counting.weights.toGraph();
  }

  weights(): Promise<Graph> {
    return this.executable.weights.toGraph();
  }

  async state(): Promise<StepState> {
    return {
      optimizer: await this.optimizer.state(),
      dropout: this.dropout.getState(),
      mixup: this.mixup.getState(),
      average: (await this.average?.state()) ?? null,
    };
  }

  async dispose(): Promise<void> {
    this.optimizer.dispose();
    this.average?.dispose();
    this.teacher?.dispose();
    this.executable.dispose();
  }

  /** What counts: the average of the weights where there is one, else the weights. */
  private get counting(): Executable {
    return this.average?.executable ?? this.executable;
  }

  private async compute(batch: Batch, rate: number): Promise<StepResult> {
    const { tf } = this.backend;
    const { clipNorm } = this.options;
    const { mix, read, gradients } = this.pass(batch);
    const [scores, losses] = await read;
    const loss = losses!.reduce((sum, value) => sum + value, 0);
    if (!Number.isFinite(loss)) {
      tf.dispose([...gradients.values()]);
      return { loss, score: 0, samples: batch.count };
    }
    tf.tidy(() => {
      const clipped = clipNorm === null ? gradients : clipByGlobalNorm(tf, gradients, clipNorm);
      this.optimizer.step(clipped, rate);
      this.average?.update(this.executable.weights);
    });
    return { loss, score: batchScore(this.head, scores!, batch, mix), samples: batch.count };
  }

  /** Forwards and backwards. The losses are asked for in between: a GPU answers while it is on its way back. */
  private pass(batch: Batch): Pass {
    const { tf } = this.backend;
    const { mixup } = this.options;
    const mix = mixup > 0 ? drawMix(this.mixup, batch.count, mixup) : null;
    let read!: Promise<Float32Array[]>;
    let ids: readonly WeightId[] = [];
    const gradients = tf.tidy(() => {
      const images = this.input.images(batch);
      const pass = this.executable.record([mix === null ? images : mixImages(tf, images, mix)], {
        batchStatistics: true,
        momentum: null,
        dropout: this.dropout,
      });
      const { losses, gradients } = this.lossOf(batch, mix, pass.outputs);
      read = readTogether([tf.keep(pass.outputs[0]!), tf.keep(losses)]);
      // Whoever waits for them hears of it; where the way back fails, too, nobody does.
      read.catch(() => undefined);
      const byWeight = pass.backward(gradients.map((gradient) => tf.div(gradient, batch.count)));
      ids = [...byWeight.keys()];
      return [...byWeight.values()];
    });
    return { mix, read, gradients: new Map(ids.map((id, i) => [id, gradients[i]!])) };
  }

  /** @param outputs of the pass: the head's, and the feature maps that the teacher gives hints for */
  private lossOf(batch: Batch, mix: Mix | null, outputs: readonly Tensor[]): StepLoss {
    const { backend, head, options, teacher } = this;
    const [output, ...maps] = outputs as readonly [Tensor, ...Tensor[]];
    const target = this.target(batch, mix);
    const loss = taskLoss(backend, head, output, target, options.valueLoss);
    const { distill } = options;
    if (teacher === null || distill === null) {
      return { losses: loss.losses, gradients: [loss.gradient] };
    }
    const { logits, attention } = teacher.answer(batch, mix);
    const { losses, gradient } = distilled(backend, loss, output, logits, distill);
    if (maps.length === 0) return { losses, gradients: [gradient] };
    const hints = hintLoss(backend, maps, attention, distill.hints);
    const { tf } = backend;
    return { losses: tf.add(losses, hints.losses), gradients: [gradient, ...hints.gradients] };
  }

  /** What the batch is to be answered with, smoothed and mixed. */
  private target(batch: Batch, mix: Mix | null): Tensor {
    const { head, options } = this;
    const { tf } = this.backend;
    const { labelSmoothing } = options;
    if (mix === null && labelSmoothing === 0) return plainTarget(tf, batch);
    const shares =
      batch.targets === undefined
        ? targetShares(batch.labels, head, labelSmoothing, mix)
        : targetRows(batch.targets, head.classes, labelSmoothing, mix);
    return tf.tensor2d(shares, [batch.count, head.classes]);
  }
}

/** @throws AppError INVALID_ARGUMENT for options that say nothing where an image has not one class */
function checkOptions(task: Task, { labelSmoothing, distill }: TrainOptions): void {
  if (task === 'values' && labelSmoothing > 0) {
    throw new AppError(
      'INVALID_ARGUMENT',
      'Label smoothing moves labels towards an even guess, and values have none.',
      'Leave label smoothing out for this data set.',
      { details: { field: 'labelSmoothing' } },
    );
  }
  if (task !== 'classes' && distill !== null) {
    throw new AppError(
      'INVALID_ARGUMENT',
      'Distillation compares softmax answers of a teacher, and this data set has not one class an image.',
      'Train without a teacher on this data set.',
      { details: { field: 'teacher' } },
    );
  }
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
