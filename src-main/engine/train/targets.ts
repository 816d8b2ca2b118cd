// What a batch is to answer where labels are smoothed or samples mixed: a share of each class, or rows of targets.

import type { Mix } from './mixup';
import type { TaskHead } from './task-loss';

/**
 * The share of each class for each sample, [N, classes]. Smoothing keeps 1 - smoothing of a label and spreads the
 * rest evenly over all classes (Szegedy et al. 2016, section 7); where each class is a question of its own, it
 * moves each answer towards 1/2, as Keras has it.
 */
export function targetShares(
  labels: Int32Array,
  { kind, classes }: Pick<TaskHead, 'kind' | 'classes'>,
  smoothing: number,
  mix: Mix | null,
): Float32Array {
  const even = smoothing * (kind === 'independent' ? 1 / 2 : 1 / classes);
  const shares = new Float32Array(labels.length * classes).fill(even);
  const give = (sample: number, label: number, share: number): void => {
    shares[sample * classes + label]! += share * (1 - smoothing);
  };
  labels.forEach((label, i) => {
    if (mix === null) return give(i, label, 1);
    give(i, label, mix.share);
    give(i, labels[mix.partners[i]!]!, 1 - mix.share);
  });
  return shares;
}

/**
 * Rows of labels (0 or 1) or values, [N, width], mixed as their images are. Smoothing moves each label towards 1/2, as
 * Keras has it.
 */
export function targetRows(
  targets: Float32Array,
  width: number,
  smoothing: number,
  mix: Mix | null,
): Float32Array {
  return targets.map((own, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    const mixed =
      mix === null
        ? own
        : mix.share * own + (1 - mix.share) * targets[mix.partners[row]! * width + column]!;
    return mixed * (1 - smoothing) + smoothing / 2;
  });
}
