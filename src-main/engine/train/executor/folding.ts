// Batch norm at inference is a scale and a shift of each channel: behind a convolution that nobody else reads they
// go into its kernel and bias, which saves a pass over the tensor. (oneDNN's batch norm at inference takes ten
// times as long as a training one where a virtual machine hides the sizes of the caches.)

import type { Node, NodeOf, TensorId } from '../../graph/types';
import type { Tensor } from '../../runtime/primitives';
import { vectorsOf } from './kernels/norm';
import type { Step } from './steps';
import type { Kernel, KernelContext } from './types';

type FoldableNode = NodeOf<'conv2d'> | NodeOf<'depthwiseConv2d'>;

/**
 * The steps with each batch norm folded into the convolution before it where that is its input's only reader.
 * Right only while batch norm takes the running statistics, and without gradients.
 */
export function foldBatchNorms(
  steps: readonly Step[],
  readers: ReadonlyMap<TensorId, number>,
): readonly Step[] {
  const producers = new Map(steps.map((step) => [step.node.outputs[0]!, step]));
  const folded = new Map<Step, Step | null>();
  for (const step of steps) {
    if (step.node.op !== 'batchNorm') continue;
    const input = step.node.inputs[0]!;
    const producer = producers.get(input);
    if (producer === undefined || readers.get(input) !== 1 || !isFoldable(producer.node)) continue;
    folded.set(producer, null);
    folded.set(step, foldedStep(producer, producer.node, step));
  }
  return steps.flatMap((step) => {
    const replacement = folded.get(step);
    return replacement === null ? [] : [replacement ?? step];
  });
}

function isFoldable(node: Node): node is FoldableNode {
  return node.op === 'conv2d' || node.op === 'depthwiseConv2d';
}

/** A convolution with the output and, beside its own, the weights of the batch norm after it. */
function foldedStep(conv: Step, node: FoldableNode, norm: Step): Step {
  const epsilon = (norm.node as NodeOf<'batchNorm'>).attrs.epsilon;
  const kernel: Kernel<'conv2d' | 'depthwiseConv2d'> = {
    forward: (_, [x], context) => foldedForward(node, epsilon, x!, context),
  };
  return {
    ...conv,
    node: {
      ...node,
      outputs: norm.node.outputs,
      weights: { ...norm.node.weights, ...node.weights },
    },
    kernel: kernel as Step['kernel'],
    outputShapes: norm.outputShapes,
  };
}

function foldedForward(
  { op, attrs }: FoldableNode,
  epsilon: number,
  x: Tensor,
  context: KernelContext,
): Tensor {
  const { tf, primitives, weight } = context;
  const { gamma, beta, mean, variance } = vectorsOf(context);
  const scale = tf.mul(gamma, tf.rsqrt(tf.add(variance, epsilon)));
  const bias = weight('bias');
  const centre = bias === undefined ? mean : tf.sub(mean, bias);
  const shift = tf.sub(beta, tf.mul(centre, scale));
  const kernel = weight('kernel')!;
  if (op === 'conv2d') {
    return primitives.addBias(primitives.conv2d(x, tf.mul(kernel, scale), attrs), shift);
  }
  // [kh, kw, in, multiplier]: output channel in * multiplier + m.
  const scaled = tf.mul(kernel, tf.reshape(scale, kernel.shape.slice(2)));
  return primitives.addBias(primitives.depthwiseConv2d(x, scaled, attrs), shift);
}
