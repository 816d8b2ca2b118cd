// Kernels that move values without changing them: joining, splitting, picking, reshaping, padding.

import type { NodeOf } from '../../../graph/types';
import type { Tensor, TensorFlow } from '../../../runtime/primitives';
import type { Kernel, KernelsOf } from '../types';
import { batchedAxis, repeatForBatch } from './shapes';

/** The batch takes part in no op but as axis 0. */
function reshaped<K extends 'flatten' | 'reshape'>(): Kernel<K> {
  return {
    forward: (_node, [x], { tf, outputShapes }) =>
      tf.reshape(x!, [x!.shape[0]!, ...outputShapes[0]!]),
    backward: (_node, { inputs, dy }, { tf }) => ({
      inputs: [tf.reshape(dy, inputs[0]!.shape)],
    }),
  };
}

function inverse(perm: readonly number[]): number[] {
  const result = new Array<number>(perm.length);
  perm.forEach((axis, i) => (result[axis] = i));
  return result;
}

function strided(tf: TensorFlow, x: Tensor, { attrs }: NodeOf<'slice'>): Tensor {
  const size = attrs.begin.map((begin, axis) => attrs.end[axis]! - begin);
  let y = tf.slice(x, [0, ...attrs.begin], [x.shape[0]!, ...size]);
  attrs.strides.forEach((stride, axis) => {
    if (stride === 1) return;
    const count = Math.ceil(size[axis]! / stride);
    const places = Int32Array.from({ length: count }, (_, i) => i * stride);
    y = tf.gather(y, tf.tensor1d(places, 'int32'), axis + 1);
  });
  return y;
}

/** Indices of a mirrored axis: 'reflect' leaves the edge out of the mirror image, 'symmetric' repeats it. */
function mirrored(
  size: number,
  [before, after]: readonly [number, number],
  skip: 0 | 1,
): Int32Array {
  return Int32Array.from({ length: before + size + after }, (_, i) => {
    const place = i - before;
    if (place < 0) return -place - 1 + skip;
    return place < size ? place : 2 * size - 1 - place - skip;
  });
}

export const arrangeKernels: KernelsOf<
  | 'concat'
  | 'split'
  | 'slice'
  | 'gather'
  | 'flatten'
  | 'reshape'
  | 'permute'
  | 'pad'
  | 'crop'
  | 'constant'
> = {
  concat: {
    forward({ attrs }, inputs, { tf, inputShapes }) {
      const batch = Math.max(...inputs.map(({ shape }) => shape[0]!));
      const whole = inputs.map((input) => repeatForBatch(tf, input, batch));
      return tf.concat(whole, batchedAxis(attrs.axis, inputShapes[0]!.length));
    },
    backward({ attrs }, { inputs, dy, wanted }, { tf, inputShapes }) {
      const axis = batchedAxis(attrs.axis, inputShapes[0]!.length);
      let offset = 0;
      const gradients = inputs.map(({ shape }, i) => {
        const begin = shape.map((_, a) => (a === axis ? offset : 0));
        offset += shape[axis]!;
        return wanted[i] ? tf.slice(dy, begin, shape) : null;
      });
      return { inputs: gradients };
    },
  },

  split: {
    forward: ({ attrs }, [x], { tf, inputShapes }) =>
      tf.split(x!, [...attrs.sizes], batchedAxis(attrs.axis, inputShapes[0]!.length)),
  },

  slice: {
    forward: (node, [x], { tf }) => strided(tf, x!, node),
  },

  gather: {
    forward: ({ attrs }, [x], { tf }) =>
      tf.gather(x!, tf.tensor1d([...attrs.indices], 'int32'), x!.rank - 1),
  },

  flatten: reshaped(),
  reshape: reshaped(),

  permute: {
    forward: ({ attrs }, [x], { tf }) =>
      tf.transpose(x!, [0, ...attrs.perm.map((axis) => axis + 1)]),
    backward: ({ attrs }, { dy }, { tf }) => ({
      inputs: [tf.transpose(dy, [0, ...inverse(attrs.perm).map((axis) => axis + 1)])],
    }),
  },

  pad: {
    forward({ attrs }, [x], { tf }) {
      if (attrs.mode === 'constant') {
        const pairs = [[0, 0], ...attrs.paddings] as [number, number][];
        return tf.pad(x!, pairs, attrs.value);
      }
      const skip = attrs.mode === 'reflect' ? 1 : 0;
      let y = tf.clone(x!);
      attrs.paddings.forEach((pair, axis) => {
        if (pair[0] + pair[1] === 0) return;
        const places = mirrored(y.shape[axis + 1]!, pair, skip);
        y = tf.gather(y, tf.tensor1d(places, 'int32'), axis + 1);
      });
      return y;
    },
  },

  crop: {
    forward({ attrs }, [x], { tf, outputShapes }) {
      const [[top], [left]] = attrs.amounts;
      return tf.slice(x!, [0, top, left, 0], [x!.shape[0]!, ...outputShapes[0]!]);
    },
  },

  // A batch of one, which broadcasts against every batch.
  constant: {
    forward(_node, _inputs, { tf, weight }) {
      const value = weight('value')!;
      return tf.reshape(value, [1, ...value.shape]);
    },
  },
};
