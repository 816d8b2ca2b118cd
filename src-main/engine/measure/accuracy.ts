// Accuracy of a classifier on a split: top-1, top-5, macro-F1, loss, recall of each class, confusion.

import { setImmediate } from 'node:timers/promises';
import type { EngineContext } from '../context';
import { BatchLoader } from '../data/loader';
import type { ImageSplit, SplitName } from '../data/types';
import { AppError } from '../errors';
import type { Model } from '../graph/types';
import { loadBackend, type Backend } from '../runtime/backend';
import { indexOfLargest } from './largest';
import { macroF1 } from './macro-f1';
import { ModelScorer, type Scorer } from './scorer';
import type { Accuracy } from './types';

export interface EvaluateOptions {
  /** Images at a time; as many as 256 of 32 x 32 pixels have unless given. */
  readonly batchSize?: number;
  /** At most this many images, evenly spaced over the split. */
  readonly limit?: number;
  readonly backend?: Backend;
}

const pixelsPerBatch = 2 ** 18;

/**
 * Evaluates a model as it is at inference.
 * @throws AppError DATA_MISMATCH when the model is no classifier or the split is empty, RUNTIME_UNAVAILABLE, or
 * the reason of the signal
 */
export async function evaluate(
  model: Model,
  split: ImageSplit,
  splitName: SplitName,
  context: EngineContext,
  options: EvaluateOptions = {},
): Promise<Accuracy> {
  const backend = options.backend ?? (await loadBackend());
  const scorer = new ModelScorer(model, split, backend);
  try {
    return await evaluateWith(scorer, split, splitName, context, options);
  } finally {
    scorer.dispose();
  }
}

/** `evaluate` with something that scores already. */
export async function evaluateWith(
  scorer: Scorer,
  split: ImageSplit,
  splitName: SplitName,
  context: EngineContext,
  options: Omit<EvaluateOptions, 'backend'> = {},
): Promise<Accuracy> {
  if (split.count === 0) throw emptySplit(splitName);
  const samples = evenlySpaced(split, options.limit ?? split.count);
  const batchSize = options.batchSize ?? Math.ceil(pixelsPerBatch / (split.height * split.width));
  const order = { shuffle: false, seed: 0, augment: null, samplesPerEpoch: null };
  const loader = new BatchLoader(samples, { ...order, batchSize });
  const tally = new Tally(scorer.classes);
  const label = `Evaluating on ${splitName}`;
  for (let batch = await loader.next(); batch !== null; batch = await loader.next()) {
    const { scores, losses } = await scorer.score(batch);
    tally.add(scores, batch.labels, losses);
    context.progress({ phase: 'evaluating', label, done: tally.samples, total: samples.count });
    await setImmediate();
    context.signal.throwIfAborted();
  }
  return { split: splitName, ...tally.result(), backend: scorer.detail };
}

/** Counts right and wrong answers. */
class Tally {
  samples = 0;
  private loss = 0;
  private inTop5 = 0;
  private readonly confusion: number[][];

  constructor(private readonly classes: number) {
    this.confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  }

  /** Scores [N, classes], row after row. */
  add(scores: Float32Array, labels: Int32Array, losses: Float32Array): void {
    for (const [i, label] of labels.entries()) {
      const row = scores.subarray(i * this.classes, (i + 1) * this.classes);
      this.confusion[label]![indexOfLargest(row)]! += 1;
      const better = row.reduce((count, score) => count + (score > row[label]! ? 1 : 0), 0);
      if (better < 5) this.inTop5 += 1;
      this.loss += losses[i]!;
      this.samples += 1;
    }
  }

  result(): Omit<Accuracy, 'split' | 'backend'> {
    const perClass = this.confusion.map((row, label) => {
      const actual = row.reduce((sum, count) => sum + count, 0);
      return actual === 0 ? 0 : row[label]! / actual;
    });
    const right = this.confusion.reduce((sum, row, label) => sum + row[label]!, 0);
    return {
      samples: this.samples,
      top1: right / this.samples,
      top5: this.classes > 5 ? this.inTop5 / this.samples : null,
      macroF1: macroF1(this.confusion),
      loss: this.loss / this.samples,
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
    read: (indices, target) =>
      split.read(
        indices.map((index) => chosen[index]!),
        target,
      ),
  };
}

function emptySplit(splitName: SplitName): AppError {
  return new AppError(
    'DATA_MISMATCH',
    `The data set has no images in its split "${splitName}".`,
    'Choose another split, or attach the data set again with a share held back for it.',
  );
}
