// The step loop of training: batches, forwards, backwards, update; validation after each epoch.

import { setImmediate } from 'node:timers/promises';
import type { EngineContext } from '../context';
import { BatchLoader, type Batch } from '../data/loader';
import type { Dataset, ImageSplit } from '../data/types';
import { AppError } from '../errors';
import { createRng, type Rng } from '../graph/rng';
import type { Model } from '../graph/types';
import { evaluateClassifier, indexOfLargest } from '../measure/accuracy';
import { startStopwatch } from '../measure/stopwatch';
import { loadBackend, type Backend } from '../runtime/backend';
import { BatchInput } from './batch-input';
import type { BestEpoch, TrainCheckpoint } from './checkpoint';
import { compile, type Executable } from './executor';
import { classificationLoss, classifierHead, type ClassifierHead } from './loss';
import { SgdOptimizer } from './optimizer';
import { learningRateAt } from './schedule';
import type { EpochRecord, TrainOptions, TrainResult } from './types';

export interface TrainHooks {
  /**
   * Called after each epoch; training waits for it. `checkpoint` reads the weights off the backend: call it
   * before the promise settles or not at all.
   */
  onEpoch?(record: EpochRecord, checkpoint: () => TrainCheckpoint): void | Promise<void>;
}

export interface TrainRun {
  /** Goes on from the end of an epoch, with the options and the data of the run that it was saved in. */
  readonly resume?: TrainCheckpoint;
  readonly backend?: Backend;
}

/** Steps between two points of the live curves. */
const metricInterval = 10;

/**
 * Trains a classifier. The same model, data, options and backend give the same weights. With a validation split
 * and `keepBest` the result is the epoch of the highest validation accuracy (of equal ones that of the lowest
 * loss), else the last.
 * @throws AppError DATA_MISMATCH, TRAIN_DIVERGED, RUNTIME_UNAVAILABLE, or the reason of the signal, which is
 * looked at before each batch
 */
export async function train(
  model: Model,
  dataset: Dataset,
  options: TrainOptions,
  context: EngineContext,
  hooks: TrainHooks = {},
  run: TrainRun = {},
): Promise<TrainResult> {
  const backend = run.backend ?? (await loadBackend());
  if (backend.fallbackReason !== null) {
    context.log('warn', `Training without TensorFlow, slowly: ${backend.fallbackReason}`);
  }
  const trainer = new Trainer(model, dataset, options, context, backend, run.resume ?? null);
  try {
    return await trainer.run(hooks);
  } finally {
    trainer.dispose();
  }
}

class Trainer {
  private readonly head: ClassifierHead;
  private readonly executable: Executable;
  private readonly optimizer: SgdOptimizer;
  private readonly loader: BatchLoader;
  private readonly input: BatchInput;
  private readonly dropout: Rng;
  private readonly history: EpochRecord[];
  private best: BestEpoch | null;

  constructor(
    private readonly model: Model,
    private readonly dataset: Dataset,
    private readonly options: TrainOptions,
    private readonly context: EngineContext,
    private readonly backend: Backend,
    resume: TrainCheckpoint | null,
  ) {
    const { batchSize, seed, augment, samplesPerEpoch } = options;
    const split = trainingSplit(dataset);
    const { graph } = resume?.model ?? model;
    this.head = classifierHead(model);
    this.loader = new BatchLoader(split, {
      batchSize,
      seed,
      augment,
      samplesPerEpoch,
      shuffle: true,
    });
    this.input = new BatchInput(backend.tf, split, model.preprocessing, batchSize);
    // Another sequence than the loader's, which begins from the seed itself.
    this.dropout = createRng(seed + 1);
    this.history = [...(resume?.history ?? [])];
    this.best = resume?.best ?? null;
    if (resume) {
      this.loader.restore(resume.loader);
      this.dropout.setState(resume.dropout);
    }
    this.executable = compile(graph, backend, [this.head.tensor]);
    this.optimizer = new SgdOptimizer(
      this.executable,
      graph,
      options.optimizer,
      options.gammaSparsity,
      resume?.velocities ?? null,
    );
  }

  async run(hooks: TrainHooks): Promise<TrainResult> {
    while (this.history.length < this.options.epochs) {
      const record = await this.epoch();
      this.history.push(record);
      this.keepIfBest(record);
      await hooks.onEpoch?.(record, () => this.checkpoint());
    }
    const last = { epoch: this.history.length, model: this.currentModel() };
    const { epoch, model } = this.best ?? last;
    const backend = this.backend.detail;
    return { model, history: this.history, bestEpoch: epoch, backend };
  }

  dispose(): void {
    this.optimizer.dispose();
    this.executable.dispose();
  }

  private async epoch(): Promise<EpochRecord> {
    const number = this.history.length + 1;
    const elapsed = startStopwatch();
    const total = new Sums();
    let recent = new Sums();
    let rate = this.options.optimizer.learningRate;
    let step = 0;
    for (let batch = await this.loader.next(); batch; batch = await this.loader.next()) {
      await setImmediate();
      this.context.signal.throwIfAborted();
      rate = this.learningRate(step);
      // The statistics of one image tell batch norm nothing.
      if (batch.count > 1 || this.options.batchSize === 1) {
        const result = this.step(batch, rate, number, step);
        total.add(result);
        recent.add(result);
      }
      step += 1;
      this.reportStep(number, step);
      if (step % metricInterval === 0 || step === this.loader.batchesPerEpoch) {
        this.reportCurves(number, step, recent, rate, total.samples / elapsed());
        recent = new Sums();
      }
    }
    const imagesPerSecond = total.samples / elapsed();
    const validation = await this.validate(number);
    return {
      epoch: number,
      learningRate: rate,
      trainLoss: total.loss / total.samples,
      trainAccuracy: total.right / total.samples,
      valLoss: validation?.loss ?? null,
      valAccuracy: validation?.top1 ?? null,
      imagesPerSecond,
    };
  }

