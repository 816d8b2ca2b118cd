// Kernels of layers with filters: convolutions and dense.

import type { NodeOf } from '../../../graph/types';
import type { Tensor } from '../../../runtime/primitives';
import type { BackwardArguments, KernelContext, KernelGradients, KernelsOf } from '../types';

function withBias(y: Tensor, { primitives, weight }: KernelContext): Tensor {
  const bias = weight('bias');
  return bias === undefined ? y : primitives.addBias(y, bias);
}

function layerGradients(
  dx: Tensor | null,
  kernel: Tensor,
  { dy }: BackwardArguments,
  { primitives, weight }: KernelContext,
): KernelGradients {
  const bias = weight('bias') === undefined ? {} : { bias: primitives.biasGradient(dy) };
  return { inputs: [dx], weights: { kernel, ...bias } };
}

/** Input and output of a transposed convolution are output and input of a convolution. */
function transposedShape(
  node: NodeOf<'conv2dTranspose'>,
  x: Tensor,
  context: KernelContext,
): number[] {
  const [height, width] = context.outputShapes[0] as readonly [number, number, number];
  return [x.shape[0]!, height, width, node.attrs.filters];
}

export const convKernels: KernelsOf<'conv2d' | 'depthwiseConv2d' | 'conv2dTranspose' | 'dense'> = {
  conv2d: {
    forward({ attrs }, [x], context) {
      const kernel = context.weight('kernel')!;
      return withBias(context.primitives.conv2d(x!, kernel, attrs), context);
    },
    keeps: () => 'inputs',
    backward({ attrs }, pass, context) {
      const { primitives } = context;
      const kernel = context.weight('kernel')!;
      const x = pass.inputs[0]!;
      const dx = pass.wanted[0]
        ? primitives.conv2dInputGradient(x.shape, kernel, pass.dy, attrs)
        : null;
      const dKernel = primitives.conv2dKernelGradient(x, kernel.shape, pass.dy, attrs);
      return layerGradients(dx, dKernel, pass, context);
    },
  },

  depthwiseConv2d: {
    forward({ attrs }, [x], context) {
      const kernel = context.weight('kernel')!;
      return withBias(context.primitives.depthwiseConv2d(x!, kernel, attrs), context);
    },
    keeps: () => 'inputs',
    backward({ attrs }, pass, context) {
      const { primitives } = context;
      const kernel = context.weight('kernel')!;
      const x = pass.inputs[0]!;
      const dx = pass.wanted[0]
        ? primitives.depthwiseInputGradient(x.shape, kernel, pass.dy, attrs)
        : null;
      const dKernel = primitives.depthwiseKernelGradient(x, kernel.shape, pass.dy, attrs);
      return layerGradients(dx, dKernel, pass, context);
    },
  },

  // By definition the input gradient of a convolution; so its own gradients are the convolution itself and,
  // with input and output exchanged, the kernel's.
  conv2dTranspose: {
    forward(node, [x], context) {
      const kernel = context.weight('kernel')!;
      const shape = transposedShape(node, x!, context);
      const y = context.primitives.conv2dInputGradient(shape, kernel, x!, node.attrs);
      return withBias(y, context);
    },
    keeps: () => 'inputs',
    backward({ attrs }, pass, context) {
      const { primitives } = context;
      const kernel = context.weight('kernel')!;
      const dx = pass.wanted[0] ? primitives.conv2d(pass.dy, kernel, attrs) : null;
      const dKernel = primitives.conv2dKernelGradient(
        pass.dy,
        kernel.shape,
        pass.inputs[0]!,
        attrs,
      );
      return layerGradients(dx, dKernel, pass, context);
    },
  },

  dense: {
    forward(_node, [x], context) {
      const { tf } = context;
      const kernel = context.weight('kernel')!;
      const product = tf.matMul(tf.reshape(x!, [-1, kernel.shape[0]!]), kernel);
      const y = withBias(product, context);
      return tf.reshape(y, [...x!.shape.slice(0, -1), kernel.shape[1]!]);
    },
    keeps: () => 'inputs',
    backward(_node, pass, context) {
      const { tf } = context;
      const kernel = context.weight('kernel')!;
      const x = pass.inputs[0]!;
      const [inputs, units] = kernel.shape as [number, number];
      const rows = tf.reshape(x, [-1, inputs]);
      const dRows = tf.reshape(pass.dy, [-1, units]);
      const dx = pass.wanted[0] ? tf.reshape(tf.matMul(dRows, kernel, false, true), x.shape) : null;
      const dKernel = tf.matMul(rows, dRows, true, false);
      return layerGradients(dx, dKernel, { ...pass, dy: dRows }, context);
    },
  },
};
