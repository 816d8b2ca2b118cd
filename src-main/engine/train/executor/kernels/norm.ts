// Kernels of normalisations.

import type { NodeOf } from '../../../graph/types';
import type { BatchNormVectors, Tensor } from '../../../runtime/primitives';
import type { BackwardArguments, KernelContext, KernelGradients, KernelsOf } from '../types';

/** The vectors of a batch norm; an absent gamma is 1, an absent beta 0. */
export function vectorsOf({ tf, weight }: KernelContext): BatchNormVectors {
  const mean = weight('mean')!;
  return {
    // As many as the mean has, not the input: folded into a convolution, the input is that one's.
    gamma: weight('gamma') ?? tf.ones(mean.shape),
    beta: weight('beta') ?? tf.zeros(mean.shape),
    mean,
    variance: weight('variance')!,
  };
}

/** Gradients of those of gamma and beta that the node has. */
function presentGradients(
  context: KernelContext,
  gradients: { readonly gamma: Tensor; readonly beta: Tensor },
): NonNullable<KernelGradients['weights']> {
  const { gamma, beta } = gradients;
  return {
    ...(context.weight('gamma') === undefined ? {} : { gamma }),
    ...(context.weight('beta') === undefined ? {} : { beta }),
  };
}

/** Gradient where the statistics are stored numbers: x enters through one factor a channel. */
function inferenceGradients(
  node: NodeOf<'batchNorm'>,
  { dy, inputs, wanted }: BackwardArguments,
  context: KernelContext,
): KernelGradients {
  const { tf } = context;
  const { gamma, mean, variance } = vectorsOf(context);
  const inverse = tf.rsqrt(tf.add(variance, node.attrs.epsilon));
  const normalised = tf.mul(tf.sub(inputs[0]!, mean), inverse);
  const weights = presentGradients(context, {
    gamma: context.primitives.biasGradient(tf.mul(dy, normalised)),
    beta: context.primitives.biasGradient(dy),
  });
  return { inputs: [wanted[0] ? tf.mul(dy, tf.mul(gamma, inverse)) : null], weights };
}

/** (x - mean) / sqrt(variance + epsilon) over the given axes. */
function normalise(
  { tf }: KernelContext,
  x: Tensor,
  axes: readonly number[],
  epsilon: number,
): Tensor {
  const centred = tf.sub(x, tf.mean(x, [...axes], true));
  const variance = tf.mean(tf.square(centred), [...axes], true);
  return tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon)));
}

/** x * gamma + beta with the weights brought to a shape that broadcasts. */
function scaleAndShift(
  { tf, weight }: KernelContext,
  x: Tensor,
  weightShape: readonly number[],
): Tensor {
  const gamma = weight('gamma');
  const beta = weight('beta');
  const scaled = gamma === undefined ? x : tf.mul(x, tf.reshape(gamma, [...weightShape]));
  return beta === undefined ? scaled : tf.add(scaled, tf.reshape(beta, [...weightShape]));
}

export const normKernels: KernelsOf<'batchNorm' | 'layerNorm' | 'groupNorm'> = {
  batchNorm: {
    forward({ attrs }, [x], context) {
      const { primitives } = context;
      const vectors = vectorsOf(context);
      if (!context.batchStatistics) return primitives.batchNorm(x!, vectors, attrs.epsilon);
      const { y, mean, variance, saved } = primitives.batchNormTraining(
        x!,
        vectors,
        attrs.epsilon,
        context.momentum ?? attrs.momentum,
      );
      context.updateWeight('mean', mean);
      context.updateWeight('variance', variance);
      context.save(...saved);
      return y;
    },
    keeps: () => 'inputs',
    backward(node, pass, context) {
      if (!context.batchStatistics) return inferenceGradients(node, pass, context);
      const { gamma } = vectorsOf(context);
      const gradients = context.primitives.batchNormGradient(
        pass.dy,
        pass.inputs[0]!,
        gamma,
        pass.saved,
        node.attrs.epsilon,
      );
      return {
        inputs: [pass.wanted[0] ? gradients.x : null],
        weights: presentGradients(context, gradients),
      };
    },
  },

  layerNorm: {
    forward({ attrs }, [x], context) {
      const rank = context.inputShapes[0]!.length;
      const axes = new Set(attrs.axes.map((axis) => (axis < 0 ? axis + rank : axis)));
      const normalised = normalise(
        context,
        x!,
        Array.from(axes, (axis) => axis + 1),
        attrs.epsilon,
      );
      const shape = context.inputShapes[0]!.map((size, axis) => (axes.has(axis) ? size : 1));
      return scaleAndShift(context, normalised, shape);
    },
  },

  groupNorm: {
    forward({ attrs }, [x], context) {
      const { tf } = context;
      const channels = x!.shape.at(-1)!;
      const groups = [x!.shape[0]!, -1, attrs.groups, channels / attrs.groups];
      const normalised = normalise(context, tf.reshape(x!, groups), [1, 3], attrs.epsilon);
      return scaleAndShift(context, tf.reshape(normalised, x!.shape), [channels]);
    },
  },
};
