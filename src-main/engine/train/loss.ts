// What a classifier's output means, and its loss.

import { AppError } from '../errors';
import { inferShapes } from '../graph/shapes';
import type { Model, Node, TensorId } from '../graph/types';
import type { Backend } from '../runtime/backend';
import type { CrossEntropy, Tensor, TensorFlow } from '../runtime/primitives';

/** The tensor that the loss is taken of. */
export interface ClassifierHead {
  readonly tensor: TensorId;
  /** 'independent': a probability for each class on its own, as a sigmoid gives. */
  readonly kind: 'logits' | 'probabilities' | 'independent';
  readonly classes: number;
}

/** Keeps logarithms and quotients of probabilities finite. */
const smallest = 1e-7;

function isFinalSoftmax(node: Node | undefined, rank: number): boolean {
  if (node?.op !== 'softmax') return false;
  return node.attrs.axis === -1 || node.attrs.axis === rank - 1;
}

/**
 * Finds where to take the loss of a classifier. In front of a softmax at the end there are the logits, whose
 * cross-entropy is exact and has a simple gradient.
 * @throws AppError DATA_MISMATCH when the model is no classifier
 */
export function classifierHead({ graph, outputKind }: Model): ClassifierHead {
  const [output, ...others] = graph.outputs;
  if (output === undefined || others.length > 0 || outputKind === 'values') {
    throw new AppError(
      'DATA_MISMATCH',
      `"${graph.name}" gives ${others.length > 0 ? 'several outputs' : 'values'}, not classes.`,
      'Only classifiers can be trained and evaluated with labelled images.',
    );
  }
  const shape = inferShapes(graph).get(output.tensor)!;
  const classes = shape.reduce((product, size) => product * size, 1);
  if (outputKind === 'logits') return { tensor: output.tensor, kind: 'logits', classes };
  if (outputKind === 'sigmoid') return { tensor: output.tensor, kind: 'independent', classes };
  const last = graph.nodes.find((node) => node.outputs.includes(output.tensor));
  return isFinalSoftmax(last, shape.length)
    ? { tensor: last!.inputs[0]!, kind: 'logits', classes }
    : { tensor: output.tensor, kind: 'probabilities', classes };
}

/**
 * Cross-entropy of each sample, and the gradient of the sum with respect to the head's output.
 * `output` is [N, ...] with one value a class; `labels` int32 [N]. For independent probabilities it is the sum
 * of the binary cross-entropies, the label's class being true and all others false.
 */
export function classificationLoss(
  backend: Backend,
  head: ClassifierHead,
  output: Tensor,
  labels: Tensor,
): CrossEntropy {
  const { tf, primitives } = backend;
  const rows = tf.reshape(output, [output.shape[0]!, head.classes]);
  const { losses, gradient } =
    head.kind === 'logits'
      ? primitives.softmaxCrossEntropy(rows, labels)
      : probabilityLoss(tf, head, rows, labels);
  const shaped = tf.reshape(gradient, output.shape);
  tf.dispose([rows, gradient]);
  return { losses, gradient: shaped };
}

function probabilityLoss(
  tf: TensorFlow,
  { kind, classes }: ClassifierHead,
  probabilities: Tensor,
  labels: Tensor,
): CrossEntropy {
  const [losses, gradient] = tf.tidy(() => {
    const target = tf.oneHot(tf.cast(labels, 'int32'), classes, 1, 0, 'float32');
    const p = tf.clipByValue(probabilities, smallest, 1 - smallest);
    const ofLabel = tf.mul(target, tf.log(p));
    if (kind === 'probabilities') {
      return [tf.neg(tf.sum(ofLabel, 1)), tf.neg(tf.div(target, p))] as [Tensor, Tensor];
    }
    const ofOthers = tf.mul(tf.sub(1, target), tf.log(tf.sub(1, p)));
    return [
      tf.neg(tf.sum(tf.add(ofLabel, ofOthers), 1)),
      tf.div(tf.sub(p, target), tf.mul(p, tf.sub(1, p))),
    ] as [Tensor, Tensor];
  });
  return { losses, gradient };
}
