// A training run: epochs of steps, validation after each, the best epoch kept, checkpoints handed out.

import { setImmediate } from 'node:timers/promises';
import type { EngineContext, Metric } from '../context';
import { BatchLoader } from '../data/loader';
import type { Dataset, ImageSplit, Task } from '../data/types';
import { AppError } from '../errors';
import type { Graph, Model, WeightId } from '../graph/types';
import { evaluateWith } from '../measure/accuracy';
import type { Evaluation } from '../measure/types';
import { loadBackend } from '../runtime/backend';
import type { BestEpoch, TrainCheckpoint } from './checkpoint';
import type { Compute, TrainingStep } from './compute';
import { diverged, LossWatch } from './divergence';
import { EpochSums } from './epoch-sums';
import { curvePoints, isBetter, trainFigures, validationFigures } from './epoch-figures';
import { gammaWeights, sampleGammas } from './gammas';
import { learningRateAt } from './schedule';
import { localCompute } from './step';
import { blindLoss, taskOf, trainedOutputKind } from './task-loss';
import type { EpochRecord, TrainOptions, TrainResult } from './types';

export interface TrainHooks {
  /**
   * Called after each epoch; training waits for it. `checkpoint` reads the weights off the backend: call it
   * before the promise settles or not at all.
   */
  onEpoch?(record: EpochRecord, checkpoint: () => Promise<TrainCheckpoint>): void | Promise<void>;
  /** As `onEpoch`, after each step. */
  onStep?(checkpoint: () => Promise<TrainCheckpoint>): void | Promise<void>;
  /** As `onEpoch`, once the signal has ended the run, before its reason is thrown. */
  onAborted?(checkpoint: () => Promise<TrainCheckpoint>): void | Promise<void>;
  /**
   * Called with what was good before a run diverged, when at least one epoch was; training waits for it and then
   * throws TRAIN_DIVERGED.
   */
  onDiverged?(result: TrainResult): void | Promise<void>;
}

export interface TrainRun {
  /** Goes on from where it was saved, with the options and the data of that run. */
  readonly resume?: TrainCheckpoint | null;
  /** What is learned from beside the labels, as `options.distill` says. */
  readonly teacher?: Model | null;
  /** What computes the steps; the best backend of this process unless given. */
  readonly compute?: Compute;
}

/** Steps between two points of the live curves. */
const metricInterval = 10;

/**
 * Trains a network for the task of the data set. The same model, data, options and backend give the same weights. With
 * a validation split and `keepBest` the result is the epoch of the best validation, as `isBetter` has it, else the last. With `ema` the averaged weights are what is validated and kept.
 * @throws AppError DATA_MISMATCH, INVALID_ARGUMENT, TRAIN_DIVERGED, OUT_OF_MEMORY, RUNTIME_UNAVAILABLE, or the
 * reason of the signal, which is looked at before each batch
 */
export async function train(
  model: Model,
  dataset: Dataset,
  options: TrainOptions,
  context: EngineContext,
  hooks: TrainHooks = {},
  run: TrainRun = {},
): Promise<TrainResult> {
  const { resume = null, teacher = null } = run;
  const compute = await trainingCompute(run.compute);
  if (compute.fallbackReason !== null) {
    context.log('warn', `Training without TensorFlow, slowly: ${compute.fallbackReason}`);
  }
  const split = trainingSplit(dataset);
  const step = await compute.begin({
    model: { ...model, graph: (resume?.model ?? model).graph },
    shape: split,
    task: taskOf(split),
    options,
    teacher,
    state: resume,
  });
  try {
    return await new Trainer(model, dataset, options, context, compute, step, resume).run(hooks);
  } finally {
    await step.dispose();
  }
}

/** What computes unless told otherwise. @throws AppError RUNTIME_UNAVAILABLE */
export async function trainingCompute(compute: Compute | undefined): Promise<Compute> {
  return compute ?? localCompute(await loadBackend());
}

class Trainer {
  private readonly task: Task;
  private readonly loader: BatchLoader;
  private readonly watch: LossWatch;
  private readonly history: EpochRecord[];
  private readonly gammas: readonly WeightId[];
  private best: BestEpoch | null;
  /** The last epoch that ended well, where no best one is kept. */
  private last: BestEpoch | null;
  /** The epoch that has begun and not ended. */
  private running: EpochSums | null;
  /** Points of the curves that were told so far. */
  private points: number;

