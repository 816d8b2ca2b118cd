// Kernels of pooling over windows and over the whole image.

import { explicitPadding } from '../../../graph/ops/windows';
import type { ExplicitPadding, NodeOf } from '../../../graph/types';
import { cropPadding, padImage, paddedShape } from '../../../runtime/explicit-padding';
import type { Tensor } from '../../../runtime/primitives';
import type { KernelContext, KernelsOf } from '../types';

type PoolNode = NodeOf<'maxPool2d'> | NodeOf<'avgPool2d'>;

/** Below every float32: padding that a maximum never takes. */
const lowest = -3.4028234663852886e38;

/** Padding to apply before the pooling: tfjs's own covers 'same' and 'valid'. */
function ownPadding({ attrs }: PoolNode): ExplicitPadding | null {
  return typeof attrs.padding === 'string' ? null : attrs.padding;
}

/** Padding of any kind as numbers; null where there is none. */
function anyPadding({ attrs }: PoolNode, { inputShapes }: KernelContext): ExplicitPadding | null {
  if (attrs.padding === 'valid') return null;
  const [height, width] = inputShapes[0] as readonly [number, number, number];
  const window = { ...attrs, kernelSize: attrs.poolSize, dilations: [1, 1] as const };
  return explicitPadding([height, width], window);
}

interface PoolAttrs {
  readonly filterSize: [number, number];
  readonly strides: [number, number];
  readonly pad: 'same' | 'valid';
}

function poolAttrs({ attrs }: PoolNode, pad: 'same' | 'valid'): PoolAttrs {
  return { filterSize: [...attrs.poolSize], strides: [...attrs.strides], pad };
}

/** 'same' where tfjs pads itself. */
function padOf({ attrs }: PoolNode): 'same' | 'valid' {
  return attrs.padding === 'same' ? 'same' : 'valid';
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
  const countsAll = node.attrs.countPadding === true && node.attrs.padding !== 'same';
  if (padding === null || countsAll) return null;
  const { tf } = context;
  const [height, width] = context.inputShapes[0] as readonly [number, number, number];
  const ones = padImage(tf, tf.ones([1, height, width, 1]), padding);
  return run(context, 'AvgPool', { x: ones }, poolAttrs(node, 'valid'));
}

export const poolingKernels: KernelsOf<
  'maxPool2d' | 'avgPool2d' | 'globalAvgPool' | 'globalMaxPool'
> = {
  maxPool2d: {
    forward(node, [x], context) {
      const input = padImage(context.tf, x!, ownPadding(node), lowest);
      return run(context, 'MaxPool', { x: input }, poolAttrs(node, padOf(node)));
    },
    keeps: () => 'both',
    backward(node, { inputs, outputs, dy }, context) {
      const { tf } = context;
      const x = inputs[0]!;
      const padding = ownPadding(node);
      const tensors = { dy, input: padImage(tf, x, padding, lowest), output: outputs[0]! };
      const dx = run(context, 'MaxPoolGrad', tensors, poolAttrs(node, padOf(node)));
      return { inputs: [cropPadding(tf, dx, padding, x.shape)] };
    },
  },

  avgPool2d: {
    forward(node, [x], context) {
      const padding = ownPadding(node);
      const input = padImage(context.tf, x!, padding);
      const mean = run(context, 'AvgPool', { x: input }, poolAttrs(node, padOf(node)));
      const share = countedShare(node, padding, context);
      return share === null ? mean : context.tf.div(mean, share);
    },
    // With its own padding: on 'same', tfjs's plain backend divides the gradient by the whole window.
    backward(node, { inputs, dy }, context) {
      const { tf } = context;
      const { shape } = inputs[0]!;
      const padding = anyPadding(node, context);
      const share = countedShare(node, padding, context);
      // Of the input, the gradient reads the shape alone.
      const input = tf.zeros(paddedShape(shape, padding));
      const tensors = { dy: share === null ? dy : tf.div(dy, share), input };
      const dx = run(context, 'AvgPoolGrad', tensors, poolAttrs(node, 'valid'));
      return { inputs: [cropPadding(tf, dx, padding, shape)] };
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
