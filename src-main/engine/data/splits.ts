// Splits that a source does not have itself: held back from its training images, by seed, class by class.

import { AppError } from '../errors';
import type { Rng } from '../graph/rng';
import type { SplitName } from './types';

export interface HeldBack {
  readonly val: number;
  readonly test: number;
}

/** @throws AppError INVALID_ARGUMENT when a fraction is out of range or nothing is left to train with */
export function checkFractions({ val, test }: HeldBack): void {
  if (val >= 0 && test >= 0 && val + test < 1) return;
  throw new AppError(
    'INVALID_ARGUMENT',
    `The shares for validation (${val}) and testing (${test}) leave nothing to train with.`,
    'Give shares from 0 up, together below 1.',
  );
}

/**
 * The split of each sample. Of a class with n samples, round(n * fraction) go to test and to val, chosen by
 * `rng`; at least one stays in train.
 */
export function holdBack(
  labels: Int32Array,
  classCount: number,
  fractions: HeldBack,
  rng: Rng,
): SplitName[] {
  const splits = new Array<SplitName>(labels.length).fill('train');
  const byClass = Array.from({ length: classCount }, (): number[] => []);
  labels.forEach((label, i) => byClass[label]!.push(i));
  for (const members of byClass) {
    rng.shuffle(members);
    const spare = Math.max(0, members.length - 1);
    const test = Math.min(spare, Math.round(members.length * fractions.test));
    const val = Math.min(spare - test, Math.round(members.length * fractions.val));
    members.slice(0, test).forEach((i) => (splits[i] = 'test'));
    members.slice(test, test + val).forEach((i) => (splits[i] = 'val'));
  }
  return splits;
}