  private learningRate(step: number): number {
    const { schedule, optimizer, epochs } = this.options;
    const stepLength = 1 / this.loader.batchesPerEpoch;
    const position = this.history.length + step * stepLength;
    return learningRateAt(schedule, optimizer.learningRate, position, epochs, stepLength);
  }

  /** One batch forwards and backwards, and the update. */
  private step(batch: Batch, rate: number, epoch: number, step: number): StepResult {
    const { tf } = this.backend;
    return tf.tidy(() => {
      const pass = this.executable.record([this.input.images(batch)], {
        batchStatistics: true,
        momentum: null,
        dropout: this.dropout,
      });
      const [output] = pass.outputs;
      const labels = this.input.labels(batch);
      const { losses, gradient } = classificationLoss(this.backend, this.head, output!, labels);
      const loss = losses.dataSync<'float32'>().reduce((sum, value) => sum + value, 0);
      if (!Number.isFinite(loss)) {
        pass.dispose();
        throw diverged(epoch, `at step ${step + 1}`, rate);
      }
      const scores = output!.dataSync<'float32'>();
      const gradients = pass.backward([tf.div(gradient, batch.count)]);
      this.optimizer.step(gradients, rate);
      return { loss, right: countRight(scores, batch.labels), samples: batch.count };
    });
  }

  private async validate(epoch: number): Promise<{ loss: number; top1: number } | null> {
    const split = this.dataset.split('val');
    if (split.count === 0) return null;
    const { executable, head, model } = this;
    const classifier = { executable, head, preprocessing: model.preprocessing };
    const { loss, top1 } = await evaluateClassifier(classifier, split, 'val', this.context);
    if (!Number.isFinite(loss)) throw diverged(epoch, 'at its validation', null);
    this.context.metric({ step: epoch, epoch, values: { valLoss: loss, valAccuracy: top1 } });
    return { loss, top1 };
  }

  private keepIfBest(record: EpochRecord): void {
    if (!this.options.keepBest || record.valAccuracy === null) return;
    const earlier = this.best === null ? undefined : this.history[this.best.epoch - 1];
    if (earlier !== undefined && !isBetter(record, earlier)) return;
    this.best = { epoch: record.epoch, model: this.currentModel() };
  }

  private currentModel(): Model {
    return { ...this.model, graph: this.executable.weights.toGraph() };
  }

  private checkpoint(): TrainCheckpoint {
    return {
      model: this.currentModel(),
      best: this.best,
      velocities: this.optimizer.velocities(),
      loader: this.loader.state(),
      dropout: this.dropout.getState(),
      history: [...this.history],
    };
  }

  private reportStep(epoch: number, step: number): void {
    const { batchesPerEpoch } = this.loader;
    this.context.progress({
      phase: 'training',
      label: `Epoch ${epoch} of ${this.options.epochs}`,
      done: this.history.length * batchesPerEpoch + step,
      total: this.options.epochs * batchesPerEpoch,
    });
  }

  private reportCurves(
    epoch: number,
    step: number,
    recent: Sums,
    learningRate: number,
    imagesPerSecond: number,
  ): void {
    if (recent.samples === 0) return;
    const values = {
      trainLoss: recent.loss / recent.samples,
      trainAccuracy: recent.right / recent.samples,
      learningRate,
      imagesPerSecond,
    };
    const globalStep = this.history.length * this.loader.batchesPerEpoch + step;
    this.context.metric({ step: globalStep, epoch, values });
  }
}

interface StepResult {
  /** Sum of the losses. */
  readonly loss: number;
  readonly right: number;
  readonly samples: number;
}

class Sums implements StepResult {
  loss = 0;
  right = 0;
  samples = 0;

  add(result: StepResult): void {
    this.loss += result.loss;
    this.right += result.right;
    this.samples += result.samples;
  }
}

function trainingSplit(dataset: Dataset): ImageSplit {
  const split = dataset.split('train');
  if (split.count > 0) return split;
  throw new AppError(
    'DATA_MISMATCH',
    'The data set has no images to train on.',
    'Attach a data set with a training split.',
  );
}

function countRight(scores: Float32Array, labels: Int32Array): number {
  const classes = scores.length / labels.length;
  const isRight = (label: number, i: number): boolean =>
    indexOfLargest(scores.subarray(i * classes, (i + 1) * classes)) === label;
  return labels.reduce((right, label, i) => right + (isRight(label, i) ? 1 : 0), 0);
}

function isBetter(record: EpochRecord, earlier: EpochRecord): boolean {
  const [accuracy, other] = [record.valAccuracy ?? 0, earlier.valAccuracy ?? 0];
  return accuracy > other || (accuracy === other && (record.valLoss ?? 0) < (earlier.valLoss ?? 0));
}

function diverged(epoch: number, where: string, learningRate: number | null): AppError {
  const at = learningRate === null ? '' : ` with a learning rate of ${learningRate.toPrecision(3)}`;
  return new AppError(
    'TRAIN_DIVERGED',
    `The loss became infinite or not a number in epoch ${epoch}, ${where}${at}.`,
    'Lower the learning rate or add epochs of warm-up. Nothing of this run was kept but its checkpoints.',
    { details: { epoch, lastGoodEpoch: epoch - 1, learningRate } },
  );
}
