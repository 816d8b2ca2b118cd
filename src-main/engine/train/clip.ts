// Clipping of gradients by their norm together.

import type { WeightId } from '../graph/types';
import type { Tensor, TensorFlow } from '../runtime/primitives';

/**
 * Gradients scaled by min(1, limit / (norm + 1e-6)), the norm being that of all of them in one vector (Pascanu et
 * al. 2013; PyTorch's clip_grad_norm_). Disposes those given.
 */
export function clipByGlobalNorm(
  tf: TensorFlow,
  gradients: ReadonlyMap<WeightId, Tensor>,
  limit: number,
): ReadonlyMap<WeightId, Tensor> {
  const given = [...gradients.values()];
  const clipped = tf.tidy(() => {
    const norm = tf.sqrt(tf.addN(given.map((gradient) => tf.sum(tf.square(gradient)))));
    const factor = tf.minimum(1, tf.div(limit, tf.add(norm, 1e-6)));
    return given.map((gradient) => tf.mul(gradient, factor));
  });
  tf.dispose(given);
  return new Map(Array.from(gradients.keys(), (id, i) => [id, clipped[i]!]));
}
