// Decides which layers become one operation of a file: batch norm folded into the filters before it, and an activation
// computed by the operation whose result it takes. Formats say which operations of theirs can do that.

import type { Graph, Node, NodeId, NodeOf, Op, TensorId, WeightRole } from '../graph/types';

/** What a layer takes over from the layers after it. */
export interface Followers<A> {
  readonly batchNorm: NodeOf<'batchNorm'> | null;
  readonly activation: A | null;
  /** The tensor that the layer now makes: the output of the last layer taken over. */
  readonly result: TensorId;
}

export interface FusionPlan<A> {
  /** For each layer with one output. */
  readonly followers: ReadonlyMap<NodeId, Followers<A>>;
  /** Layers that another one has taken over. */
  readonly absorbed: ReadonlySet<NodeId>;
}

/** Layers with filters: a scale and shift of their output channels can be put into kernel and bias. */
const foldable: ReadonlySet<Op> = new Set<Op>([
  'conv2d',
  'depthwiseConv2d',
  'conv2dTranspose',
  'dense',
]);

/**
 * Plans the fusions of a graph: only where a tensor has a single reader and is no output of the model.
 * @param activationOf what the operation of a layer has to do for a layer after it; null where it cannot
 */
export function planFusion<A>(
  graph: Graph,
  activationOf: (layer: Node, next: Node) => A | null,
): FusionPlan<A> {
  const readers = readersOf(graph);
  const followers = new Map<NodeId, Followers<A>>();
  const absorbed = new Set<NodeId>();
  for (const node of graph.nodes) {
    if (node.outputs.length !== 1 || absorbed.has(node.id)) continue;
    let result = node.outputs[0]!;
    let batchNorm: NodeOf<'batchNorm'> | null = null;
    let next = readers.get(result);
    if (foldable.has(node.op) && next?.op === 'batchNorm') {
      batchNorm = next;
      absorbed.add(next.id);
      result = next.outputs[0]!;
      next = readers.get(result);
    }
    const activation = next === undefined ? null : activationOf(node, next);
    if (activation !== null) {
      absorbed.add(next!.id);
      result = next!.outputs[0]!;
    }
    followers.set(node.id, { batchNorm, activation, result });
  }
  return { followers, absorbed };
}

/** The only reader of each tensor; tensors with several readers, and outputs of the model, are not in it. */
function readersOf(graph: Graph): ReadonlyMap<TensorId, Node> {
  const readers = new Map<TensorId, Node | null>();
  for (const { tensor } of graph.outputs) readers.set(tensor, null);
  for (const node of graph.nodes) {
    for (const tensor of node.inputs) readers.set(tensor, readers.has(tensor) ? null : node);
  }
  return new Map([...readers].filter((entry): entry is [TensorId, Node] => entry[1] !== null));
}

/** Scale and shift of each output channel. */
export interface ChannelAffine {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/** y = gamma * (x - mean) / sqrt(variance + epsilon) + beta as one scale and shift a channel. */
export function batchNormAffine(
  { attrs: { epsilon } }: NodeOf<'batchNorm'>,
  weight: (role: WeightRole) => { readonly data: ArrayLike<number> } | undefined,
): ChannelAffine {
  const [gamma, beta] = [weight('gamma')?.data, weight('beta')?.data];
  const [mean, variance] = [weight('mean')!.data, weight('variance')!.data];
  const scale = new Float64Array(mean.length);
  const shift = new Float64Array(mean.length);
  for (let c = 0; c < scale.length; c++) {
    scale[c] = (gamma?.[c] ?? 1) / Math.sqrt(variance[c]! + epsilon);
    shift[c] = (beta?.[c] ?? 0) - mean[c]! * scale[c]!;
  }
  return { scale, shift };
}
