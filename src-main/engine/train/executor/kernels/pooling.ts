// Kernels of pooling over windows and over the whole image.

import type { ExplicitPadding, NodeOf } from '../../../graph/types';
import type { Tensor, TensorFlow } from '../../../runtime/primitives';
import type { KernelContext, KernelsOf } from '../types';

type PoolNode = NodeOf<'maxPool2d'> | NodeOf<'avgPool2d'>;

/** Below every float32: padding that a maximum never takes. */
const lowest = -3.4028234663852886e38;

/** Padding to apply before the pooling: tfjs's own covers 'same' and 'valid'. */
function explicitPadding({ attrs }: PoolNode): ExplicitPadding | null {
  return typeof attrs.padding === 'string' ? null : attrs.padding;
}

function padded(tf: TensorFlow, x: Tensor, padding: ExplicitPadding | null, value: number): Tensor {
  if (padding === null) return x;
  const pairs = [[0, 0], ...padding, [0, 0]] as [number, number][];
  return tf.pad(x, pairs, value);
}

function unpadded(
  tf: TensorFlow,
  dx: Tensor,
  padding: ExplicitPadding | null,
  shape: number[],
): Tensor {
  return padding === null ? dx : tf.slice(dx, [0, padding[0][0], padding[1][0], 0], shape);
}

interface PoolAttrs {
  readonly filterSize: [number, number];
  readonly strides: [number, number];
  readonly pad: 'same' | 'valid';
}

function poolAttrs({ attrs }: PoolNode): PoolAttrs {
  return {
    filterSize: [...attrs.poolSize],
    strides: [...attrs.strides],
    pad: attrs.padding === 'same' ? 'same' : 'valid',
  };
}

function run(
  { tf }: KernelContext,
  kernel: 'MaxPool' | 'AvgPool' | 'MaxPoolGrad' | 'AvgPoolGrad',
  inputs: Record<string, Tensor>,
  attrs: PoolAttrs,
): Tensor {
  return tf.engine().runKernel(kernel, inputs, { ...attrs });
}

/** Share of each average's window that lies on the image, [1, H, W, 1]; null where all of it counts. */
function countedShare(
  node: NodeOf<'avgPool2d'>,
  padding: ExplicitPadding | null,
  context: KernelContext,
): Tensor | null {
  if (padding === null || node.attrs.countPadding) return null;
  const { tf } = context;
  const [height, width] = context.inputShapes[0] as readonly [number, number, number];
  const ones = padded(tf, tf.ones([1, height, width, 1]), padding, 0);
  return run(context, 'AvgPool', { x: ones }, poolAttrs(node));
}

export const poolingKernels: KernelsOf<
  'maxPool2d' | 'avgPool2d' | 'globalAvgPool' | 'globalMaxPool'
> = {
  maxPool2d: {
    forward(node, [x], context) {
      const padding = explicitPadding(node);
      const input = padded(context.tf, x!, padding, lowest);
      return run(context, 'MaxPool', { x: input }, poolAttrs(node));
    },
    keeps: () => 'both',
    backward(node, { inputs, outputs, dy }, context) {
      const { tf } = context;
      const x = inputs[0]!;
      const padding = explicitPadding(node);
      const input = padded(tf, x, padding, lowest);
      const tensors = { dy, input, output: outputs[0]! };
      const dx = run(context, 'MaxPoolGrad', tensors, poolAttrs(node));
      return { inputs: [unpadded(tf, dx, padding, x.shape)] };
    },
  },

  avgPool2d: {
    forward(node, [x], context) {
      const { tf } = context;
      const padding = explicitPadding(node);
      const input = padded(tf, x!, padding, 0);
      const mean = run(context, 'AvgPool', { x: input }, poolAttrs(node));
      const share = countedShare(node, padding, context);
      return share === null ? mean : tf.div(mean, share);
    },
    keeps: () => 'inputs',
    backward(node, { inputs, dy }, context) {
      const { tf } = context;
      const x = inputs[0]!;
      const padding = explicitPadding(node);
      const share = countedShare(node, padding, context);
      const input = padded(tf, x, padding, 0);
      const tensors = { dy: share === null ? dy : tf.div(dy, share), input };
      const dx = run(context, 'AvgPoolGrad', tensors, poolAttrs(node));
      return { inputs: [unpadded(tf, dx, padding, x.shape)] };
    },
  },

  globalAvgPool: {
    forward: ({ attrs }, [x], { tf }) => tf.mean(x!, [1, 2], attrs.keepDims),
    backward(_node, { inputs, dy }, { tf }) {
      const [batch, height, width, channels] = inputs[0]!.shape as [number, number, number, number];
      const share = tf.reshape(tf.div(dy, height * width), [batch, 1, 1, channels]);
      return { inputs: [tf.tile(share, [1, height, width, 1])] };
    },
  },

  globalMaxPool: {
    forward: ({ attrs }, [x], { tf }) => tf.max(x!, [1, 2], attrs.keepDims),
  },
};
