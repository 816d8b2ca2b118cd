// Initial weights of a layer that is to be trained from nothing.
import { sizeOf } from './ops/check';
import type { Rng } from './rng';
import type { Node, Shape, Weight, WeightRole } from './types';

export interface InitOptions {
  /** Batch norm's gamma at the start: 1, or 0.5 as in Network Slimming (Liu et al. 2017, section 4). */
  readonly gamma?: number;
  /** Leaves kernels at 0, where only their shapes matter: drawing millions of numbers takes seconds. */
  readonly zeroKernels?: boolean;
}

/** Stored numbers of the given shape. */
export function float32Weight(shape: Shape, data: Float32Array): Weight {
  return { shape, dtype: 'float32', data };
}

/** A weight with one number in every place. */
export function filledWeight(shape: Shape, value: number): Weight {
  return float32Weight(shape, new Float32Array(sizeOf(shape)).fill(value));
}

/** How many inputs a kernel sums up for one output. */
function fanIn(op: Node['op'], shape: Shape): number {
  switch (op) {
    // [kh, kw, in, multiplier]: each output reads one channel.
    case 'depthwiseConv2d':
      return shape[0]! * shape[1]!;
    // [kh, kw, out, in]
    case 'conv2dTranspose':
      return shape[0]! * shape[1]! * shape[3]!;
    // [kh, kw, in, out]
    default:
      return sizeOf(shape.slice(0, -1));
  }
}

function kernel(op: Node['op'], shape: Shape, rng: Rng): Float32Array {
  const data = new Float32Array(sizeOf(shape));
  // He et al. 2015, "Delving Deep into Rectifiers", formula 10.
  if (op !== 'dense') return rng.fillNormal(data, 0, Math.sqrt(2 / fanIn(op, shape)));
  // Glorot and Bengio 2010, formula 16, the default of Keras.
  const limit = Math.sqrt(6 / (shape[0]! + shape[1]!));
  for (let i = 0; i < data.length; i++) data[i] = rng.uniform(-limit, limit);
  return data;
}

/**
 * A fresh weight: He normal for convolution kernels, Glorot uniform for dense ones, 1 for gamma (unless given)
 * and variance, 0.25 for PReLU slopes (He et al. 2015), 0 for the rest.
 */
export function initialWeight(
  op: Node['op'],
  role: WeightRole,
  shape: Shape,
  rng: Rng,
  options: InitOptions = {},
): Weight {
  switch (role) {
    case 'kernel':
      return options.zeroKernels
        ? float32Weight(shape, new Float32Array(sizeOf(shape)))
        : float32Weight(shape, kernel(op, shape, rng));
    case 'gamma':
      return filledWeight(shape, op === 'batchNorm' ? (options.gamma ?? 1) : 1);
    case 'variance':
      return filledWeight(shape, 1);
    case 'alpha':
      return filledWeight(shape, 0.25);
    case 'bias':
    case 'beta':
    case 'mean':
    case 'value':
      return filledWeight(shape, 0);
  }
}
