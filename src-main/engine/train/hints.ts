// Hints of a teacher beside its answers: where its feature maps are active, the student's shall be.
//
// Zagoruyko and Komodakis 2017, "Paying More Attention to Attention", section 3.1: activation-based attention. The
// hints of FitNets (Romero et al. 2015) compare the maps themselves, which takes a regressor, trained along, from the
// channels of a slim student to those of its teacher. Attention is a sum over channels, however many there are.

import { AppError } from '../errors';
import type { Graph, NodeId, Op, TensorId } from '../graph/types';
import type { Backend } from '../runtime/backend';
import type { Tensor, TensorFlow } from '../runtime/primitives';
import { makeSteps } from './executor/steps';

/** A network up to the tensor that its loss is taken of. */
export interface HintSource {
  readonly graph: Graph;
  readonly tensor: TensorId;
}

/** A feature map of the student, and the one of the teacher that it is compared with. */
export interface HintPair {
  readonly student: TensorId;
  readonly teacher: TensorId;
}

/** Gradients of the sum of the losses, one a map. */
export interface HintLoss {
  readonly losses: Tensor;
  readonly gradients: readonly Tensor[];
}

/** Keeps the length of an attention map that is 0 everywhere from being a divisor. */
const smallest = 1e-12;

/**
 * The last feature maps of each resolution, where stages end. Cutting and training keep the ids of nodes and tensors:
 * within a family it is the last one that both have; of strangers each gives its own last one. A map of a single place
 * is left out, as it has no attention.
 * @throws AppError DATA_MISMATCH when the two have no resolution in common
 */
export function hintPairs(student: HintSource, teacher: HintSource): readonly HintPair[] {
  const [own, taught] = [featureMaps(student), featureMaps(teacher)];
  const isFamily = layersOf(student.graph) === layersOf(teacher.graph);
  const pairs = [...own].flatMap(([resolution, maps]): HintPair[] => {
    const others = taught.get(resolution) ?? [];
    const known = isFamily ? maps.filter((map) => others.includes(map)) : maps;
    const [last, partner] = [known.at(-1), isFamily ? known.at(-1) : others.at(-1)];
    return last && partner ? [{ student: last, teacher: partner }] : [];
  });
  if (pairs.length > 0) return pairs;
  throw new AppError(
    'DATA_MISMATCH',
    `The feature maps of this teacher give no hints: "${teacher.graph.name}" has none of the height and width of one ` +
      `of "${student.graph.name}".`,
    'Set the weight of hints to 0, or choose a version of the same architecture as teacher, such as the original.',
    { details: { field: 'hints' } },
  );
}

/** Feature maps behind trained weights by resolution, in the order in which they are computed. */
function featureMaps({ graph, tensor }: HintSource): ReadonlyMap<string, readonly TensorId[]> {
  const maps = new Map<string, TensorId[]>();
  for (const { node, outputShapes, carriesGradient } of makeSteps(graph, [tensor])) {
    // A frame of zeros makes no stage of its own.
    if (!carriesGradient || node.op === 'pad') continue;
    node.outputs.forEach((id, i) => {
      const [height, width, ...channels] = outputShapes[i]!;
      if (channels.length !== 1 || height! * width! === 1) return;
      const resolution = `${height} x ${width}`;
      maps.set(resolution, [...(maps.get(resolution) ?? []), id]);
    });
  }
  return maps;
}

/** Says the same of all that descend from one network: a cut adds or removes no layer with weights. */
function layersOf({ nodes }: Graph): string {
  const layers = nodes.filter(({ weights }) => Object.keys(weights).length > 0);
  return JSON.stringify(layers.map(({ id, op }): [NodeId, Op] => [id, op]));
}

/** Q / |Q| of each sample, [N, H * W], Q being the sum of the squares over the channels of [N, H, W, C]. */
export function attentionOf(tf: TensorFlow, map: Tensor): Tensor {
  return tf.tidy(() => normalised(tf, map).attention);
}

function normalised(tf: TensorFlow, map: Tensor): { attention: Tensor; length: Tensor } {
  const [count, height, width] = map.shape as [number, number, number];
  const sums = tf.reshape(tf.sum(tf.square(map), 3), [count, height * width]);
  const length = tf.maximum(tf.sqrt(tf.sum(tf.square(sums), 1, true)), smallest);
  return { attention: tf.div(sums, length), length };
}

/**
 * beta / 2 * sum over pairs of |q - t|^2 of each sample, q and t being the attention of student and teacher. (The paper
 * writes the norm; its code squares it, and so has a gradient also where the two meet.)
 * @param maps of the student, [N, H, W, C]
 * @param teacher attention, [N, H * W]
 */
export function hintLoss(
  { tf }: Backend,
  maps: readonly Tensor[],
  teacher: readonly Tensor[],
  beta: number,
): HintLoss {
  const [losses, ...gradients] = tf.tidy(() => {
    const pairs = maps.map((map, i) => pairLoss(tf, map, teacher[i]!, beta));
    const sum = pairs.map(({ loss }) => loss).reduce((a, b) => tf.add(a, b));
    return [sum, ...pairs.map(({ gradient }) => gradient)];
  });
  return { losses: losses!, gradients };
}

function pairLoss(
  tf: TensorFlow,
  map: Tensor,
  teacher: Tensor,
  beta: number,
): { loss: Tensor; gradient: Tensor } {
  const [count, height, width] = map.shape as [number, number, number];
  const { attention, length } = normalised(tf, map);
  const error = tf.sub(attention, teacher);
  // Through the norm only what is orthogonal to the attention comes; Q = sum of squares doubles the map.
  const along = tf.mul(attention, tf.sum(tf.mul(attention, error), 1, true));
  const slope = tf.mul(tf.div(tf.sub(error, along), length), 2 * beta);
  return {
    loss: tf.mul(tf.sum(tf.square(error), 1), beta / 2),
    gradient: tf.mul(map, tf.reshape(slope, [count, height, width, 1])),
  };
}
