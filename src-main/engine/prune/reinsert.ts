// Puts batch norms back behind convolutions that have lost theirs to a converter, so that training with sparsity and
// Network Slimming have gammas to work on. The function that the model computes stays the same.

import { unusedName } from '../graph/build';
import { float32Weight } from '../graph/initialise';
import { weightsOf } from '../graph/shapes';
import type { Graph, Model, Node, NodeId, Op, TensorId, Weight, WeightId } from '../graph/types';
import { validateGraph } from '../graph/validate';
import type { ChannelMoments } from '../train/channel-moments';
import { explainLayers } from './plan';

const convolutions: ReadonlySet<Op> = new Set<Op>(['conv2d', 'depthwiseConv2d', 'conv2dTranspose']);

/** Those of Keras. */
const attrs = { epsilon: 1e-3, momentum: 0.99 };

/** Convolutions whose channels can be cut and whose output no batch norm reads. */
export function convolutionsWithoutNorm(model: Model): readonly Node[] {
  const { graph } = model;
  const normalised = new Set(
    graph.nodes.filter(({ op }) => op === 'batchNorm').map(({ inputs }) => inputs[0]!),
  );
  const bare = graph.nodes.filter(
    ({ op, outputs }) => convolutions.has(op) && !normalised.has(outputs[0]!),
  );
  if (bare.length === 0) return bare;
  const prunable = new Set<NodeId>(
    explainLayers(model).flatMap(({ node, code }) => (code === 'PRUNABLE' ? [node] : [])),
  );
  return bare.filter(({ id }) => prunable.has(id));
}

/**
 * The model with a batch norm behind each of its `convolutionsWithoutNorm`. Its gamma and beta undo what its mean and
 * variance do: with the moments of images it changes next to nothing in training either, where statistics are those of the
 * batch; without, training starts from normalised activations.
 */
export function reinsertBatchNorms(
  model: Model,
  moments: ReadonlyMap<TensorId, ChannelMoments> = new Map(),
): Model {
  const targets = new Set(convolutionsWithoutNorm(model).map(({ id }) => id));
  const { graph } = model;
  const names = new Set(graph.nodes.flatMap(({ name, id, outputs }) => [name, id, ...outputs]));
  const weights = new Map<WeightId, Weight>(graph.weights);
  const renamed = new Map<TensorId, TensorId>();
  const nodes = graph.nodes.flatMap((node): readonly Node[] => {
    const read = { ...node, inputs: node.inputs.map((tensor) => renamed.get(tensor) ?? tensor) };
    if (!targets.has(node.id)) return [read];
    const name = unusedName(`${node.name}_bn`, names);
    names.add(name);
    const tensor = node.outputs[0]!;
    renamed.set(tensor, name);
    const channels = channelCount(graph, node);
    const stored = identityNorm(moments.get(tensor) ?? standardMoments(channels));
    const ids = Object.fromEntries(
      Object.entries(stored).map(([role, data]) => {
        const id = unusedName(`${name}/${role}`, weights);
        weights.set(id, float32Weight([channels], data));
        return [role, id];
      }),
    );
    const norm: Node = {
      id: name,
      name,
      op: 'batchNorm',
      inputs: [tensor],
      outputs: [name],
      attrs,
      weights: ids,
      ...(node.origin === undefined ? {} : { origin: node.origin }),
    };
    return [read, norm];
  });
  const outputs = graph.outputs.map((output) => ({
    ...output,
    tensor: renamed.get(output.tensor) ?? output.tensor,
  }));
  const whole: Graph = { ...graph, nodes, outputs, weights };
  validateGraph(whole);
  return { ...model, graph: whole };
}

/** Filters of a convolution. */
function channelCount(graph: Graph, node: Node): number {
  const { shape } = weightsOf(graph, node)('kernel')!;
  // [kh, kw, in, multiplier] gives in * multiplier channels, [kh, kw, out, in] gives out.
  if (node.op === 'depthwiseConv2d') return shape[2]! * shape[3]!;
  return node.op === 'conv2dTranspose' ? shape[2]! : shape[3]!;
}

const standardMoments = (channels: number): ChannelMoments => ({
  mean: new Float32Array(channels),
  variance: new Float32Array(channels).fill(1),
});

/** gamma * (x - mean) / sqrt(variance + epsilon) + beta = x. */
function identityNorm({ mean, variance }: ChannelMoments): Readonly<Record<string, Float32Array>> {
  const gamma = variance.map((value) => Math.sqrt(value + attrs.epsilon));
  return { gamma, beta: mean.slice(), mean: mean.slice(), variance: variance.slice() };
}
