// Decides which layers become one TFLite operator: batch norm folded into the layer before it, and an
// activation computed by the operator whose result it takes.

import type { Graph, Node, NodeId, NodeOf, Op, TensorId } from '../../graph/types';
import type { FusedActivation } from './schema';

/** What a layer takes over from the layers after it. */
export interface Followers {
  readonly batchNorm: NodeOf<'batchNorm'> | null;
  readonly activation: FusedActivation;
  /** The tensor that the layer now makes: the output of the last layer taken over. */
  readonly result: TensorId;
}

export interface FusionPlan {
  /** For each layer with one output. */
  readonly followers: ReadonlyMap<NodeId, Followers>;
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

/** Ops whose TFLite operators have a field for an activation and whose kernels obey it. */
const activating: ReadonlySet<Op> = new Set<Op>([
  'conv2d',
  'depthwiseConv2d',
  'dense',
  'batchNorm',
  'add',
  'sub',
  'mul',
  'div',
]);

/** Plans the fusions of a graph: only where a tensor has a single reader and is no output of the model. */
export function planFusion(graph: Graph): FusionPlan {
  const readers = readersOf(graph);
  const followers = new Map<NodeId, Followers>();
  const absorbed = new Set<NodeId>();
  for (const node of graph.nodes) {
    if (node.outputs.length !== 1 || absorbed.has(node.id)) continue;
    let result = node.outputs[0]!;
    let batchNorm: NodeOf<'batchNorm'> | null = null;
    let activation: FusedActivation = 'NONE';
    let next = readers.get(result);
    if (foldable.has(node.op) && next?.op === 'batchNorm') {
      batchNorm = next as NodeOf<'batchNorm'>;
      absorbed.add(next.id);
      result = next.outputs[0]!;
      next = readers.get(result);
    }
    if (activating.has(node.op) && next !== undefined && fusedActivation(next) !== 'NONE') {
      activation = fusedActivation(next);
      absorbed.add(next.id);
      result = next.outputs[0]!;
    }
    followers.set(node.id, { batchNorm, activation, result });
  }
  return { followers, absorbed };
}

function fusedActivation(node: Node): FusedActivation {
  if (node.op !== 'activation') return 'NONE';
  const { fn } = (node as NodeOf<'activation'>).attrs;
  if (fn === 'relu') return 'RELU';
  return fn === 'relu6' ? 'RELU6' : 'NONE';
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
