// What can be known of a graph before it runs: which nodes are needed, where gradients flow, what they read.

import { inferShapes, inputShapesOf } from '../../graph/shapes';
import type { Graph, Node, Op, Shape, TensorId, WeightId, WeightRole } from '../../graph/types';
import { kernelOf } from './kernels/table';
import { trainableRoles, type Kernel } from './types';

/** A node with everything that is the same in every pass. */
export interface Step {
  readonly node: Node;
  readonly kernel: Kernel<Op>;
  readonly inputShapes: readonly Shape[];
  readonly outputShapes: readonly Shape[];
  /** Whether there are trainable weights at or before this node. */
  readonly carriesGradient: boolean;
  /** Whether there are trainable weights before each input. */
  readonly wanted: readonly boolean[];
  /** Tensors whose values the node's gradient reads. */
  readonly kept: readonly TensorId[];
}

/** The graph's nodes that the outputs depend on, in order. */
function neededNodes(graph: Graph, outputs: readonly TensorId[]): readonly Node[] {
  const needed = new Set(outputs);
  const nodes = [...graph.nodes].reverse().filter((node) => {
    if (!node.outputs.some((tensor) => needed.has(tensor))) return false;
    for (const tensor of node.inputs) needed.add(tensor);
    return true;
  });
  return nodes.reverse();
}

/** Weights of a node that training changes, with their roles. */
export function trainableWeights(node: Node): readonly (readonly [WeightRole, WeightId])[] {
  const weights = Object.entries(node.weights) as [WeightRole, WeightId][];
  return weights.filter(([role]) => trainableRoles.has(role));
}

function keptTensors(node: Node, kernel: Kernel<Op>): readonly TensorId[] {
  // A kernel without a gradient of its own is computed again from its inputs.
  if (kernel.backward === undefined) return node.inputs;
  const keeps = kernel.keeps?.(node);
  return [
    ...(keeps === 'inputs' || keeps === 'both' ? node.inputs : []),
    ...(keeps === 'outputs' || keeps === 'both' ? node.outputs : []),
  ];
}

/** @throws AppError GRAPH_INVALID when shapes do not fit */
export function makeSteps(graph: Graph, outputs: readonly TensorId[]): readonly Step[] {
  const shapes = inferShapes(graph);
  const carrying = new Set<TensorId>();
  return neededNodes(graph, outputs).map((node) => {
    const kernel: Kernel<Op> = kernelOf(node.op);
    const wanted = node.inputs.map((tensor) => carrying.has(tensor));
    const carriesGradient = wanted.includes(true) || trainableWeights(node).length > 0;
    if (carriesGradient) for (const tensor of node.outputs) carrying.add(tensor);
    return {
      node,
      kernel,
      inputShapes: inputShapesOf(node, shapes),
      outputShapes: node.outputs.map((tensor) => shapes.get(tensor)!),
      carriesGradient,
      wanted,
      kept: carriesGradient ? keptTensors(node, kernel) : [],
    };
  });
}

/** How often each tensor is named. */
export function countUses(lists: Iterable<readonly TensorId[]>): ReadonlyMap<TensorId, number> {
  const uses = new Map<TensorId, number>();
  for (const list of lists) {
    for (const tensor of list) uses.set(tensor, (uses.get(tensor) ?? 0) + 1);
  }
  return uses;
}
