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
  if (outputKind === 'logits' || outputKind === 'label-logits')
    return { tensor: output.tensor, kind: 'logits', classes };
  if (outputKind === 'sigmoid') return { tensor: output.tensor, kind: 'independent', classes };
  const last = graph.nodes.find((node) => node.outputs.includes(output.tensor));
  return isFinalSoftmax(last, shape.length)
    ? { tensor: last!.inputs[0]!, kind: 'logits', classes }
    : { tensor: output.tensor, kind: 'probabilities', classes };
}

/**
 * Cross-entropy of each sample, and the gradient of the sum with respect to the head's output.
 * `output` is [N, ...] with one value a class; `target` holds labels, int32 [N], or the share of each class,
 * float32 [N, classes]. For independent probabilities it is the sum of the binary cross-entropies, the label's
 * class being true and all others false.
 */
export function classificationLoss(
  backend: Backend,
  head: ClassifierHead,
  output: Tensor,
  target: Tensor,
): CrossEntropy {
  const { tf } = backend;
  const rows = tf.reshape(output, [output.shape[0]!, head.classes]);
  const { losses, gradient } =
    head.kind === 'logits'
      ? logitLoss(backend, rows, target)
      : probabilityLoss(tf, head, rows, target);
  const shaped = tf.reshape(gradient, output.shape);
  tf.dispose([rows, gradient]);
  return { losses, gradient: shaped };
}

/** -sum(target * log(softmax)), with the gradient softmax - target: the shares of a sample sum to 1. */
function logitLoss({ tf, primitives }: Backend, logits: Tensor, target: Tensor): CrossEntropy {
  if (target.rank === 1) return primitives.softmaxCrossEntropy(logits, target);
  const [losses, gradient] = tf.tidy(() => {
    const logarithms = tf.logSoftmax(logits);
    return [tf.neg(tf.sum(tf.mul(target, logarithms), 1)), tf.sub(tf.exp(logarithms), target)] as [
      Tensor,
      Tensor,
    ];
  });
  return { losses, gradient };
}

function probabilityLoss(
  tf: TensorFlow,
  { kind, classes }: ClassifierHead,
  probabilities: Tensor,
  target: Tensor,
): CrossEntropy {
  const [losses, gradient] = tf.tidy(() => {
    const shares =
      target.rank === 1 ? tf.oneHot(tf.cast(target, 'int32'), classes, 1, 0, 'float32') : target;
    const p = tf.clipByValue(probabilities, smallest, 1 - smallest);
    const ofTarget = tf.mul(shares, tf.log(p));
    if (kind === 'probabilities') {
      return [tf.neg(tf.sum(ofTarget, 1)), tf.neg(tf.div(shares, p))] as [Tensor, Tensor];
    }
    const ofOthers = tf.mul(tf.sub(1, shares), tf.log(tf.sub(1, p)));
    return [
      tf.neg(tf.sum(tf.add(ofTarget, ofOthers), 1)),
      tf.div(tf.sub(p, shares), tf.mul(p, tf.sub(1, p))),
    ] as [Tensor, Tensor];
  });
  return { losses, gradient };
}
