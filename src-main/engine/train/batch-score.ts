// What the curve of a training shows beside the loss: how good the answers to a batch are.

import type { Batch } from '../data/loader';
import { indexOfLargest } from '../measure/largest';
import type { Mix } from './mixup';
import { targetRows } from './targets';
import type { TaskHead } from './task-loss';

/** @param outputs of the head, [N, outputs] row after row @returns a sum over samples, as `StepResult.score` has it */
export function batchScore(
  head: TaskHead,
  outputs: Float32Array,
  { labels, targets }: Batch,
  mix: Mix | null,
): number {
  if (targets === undefined) return countRight(outputs, labels, mix);
  if (head.task === 'values') {
    const mixed = targetRows(targets, head.classes, 0, mix);
    return sumOver(outputs, (answer, i) => Math.abs(answer - mixed[i]!)) / head.classes;
  }
  const threshold = head.kind === 'logits' ? 0 : 0.5;
  const isRight = (answer: number, target: number): number =>
    answer > threshold === target > 0.5 ? 1 : 0;
  const right = sumOver(outputs, (answer, i) => {
    if (mix === null) return isRight(answer, targets[i]!);
    const [row, column] = [Math.floor(i / head.classes), i % head.classes];
    const partner = targets[mix.partners[row]! * head.classes + column]!;
    return mix.share * isRight(answer, targets[i]!) + (1 - mix.share) * isRight(answer, partner);
  });
  return right / head.classes;
}

function sumOver(values: Float32Array, term: (value: number, index: number) => number): number {
  return values.reduce((sum, value, i) => sum + term(value, i), 0);
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
