// What a classifier answers on every image of a split, and the images on which two of them differ.

import { setImmediate } from 'node:timers/promises';
import type { EngineContext } from '../context';
import { BatchLoader } from '../data/loader';
import type { ImageSplit } from '../data/types';
import type { Model } from '../graph/types';
import { loadBackend, type Backend } from '../runtime/backend';
import { classifierHead } from '../train/loss';
import { indexOfLargest } from './largest';
import { ModelScorer } from './scorer';
import { softmax } from './softmax';
import type { FlipKind } from './types';

/** By image, in the order of the split. */
export interface Predictions {
  readonly answers: Int32Array;
  /** Probability of each answer. */
  readonly confidences: Float32Array;
}

const pixelsPerBatch = 2 ** 18;

/** @throws AppError DATA_MISMATCH when the model is no classifier, RUNTIME_UNAVAILABLE, or the reason of the signal */
export async function predict(
  model: Model,
  split: ImageSplit,
  label: string,
  context: EngineContext,
  backend?: Backend,
): Promise<Predictions> {
  const { kind, classes } = classifierHead(model);
  const scorer = new ModelScorer(model, split, backend ?? (await loadBackend()));
  const batchSize = Math.ceil(pixelsPerBatch / (split.height * split.width));
  const order = { shuffle: false, seed: 0, augment: null, samplesPerEpoch: null };
  const loader = new BatchLoader(split, { ...order, batchSize });
  const answers = new Int32Array(split.count);
  const confidences = new Float32Array(split.count);
  let done = 0;
  try {
    for (let batch = await loader.next(); batch !== null; batch = await loader.next()) {
      const { scores } = await scorer.score(batch);
      for (let i = 0; i < batch.count; i++, done++) {
        const row = scores.subarray(i * classes, (i + 1) * classes);
        const probabilities = kind === 'logits' ? softmax(row) : row;
        const answer = indexOfLargest(row);
        answers[done] = answer;
        confidences[done] = probabilities[answer]!;
      }
      context.progress({ phase: 'evaluating', label, done, total: split.count });
      await setImmediate();
      context.signal.throwIfAborted();
    }
    return { answers, confidences };
  } finally {
    scorer.dispose();
  }
}

/**
 * Indices of the images that `b` answers otherwise than `a`, the most certain answers of `b` first: 'gained' are right
 * now, 'lost' were right before, 'other' are wrong in another way.
 */
export function findFlips(
  labels: Int32Array,
  a: Predictions,
  b: Predictions,
): Readonly<Record<FlipKind, readonly number[]>> {
  const flips: Record<FlipKind, number[]> = { gained: [], lost: [], other: [] };
  labels.forEach((label, i) => {
    const [before, after] = [a.answers[i]!, b.answers[i]!];
    if (before === after) return;
    flips[after === label ? 'gained' : before === label ? 'lost' : 'other'].push(i);
  });
  for (const indices of Object.values(flips)) {
    indices.sort((i, j) => b.confidences[j]! - b.confidences[i]! || i - j);
  }
  return flips;
}
