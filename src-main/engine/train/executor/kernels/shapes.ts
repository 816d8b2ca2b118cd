// Shape arithmetic that kernels share. Shapes here include the batch.

import type { Tensor, TensorFlow } from '../../../runtime/primitives';

/** Number of a sample's axis in the tensor; negative axes count from the end. */
export function batchedAxis(axis: number, sampleRank: number): number {
  return (axis < 0 ? axis + sampleRank : axis) + 1;
}

/**
 * Tensors brought to one rank, so that samples broadcast as NumPy aligns them, at the last axis:
 * [N, C] beside [N, H, W, C] becomes [N, 1, 1, C].
 */
export function alignRanks(tf: TensorFlow, tensors: readonly Tensor[]): Tensor[] {
  const rank = Math.max(...tensors.map((tensor) => tensor.rank));
  return tensors.map((tensor) => {
    if (tensor.rank === rank) return tensor;
    const [batch, ...sample] = tensor.shape as [number, ...number[]];
    const ones = new Array<number>(rank - tensor.rank).fill(1);
    return tf.reshape(tensor, [batch, ...ones, ...sample]);
  });
}

/** Gradient of a broadcast: sums over the axes that were repeated. Always a new tensor. */
export function unbroadcast(tf: TensorFlow, dy: Tensor, shape: readonly number[]): Tensor {
  const [batch, ...sample] = shape as [number, ...number[]];
  const aligned = [batch, ...new Array<number>(dy.rank - shape.length).fill(1), ...sample];
  const axes = aligned.flatMap((size, axis) => (size === dy.shape[axis] ? [] : [axis]));
  const summed = axes.length === 0 ? tf.clone(dy) : tf.sum(dy, axes, true);
  return summed.rank === shape.length ? summed : tf.reshape(summed, [...shape]);
}

/** Repeats a tensor without a batch of its own (a constant: batch 1) for the whole batch. */
export function repeatForBatch(tf: TensorFlow, tensor: Tensor, batch: number): Tensor {
  if (tensor.shape[0] === batch) return tensor;
  return tf.tile(tensor, [batch, ...tensor.shape.slice(1).map(() => 1)]);
}
