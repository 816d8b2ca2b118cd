// Kernels that change the resolution of an image, and reductions over axes.

import type { NodeOf } from '../../../graph/types';
import type { Tensor, TensorFlow } from '../../../runtime/primitives';
import type { KernelsOf } from '../types';
import { alignRanks, batchedAxis } from './shapes';

type Image = readonly [number, number, number, number];

function resized(
  tf: TensorFlow,
  x: Tensor,
  size: readonly [number, number],
  { attrs }: NodeOf<'resize'>,
): Tensor {
  const image = x as Parameters<TensorFlow['image']['resizeBilinear']>[0];
  const resize =
    attrs.mode === 'nearest' ? tf.image.resizeNearestNeighbor : tf.image.resizeBilinear;
  return resize(image, [...size], attrs.alignCorners, attrs.halfPixel);
}

/**
 * The matrix [to, from] by which a resize maps one axis: the resize of the unit vectors, which lie in the
 * channels of an image one pixel wide. tfjs differentiates only some of the resize modes.
 */
function resizeMatrix(tf: TensorFlow, from: number, to: number, node: NodeOf<'resize'>): Tensor {
  const units = tf.reshape(tf.eye(from), [1, from, 1, from]);
  return tf.reshape(resized(tf, units, [to, 1], node), [1, to, from]);
}

export const spatialKernels: KernelsOf<
  'resize' | 'depthToSpace' | 'spaceToDepth' | 'reduce' | 'matmul'
> = {
  resize: {
    forward: (node, [x], { tf }) => resized(tf, x!, node.attrs.size, node),
    // The transposed linear map: first along the height, then along the width.
    backward(node, { inputs, dy }, { tf }) {
      const [batch, height, width, channels] = inputs[0]!.shape as unknown as Image;
      const [toHeight, toWidth] = node.attrs.size;
      const down = resizeMatrix(tf, height, toHeight, node);
      const across = resizeMatrix(tf, width, toWidth, node);
      const columns = tf.reshape(dy, [batch, toHeight, toWidth * channels]);
      const rows = tf.matMul(down, columns, true, false);
      const lines = tf.reshape(rows, [batch * height, toWidth, channels]);
      const dx = tf.matMul(across, lines, true, false);
      return { inputs: [tf.reshape(dx, [batch, height, width, channels])] };
    },
  },

  depthToSpace: {
    forward({ attrs }, [x], { tf }) {
      const { block, order } = attrs;
      const [batch, height, width, depth] = x!.shape as unknown as Image;
      const channels = depth / block ** 2;
      const [shape, perm] =
        order === 'dcr'
          ? [
              [batch, height, width, block, block, channels],
              [0, 1, 3, 2, 4, 5],
            ]
          : [
              [batch, height, width, channels, block, block],
              [0, 1, 4, 2, 5, 3],
            ];
      const blocks = tf.transpose(tf.reshape(x!, shape), perm);
      return tf.reshape(blocks, [batch, height * block, width * block, channels]);
    },
  },

  spaceToDepth: {
    forward({ attrs }, [x], { tf }) {
      const { block } = attrs;
      const [batch, height, width, channels] = x!.shape as unknown as Image;
      const [rows, columns] = [height / block, width / block];
      const apart = tf.reshape(x!, [batch, rows, block, columns, block, channels]);
      const gathered = tf.transpose(apart, [0, 1, 3, 2, 4, 5]);
      return tf.reshape(gathered, [batch, rows, columns, channels * block ** 2]);
    },
  },

  reduce: {
    forward({ attrs }, [x], { tf, inputShapes }) {
      const axes = attrs.axes.map((axis) => batchedAxis(axis, inputShapes[0]!.length));
      return tf[attrs.fn](x!, axes, attrs.keepDims);
    },
  },

  matmul: {
    // tfjs multiplies with broadcasting, but does not sum the gradient over what was repeated.
    forward({ attrs }, inputs, { tf }) {
      const [a, b] = alignRanks(tf, inputs) as [Tensor, Tensor];
      const outer = a.shape.slice(0, -2).map((size, axis) => Math.max(size, b.shape[axis]!));
      const whole = (x: Tensor): Tensor => tf.broadcastTo(x, [...outer, ...x.shape.slice(-2)]);
      return tf.matMul(whole(a), whole(b), attrs.transposeA, attrs.transposeB);
    },
  },
};