  constructor(
    private readonly model: Model,
    private readonly dataset: Dataset,
    private readonly options: TrainOptions,
    private readonly context: EngineContext,
    private readonly compute: Compute,
    private readonly step: TrainingStep,
    resume: TrainCheckpoint | null,
  ) {
    this.gammas = gammaWeights(model.graph);
    const split = trainingSplit(dataset);
    this.task = taskOf(split);
    this.loader = trainingLoader(split, options);
    this.watch = resume
      ? new LossWatch(resume.watch)
      : LossWatch.begin(blindLoss(split, step.classes, options.valueLoss));
    this.history = [...(resume?.history ?? [])];
    this.best = resume?.best ?? null;
    this.last = resume ? lastEpoch(model, resume) : null;
    this.running = resume?.within ? new EpochSums(resume.within) : null;
    this.points = resume?.points ?? 0;
    if (resume) this.loader.restore(resume.loader);
  }

  async run(hooks: TrainHooks): Promise<TrainResult> {
    try {
      if (this.history.length === 0 && this.running === null) await this.reportEpoch(0, null);
      while (this.history.length < this.options.epochs && !this.isSpent()) {
        this.running ??= EpochSums.begin();
        const record = await this.epoch(this.running, hooks);
        this.running = null;
        this.history.push(record);
        await this.keep(record);
        await hooks.onEpoch?.(record, () => this.checkpoint());
      }
    } catch (error) {
      const { signal } = this.context;
      if (signal.aborted && error === signal.reason) {
        await hooks.onAborted?.(() => this.checkpoint());
      }
      const isGone = error instanceof AppError && error.code === 'TRAIN_DIVERGED';
      if (isGone && this.history.length > 0) await hooks.onDiverged?.(this.result());
      throw error;
    }
    return this.result();
  }

  private result(): TrainResult {
    const { epoch, model: trained } = this.best ?? this.last!;
    const model: Model = {
      ...trained,
      labels: trained.labels ?? this.dataset.classes,
      outputKind: trainedOutputKind(trained, this.task),
    };
    return { model, history: this.history, bestEpoch: epoch, backend: this.compute.detail };
  }

  /** Whether the validation has not become better for as long as one has patience. */
  private isSpent(): boolean {
    const { patience } = this.options;
    if (patience === null || this.history.length === 0) return false;
    const { epoch, valLoss } = this.history.reduce((best, record) =>
      isBetter(record, best) ? record : best,
    );
    const isOver = valLoss !== null && this.history.length - epoch >= patience;
    if (isOver) {
      this.context.log('info', `Stopped: no better validation than epoch ${epoch}'s since then.`);
    }
    return isOver;
  }

  private async epoch(sums: EpochSums, hooks: TrainHooks): Promise<EpochRecord> {
    const number = this.history.length + 1;
    const { batchesPerEpoch } = this.loader;
    while (sums.step < batchesPerEpoch) {
      await setImmediate();
      this.context.signal.throwIfAborted();
      await this.nextStep(number, sums);
      await hooks.onStep?.(() => this.checkpoint());
    }
    sums.stopClock();
    const validation = await this.validate(number);
    await this.reportEpoch(number, validation);
    // Ends the loader's epoch, too: until here a checkpoint is one within the epoch.
    await this.loader.next();
    const { total, imagesPerSecond } = sums;
    return {
      epoch: number,
      learningRate: this.learningRate(batchesPerEpoch - 1),
      trainLoss: total.loss / total.samples,
      ...trainFigures(this.task, total.score / total.samples),
      ...validationFigures(this.task, validation),
      imagesPerSecond,
    };
  }

  private async nextStep(epoch: number, sums: EpochSums): Promise<void> {
    const batch = (await this.loader.next())!;
    const rate = this.learningRate(sums.step);
    // The statistics of one image tell batch norm nothing.
    if (batch.count > 1 || this.options.batchSize === 1) {
      const result = await this.step.take(batch, rate);
      if (!this.watch.accept(result.loss / result.samples)) {
        throw diverged(epoch, `at step ${sums.step + 1}`, rate);
      }
      sums.add(result);
    }
    sums.step += 1;
    this.reportStep(epoch, sums.step);
    if (sums.step % metricInterval === 0 || sums.step === this.loader.batchesPerEpoch) {
      this.reportCurves(epoch, sums, rate);
    }
  }

