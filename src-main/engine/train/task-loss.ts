// The loss of each task: cross-entropy of classes, sigmoid cross-entropy of labels, mean squared or absolute error of
// values; and where in a network each is taken.

import type { Batch } from '../data/loader';
import type { ImageSplit, Task } from '../data/types';
import { AppError } from '../errors';
import { inferShapes } from '../graph/shapes';
import type { Model, Node, OutputKind, TensorId } from '../graph/types';
import type { Backend } from '../runtime/backend';
import type { CrossEntropy, Tensor, TensorFlow } from '../runtime/primitives';
import { classificationLoss, classifierHead, type ClassifierHead } from './loss';
import type { ValueLoss } from './types';

/** The tensor that the loss of a task is taken of, with one number for each class, label or value. */
export type TaskHead =
  | (ClassifierHead & { readonly task: 'classes' })
  | (Omit<ClassifierHead, 'kind'> & {
      readonly task: 'labels';
      readonly kind: 'logits' | 'independent';
    })
  | (Omit<ClassifierHead, 'kind'> & { readonly task: 'values'; readonly kind: 'values' });

/** What a split asks of a network. */
export const taskOf = ({ targets }: Pick<ImageSplit, 'targets'>): Task =>
  targets?.task ?? 'classes';

const isSigmoid = (node: Node | undefined): boolean =>
  node?.op === 'activation' && node.attrs.fn === 'sigmoid';

/**
 * Finds where to take the loss. Labels: in front of a sigmoid at the end, where the cross-entropy is exact; a network
 * without one is taken to give logits. Values: the output as it is.
 * @throws AppError DATA_MISMATCH when the network cannot answer such a question
 */
export function taskHead(model: Model, task: Task): TaskHead {
  if (task === 'classes') return { ...classifierHead(model), task };
  const { graph, outputKind } = model;
  const [output, ...others] = graph.outputs;
  if (output === undefined || others.length > 0) {
    throw unfit(`"${graph.name}" has ${graph.outputs.length} outputs, not one`);
  }
  const last = graph.nodes.find((node) => node.outputs.includes(output.tensor));
  if (last?.op === 'softmax' || outputKind === 'softmax') {
    throw unfit(`"${graph.name}" ends in a softmax, whose answers share one among them`);
  }
  const head = { tensor: output.tensor, classes: outputsOf(model, output.tensor) };
  if (task === 'values') return { ...head, task, kind: 'values' };
  if (isSigmoid(last)) return { ...head, task, kind: 'logits', tensor: last!.inputs[0]! };
  return { ...head, task, kind: outputKind === 'sigmoid' ? 'independent' : 'logits' };
}

/**
 * What the outputs of a network are once it was trained on a task: a linear end gives what it learned to give, and
 * a softmax or sigmoid gives the probabilities that it gave before.
 */
export function trainedOutputKind({ graph, outputKind }: Model, task: Task): OutputKind {
  if (task === 'values') return 'values';
  const last = graph.nodes.find((node) => node.outputs.includes(graph.outputs[0]?.tensor ?? ''));
  if (isSigmoid(last)) return 'sigmoid';
  if (outputKind === 'softmax' || outputKind === 'sigmoid') return outputKind;
  return task === 'labels' ? 'label-logits' : 'logits';
}

function outputsOf({ graph }: Model, tensor: TensorId): number {
  return inferShapes(graph)
    .get(tensor)!
    .reduce((product, size) => product * size, 1);
}

/** What a batch is to be answered with, as it is: int32 [N] of classes, else float32 [N, outputs]. */
export function plainTarget(tf: TensorFlow, { labels, targets, count }: Batch): Tensor {
  if (targets === undefined) return tf.tensor1d(labels.slice(), 'int32');
  return tf.tensor2d(targets.slice(), [count, targets.length / count]);
}

/**
 * Loss of each sample, and the gradient of the sum with respect to the head's output, [N, ...]. Of labels and values
 * it is the mean over those of a sample, as Keras and PyTorch have it.
 * @param target as `plainTarget` gives it, or shares float32 [N, classes]
 */
export function taskLoss(
  backend: Backend,
  head: TaskHead,
  output: Tensor,
  target: Tensor,
  valueLoss: ValueLoss,
): CrossEntropy {
  if (head.task === 'classes') return classificationLoss(backend, head, output, target);
  if (head.kind === 'independent') return meanOf(backend, head, output, target);
  const { tf } = backend;
  const [losses, gradient] = tf.tidy(() => {
    const answers = tf.reshape(output, target.shape);
    const [values, slopes] =
      head.task === 'labels'
        ? sigmoidCrossEntropy(tf, answers, target)
        : errorOf(tf, answers, target, valueLoss);
    return [tf.mean(values, 1), tf.reshape(tf.div(slopes, head.classes), output.shape)] as [
      Tensor,
      Tensor,
    ];
  });
  return { losses, gradient };
}

/** The sum over independent classes, made their mean. */
function meanOf(
  backend: Backend,
  { tensor, classes }: TaskHead,
  output: Tensor,
  target: Tensor,
): CrossEntropy {
  const { tf } = backend;
  const sum = classificationLoss(backend, { tensor, kind: 'independent', classes }, output, target);
  const mean = { losses: tf.div(sum.losses, classes), gradient: tf.div(sum.gradient, classes) };
  tf.dispose([sum.losses, sum.gradient]);
  return mean;
}

/**
 * -t log(sigmoid(z)) - (1 - t) log(1 - sigmoid(z)) = max(z, 0) - z t + log(1 + exp(-|z|)), which no logit is too large
 * for (TensorFlow's sigmoid_cross_entropy_with_logits), and sigmoid(z) - t.
 */
function sigmoidCrossEntropy(tf: TensorFlow, z: Tensor, target: Tensor): [Tensor, Tensor] {
  const rest = tf.log1p(tf.exp(tf.neg(tf.abs(z))));
  return [tf.add(tf.sub(tf.relu(z), tf.mul(z, target)), rest), tf.sub(tf.sigmoid(z), target)];
}

/** (y - t)^2 and 2 (y - t), or |y - t| and its sign. */
function errorOf(
  tf: TensorFlow,
  answers: Tensor,
  target: Tensor,
  valueLoss: ValueLoss,
): [Tensor, Tensor] {
  const error = tf.sub(answers, target);
  return valueLoss === 'mse'
    ? [tf.square(error), tf.mul(error, 2)]
    : [tf.abs(error), tf.sign(error)];
}

/**
 * The loss of who knows nothing of an image: an even guess among classes, 1/2 for each label, the mean of the split
 * for each value.
 */
export function blindLoss(split: ImageSplit, classes: number, valueLoss: ValueLoss): number {
  if (split.targets === undefined) return Math.log(Math.max(classes, 2));
  const { task, width, rows } = split.targets;
  if (task === 'labels') return Math.LN2;
  const means = new Float64Array(width);
  rows.forEach((value, i) => (means[i % width]! += value / split.count));
  const sum = rows.reduce((total, value, i) => {
    const error = Math.abs(value - means[i % width]!);
    return total + (valueLoss === 'mse' ? error ** 2 : error);
  }, 0);
  return sum / rows.length;
}

function unfit(problem: string): AppError {
  return new AppError(
    'DATA_MISMATCH',
    `The data set does not fit the model: ${problem}.`,
    'Choose a version whose last layer gives one number for each label or value, such as a new one of the zoo.',
  );
}
