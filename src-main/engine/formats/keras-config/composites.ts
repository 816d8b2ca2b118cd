// Puts nodes back together that the format has no layer for: the writer expressed each as several layers (or
// as one that means something else) and noted which.

import { inferShapes } from '../../graph/shapes';
import type { Graph, Node, Op, OpAttrs, TensorId, WeightId } from '../../graph/types';
import type { Composite } from './metadata';

/**
 * The graph with each composite as one node. A composite whose layers are not there as noted, because another
 * program changed the file, stays as the layers that are there.
 */
export function restoreComposites(graph: Graph, composites: readonly Composite[]): Graph {
  return composites.reduce((current, composite) => restore(current, composite) ?? current, graph);
}

function restore(graph: Graph, composite: Composite): Graph | null {
  const byName = new Map(graph.nodes.map((node) => [node.name, node]));
  const members = composite.layers.map((name) => byName.get(name));
  const inputs = composite.inputs.map(([name, input]) => byName.get(name)?.inputs[input]);
  const outputs = composite.outputs.map((name) => byName.get(name)?.outputs[0]);
  if (![members, inputs, outputs].every((list) => list.every((item) => item !== undefined))) {
    return null;
  }
  const removed = new Set(members as Node[]);
  const node = {
    id: composite.name,
    name: composite.name,
    op: composite.op as Op,
    inputs: inputs as TensorId[],
    outputs: composite.outputs.map((_, i) => (i === 0 ? composite.name : `${composite.name}:${i}`)),
    attrs: composite.attrs as OpAttrs[Op],
    weights: mainWeights(members as Node[], composite.op),
  } as Node;
  const weights =
    composite.op === 'constant' ? withStoredShape(graph, members as Node[]) : graph.weights;

  const renamed = new Map(
    (outputs as TensorId[]).map((tensor, i) => [tensor, node.outputs[i]!] as const),
  );
  const last = Math.max(...[...removed].map((member) => graph.nodes.indexOf(member)));
  const nodes = graph.nodes.flatMap((candidate, i) => {
    if (i === last) return [node];
    return removed.has(candidate) ? [] : [rename(candidate, renamed)];
  });
  const restored = dropUnusedWeights({
    ...graph,
    weights,
    nodes,
    outputs: graph.outputs.map((output) => ({
      ...output,
      tensor: renamed.get(output.tensor) ?? output.tensor,
    })),
  });
  return computesTheSameShapes(graph, restored, renamed) ? restored : null;
}

/** The weights of the member that the composite is an extension of (a convolution with its padding). */
function mainWeights(members: readonly Node[], op: string): Node['weights'] {
  if (op === 'constant') {
    const value = storedNumbers(members);
    return value === undefined ? {} : { value };
  }
  return members.find((member) => member.op === op)?.weights ?? {};
}

/** A stored tensor is the bias of a dense layer. */
function storedNumbers(members: readonly Node[]): WeightId | undefined {
  return members.find((member) => member.op === 'dense')?.weights.bias;
}

/** The weights with the numbers of a stored tensor in the shape that the layers gave them. */
function withStoredShape(graph: Graph, members: readonly Node[]): Graph['weights'] {
  const id = storedNumbers(members);
  const last = members.at(-1)!;
  const weight = id === undefined ? undefined : graph.weights.get(id);
  if (id === undefined || weight === undefined || last.op !== 'reshape') return graph.weights;
  return new Map(graph.weights).set(id, { ...weight, shape: last.attrs.shape });
}

function rename(node: Node, renamed: ReadonlyMap<TensorId, TensorId>): Node {
  return { ...node, inputs: node.inputs.map((tensor) => renamed.get(tensor) ?? tensor) };
}

function dropUnusedWeights(graph: Graph): Graph {
  const used = new Set(graph.nodes.flatMap((node) => Object.values(node.weights)));
  return { ...graph, weights: new Map([...graph.weights].filter(([id]) => used.has(id))) };
}

/** Whether the new node gives what its layers gave, and everything after it still fits. */
function computesTheSameShapes(
  before: Graph,
  after: Graph,
  renamed: ReadonlyMap<TensorId, TensorId>,
): boolean {
  try {
    const [old, now] = [inferShapes(before), inferShapes(after)];
    return [...renamed].every(([from, to]) => old.get(from)?.join() === now.get(to)?.join());
  } catch {
    return false;
  }
}
