// What a version is worth on a split. Classes: top-1, top-5, macro-F1, recall of each class, confusion; labels: accuracy
// and F1; values: mean errors.

import { setImmediate } from 'node:timers/promises';
import type { EngineContext } from '../context';
import { requireClasses } from '../data/fit';
import { BatchLoader, type Batch } from '../data/loader';
import type { ImageSplit, SplitName, Targets, Task } from '../data/types';
import { AppError } from '../errors';
import type { Model } from '../graph/types';
import { loadBackend, type Backend } from '../runtime/backend';
import { indexOfLargest } from './largest';
import { macroF1 } from './macro-f1';
import { taskOf } from '../train/task-loss';
import { ModelScorer, type Scorer } from './scorer';
import { LabelTally, ValueTally } from './tallies';
import type { Accuracy, Evaluation } from './types';

export interface EvaluateOptions {
  /** Images at a time; as many as 256 of 32 x 32 pixels have unless given. */
  readonly batchSize?: number;
  /** At most this many images, evenly spaced over the split. */
  readonly limit?: number;
  readonly backend?: Backend;
}

const pixelsPerBatch = 2 ** 18;

/** Evaluates a classifier. @throws AppError as `evaluateTask`, DATA_MISMATCH when the images have not one class each */
export async function evaluate(
  model: Model,
  split: ImageSplit,
  splitName: SplitName,
  context: EngineContext,
  options: EvaluateOptions = {},
): Promise<Accuracy> {
  requireClasses({ task: taskOf(split) }, 'Accuracies');
  return (await evaluateTask(model, split, splitName, context, options)) as Accuracy;
}

/**
 * Evaluates a model as it is at inference, by what the split asks of it.
 * @throws AppError DATA_MISMATCH when the model cannot do the task or the split is empty, RUNTIME_UNAVAILABLE, or
 * the reason of the signal
 */
export async function evaluateTask(
  model: Model,
  split: ImageSplit,
  splitName: SplitName,
  context: EngineContext,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const backend = options.backend ?? (await loadBackend());
  const scorer = new ModelScorer(model, split, backend, taskOf(split));
  try {
    return await evaluateWith(scorer, split, splitName, context, options);
  } finally {
    scorer.dispose();
  }
}

/** `evaluateTask` with something that scores already. */
export async function evaluateWith(
  scorer: Scorer,
  split: ImageSplit,
  splitName: SplitName,
  context: EngineContext,
  options: Omit<EvaluateOptions, 'backend'> = {},
): Promise<Evaluation> {
  if (split.count === 0) throw emptySplit(splitName);
  const samples = evenlySpaced(split, options.limit ?? split.count);
  const batchSize = options.batchSize ?? Math.ceil(pixelsPerBatch / (split.height * split.width));
  const order = { shuffle: false, seed: 0, augment: null, samplesPerEpoch: null };
  const loader = new BatchLoader(samples, { ...order, batchSize });
  const tally = tallyOf(taskOf(split), scorer.classes);
  let [done, loss] = [0, 0];
  const label = `Evaluating on ${splitName}`;
  for (let batch = await loader.next(); batch !== null; batch = await loader.next()) {
    const { scores, losses } = await scorer.score(batch);
    tally.add(scores, batch);
    loss = losses.reduce((sum, value) => sum + value, loss);
    done += batch.count;
    context.progress({ phase: 'evaluating', label, done, total: samples.count });
    await setImmediate();
    context.signal.throwIfAborted();
  }
  const every = { split: splitName, samples: done, loss: loss / done, backend: scorer.detail };
  return { ...every, ...tally.result() };
}

type Figures<E> = E extends Evaluation ? Omit<E, 'split' | 'samples' | 'loss' | 'backend'> : never;

/** Takes in the answers to batch after batch. */
interface Tally {
  add(scores: Float32Array, batch: Batch): void;
  result(): Figures<Evaluation>;
}

function tallyOf(task: Task, outputs: number): Tally {
  if (task === 'classes') return new ClassTally(outputs);
  if (task === 'labels') {
    const tally = new LabelTally(outputs);
    return {
      add: (scores, { targets }) => tally.add(scores, targets!),
      result: () => ({ task, ...tally.result() }),
    };
  }
  const tally = new ValueTally(outputs);
  return {
    add: (scores, { targets }) => tally.add(scores, targets!),
    result: () => ({ task, ...tally.result() }),
  };
}

/** Counts right and wrong answers. */
class ClassTally implements Tally {
  private samples = 0;
  private inTop5 = 0;
  private readonly confusion: number[][];

  constructor(private readonly classes: number) {
    this.confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  }

  /** Scores [N, classes], row after row. */
  add(scores: Float32Array, { labels }: Batch): void {
    for (const [i, label] of labels.entries()) {
      const row = scores.subarray(i * this.classes, (i + 1) * this.classes);
      this.confusion[label]![indexOfLargest(row)]! += 1;
      const better = row.reduce((count, score) => count + (score > row[label]! ? 1 : 0), 0);
      if (better < 5) this.inTop5 += 1;
      this.samples += 1;
    }
  }

  result(): Figures<Accuracy> {
    const perClass = this.confusion.map((row, label) => {
      const actual = row.reduce((sum, count) => sum + count, 0);
      return actual === 0 ? 0 : row[label]! / actual;
    });
    const right = this.confusion.reduce((sum, row, label) => sum + row[label]!, 0);
    return {
      task: 'classes',
      top1: right / this.samples,
      top5: this.classes > 5 ? this.inTop5 / this.samples : null,
      macroF1: macroF1(this.confusion),
      perClass,
      confusion: this.confusion,
    };
  }
}

/** A split reduced to some of its samples: the classes may stand one after the other. */
function evenlySpaced(split: ImageSplit, limit: number): ImageSplit {
  if (limit >= split.count) return split;
  const chosen = Int32Array.from({ length: limit }, (_, i) =>
    Math.floor((i * split.count) / limit),
  );
  return {
    height: split.height,
    width: split.width,
    channels: split.channels,
    count: limit,
    labels: chosen.map((index) => split.labels[index]!),
    ...(split.targets && { targets: rowsOf(split.targets, chosen) }),
    read: (indices, target) =>
      split.read(
        indices.map((index) => chosen[index]!),
        target,
      ),
  };
}

function rowsOf({ task, width, rows }: Targets, chosen: Int32Array): Targets {
  const some = new Float32Array(chosen.length * width);
  chosen.forEach((index, i) =>
    some.set(rows.subarray(index * width, (index + 1) * width), i * width),
  );
  return { task, width, rows: some };
}

function emptySplit(splitName: SplitName): AppError {
  return new AppError(
    'DATA_MISMATCH',
    `The data set has no images in its split "${splitName}".`,
    'Choose another split, or attach the data set again with a share held back for it.',
  );
}
