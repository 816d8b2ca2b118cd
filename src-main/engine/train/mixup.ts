// mixup (Zhang et al. 2018, "mixup: Beyond Empirical Risk Minimization"): pairs of a batch, mixed in one share.

import type { Rng } from '../graph/rng';
import type { Tensor, TensorFlow } from '../runtime/primitives';

/** Sample i becomes share * sample i + (1 - share) * sample partners[i]. */
export interface Mix {
  readonly share: number;
  /** A permutation of the batch, int32 [N]. */
  readonly partners: Int32Array;
}

/** One share of Beta(alpha, alpha) for the whole batch, as in the authors' code. */
export function drawMix(rng: Rng, count: number, alpha: number): Mix {
  const share = drawBeta(rng, alpha);
  return { share, partners: rng.shuffle(Int32Array.from({ length: count }, (_, i) => i)) };
}

/** Images [N, ...] mixed in pairs; mixing what is preprocessed is the same, which is affine. */
export function mixImages(tf: TensorFlow, images: Tensor, { share, partners }: Mix): Tensor {
  return tf.tidy(() => {
    const others = tf.gather(images, tf.tensor1d(partners.slice(), 'int32'));
    return tf.add(tf.mul(images, share), tf.mul(others, 1 - share));
  });
}

/** X / (X + Y) with X and Y of Gamma(alpha), by their logarithms: small alphas underflow. */
export function drawBeta(rng: Rng, alpha: number): number {
  const [x, y] = [drawLogGamma(rng, alpha), drawLogGamma(rng, alpha)];
  return 1 / (1 + Math.exp(y - x));
}

/**
 * Logarithm of a number of Gamma(shape, 1): Marsaglia and Tsang 2000, "A simple method for generating gamma
 * variables", with their section 6 for shapes below 1: Gamma(shape + 1) * U^(1 / shape).
 */
function drawLogGamma(rng: Rng, shape: number): number {
  if (shape < 1) return drawLogGamma(rng, shape + 1) + Math.log(1 - rng.uniform()) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = rng.normal();
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    const accepted = x ** 2 / 2 + d - d * v + d * Math.log(v);
    if (Math.log(1 - rng.uniform()) < accepted) return Math.log(d * v);
  }
}