  private learningRate(step: number): number {
    const { schedule, optimizer, epochs } = this.options;
    const stepLength = 1 / this.loader.batchesPerEpoch;
    const position = this.history.length + step * stepLength;
    return learningRateAt(schedule, optimizer.learningRate, position, epochs, stepLength);
  }

  private async validate(epoch: number): Promise<Evaluation | null> {
    const split = this.dataset.split('val');
    if (split.count === 0) {
      // Nothing else has looked at what the last step did.
      if (!isFiniteGraph(await this.step.result())) throw diverged(epoch, 'at its end', null);
      return null;
    }
    const evaluation = await evaluateWith(this.step, split, 'val', this.context);
    if (!Number.isFinite(evaluation.loss)) throw diverged(epoch, 'at its validation', null);
    return evaluation;
  }

  /** Keeps the epoch that has just ended, if it is the best or no best one is asked for. */
  private async keep(record: EpochRecord): Promise<void> {
    const { epoch, valLoss } = record;
    const chooses = this.options.keepBest && valLoss !== null;
    const earlier = this.best === null ? undefined : this.history[this.best.epoch - 1];
    if (chooses && earlier !== undefined && !isBetter(record, earlier)) return;
    const kept = { epoch, model: { ...this.model, graph: await this.step.result() } };
    if (chooses) this.best = kept;
    else this.last = kept;
  }

  private async checkpoint(): Promise<TrainCheckpoint> {
    return {
      backend: this.compute.name,
      model: { ...this.model, graph: await this.step.weights() },
      best: this.best,
      last: this.running && !this.best ? this.last : null,
      within: this.running?.state ?? null,
      points: this.points,
      ...(await this.step.state()),
      watch: this.watch.state,
      loader: this.loader.state(),
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

  /** What is known at the end of an epoch, or (0) before the first. */
  private async reportEpoch(epoch: number, validation: Evaluation | null): Promise<void> {
    const gammas = sampleGammas(await this.step.read(this.gammas));
    if (validation === null && gammas === null) return;
    this.report({
      step: epoch,
      epoch,
      values: curvePoints(validationFigures(this.task, validation)),
      ...(gammas && { gammas }),
    });
  }

  private reportCurves(epoch: number, sums: EpochSums, learningRate: number): void {
    const recent = sums.takeRecent();
    if (recent.samples === 0) return;
    const values = {
      trainLoss: recent.loss / recent.samples,
      ...curvePoints(trainFigures(this.task, recent.score / recent.samples)),
      learningRate,
      imagesPerSecond: sums.imagesPerSecond,
    };
    const globalStep = this.history.length * this.loader.batchesPerEpoch + sums.step;
    this.report({ step: globalStep, epoch, values });
  }

  private report(metric: Metric): void {
    this.points += 1;
    this.context.metric(metric);
  }
}

/** The last epoch that ended well before a checkpoint, where no best one was kept. */
function lastEpoch(model: Model, checkpoint: TrainCheckpoint): BestEpoch | null {
  if (checkpoint.best !== null || checkpoint.within !== null) return checkpoint.last;
  const graph = checkpoint.average?.graph ?? checkpoint.model.graph;
  return { epoch: checkpoint.history.length, model: { ...model, graph } };
}

/** Batches as a run with these options sees them. */
export function trainingLoader(split: ImageSplit, options: TrainOptions): BatchLoader {
  const { batchSize, seed, augment, samplesPerEpoch } = options;
  return new BatchLoader(split, { batchSize, seed, augment, samplesPerEpoch, shuffle: true });
}

/** @throws AppError DATA_MISMATCH when there is nothing to train on */
export function trainingSplit(dataset: Dataset): ImageSplit {
  const split = dataset.split('train');
  if (split.count > 0) return split;
  throw new AppError(
    'DATA_MISMATCH',
    'The data set has no images to train on.',
    'Attach a data set with a training split.',
  );
}

function isFiniteGraph({ weights }: Graph): boolean {
  return [...weights.values()].every(({ data }) => data.every((value) => Number.isFinite(value)));
}
