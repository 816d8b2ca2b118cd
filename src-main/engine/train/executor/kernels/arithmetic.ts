// Kernels of element-wise operations on several tensors, and of affine constants.

import type { Tensor, TensorFlow } from '../../../runtime/primitives';
import type { Kernel, KernelsOf } from '../types';
import { alignRanks, unbroadcast } from './shapes';

type Pairwise = (tf: TensorFlow, a: Tensor, b: Tensor) => Tensor;

/** Applies an operation of two tensors from left to right. */
function chain(tf: TensorFlow, inputs: readonly Tensor[], pairwise: Pairwise): Tensor {
  return alignRanks(tf, inputs).reduce((a, b) => pairwise(tf, a, b));
}

const sum: Pairwise = (tf, a, b) => tf.add(a, b);

function folded<K extends 'sub' | 'mul' | 'div' | 'max' | 'min'>(pairwise: Pairwise): Kernel<K> {
  return { forward: (_node, inputs, { tf }) => chain(tf, inputs, pairwise) };
}

export const arithmeticKernels: KernelsOf<
  'add' | 'sub' | 'mul' | 'div' | 'max' | 'min' | 'average' | 'rescale'
> = {
  add: {
    forward: (_node, inputs, { tf }) => chain(tf, inputs, sum),
    backward: (_node, { inputs, dy, wanted }, { tf }) => ({
      inputs: inputs.map((input, i) => (wanted[i] ? unbroadcast(tf, dy, input.shape) : null)),
    }),
  },
  sub: folded((tf, a, b) => tf.sub(a, b)),
  mul: folded((tf, a, b) => tf.mul(a, b)),
  div: folded((tf, a, b) => tf.div(a, b)),
  max: folded((tf, a, b) => tf.maximum(a, b)),
  min: folded((tf, a, b) => tf.minimum(a, b)),
  average: {
    forward: (_node, inputs, { tf }) => tf.div(chain(tf, inputs, sum), inputs.length),
  },
  rescale: {
    forward: ({ attrs }, [x], { tf }) =>
      tf.add(tf.mul(x!, tf.tensor1d([...attrs.scale])), tf.tensor1d([...attrs.offset])),
  },
};
