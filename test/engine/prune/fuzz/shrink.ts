// Makes a failing network smaller while it still fails: takes outputs and layers away, one at a time, until every
// one that is left matters.

import { inferShapes } from '../../../../src-main/engine/graph/shapes';
import type { ShapeMap } from '../../../../src-main/engine/graph/ops/types';
import type { Graph, Node, TensorId } from '../../../../src-main/engine/graph/types';
import { validateGraph } from '../../../../src-main/engine/graph/validate';

/** The smallest graph found for which `fails` holds, as it does for the given one. */
export function shrink(graph: Graph, fails: (candidate: Graph) => boolean): Graph {
  let smallest = graph;
  for (;;) {
    const smaller = candidates(smallest).find(
      (candidate) => isValid(candidate) && fails(candidate),
    );
    if (smaller === undefined) return smallest;
    smallest = smaller;
  }
}

function isValid(graph: Graph): boolean {
  try {
    validateGraph(graph);
    return true;
  } catch {
    return false;
  }
}

/** Graphs with a little less, those that lose most first. */
function candidates(graph: Graph): Graph[] {
  const shapes = inferShapes(graph);
  const fewerOutputs = graph.outputs.map(({ tensor }) =>
    without(graph, { outputs: graph.outputs.filter((output) => output.tensor !== tensor) }),
  );
  const ended = graph.nodes.map(({ outputs: [tensor] }) =>
    without(graph, { outputs: [{ tensor: tensor!, name: tensor! }] }),
  );
  // What a layer gives becomes an input of the model: all that led there alone goes.
  const begun = graph.nodes.map((node) =>
    without(graph, {
      inputs: [
        ...graph.inputs,
        ...node.outputs.map((tensor) => ({ tensor, name: tensor, shape: shapes.get(tensor)! })),
      ],
      nodes: graph.nodes.filter((other) => other !== node),
    }),
  );
  const bypassed = graph.nodes.flatMap((node) =>
    node.inputs
      .filter((tensor) => sameShape(shapes, tensor, node.outputs[0]!))
      .map((tensor) => bypass(graph, node, tensor)),
  );
  const fewerReads = graph.nodes
    .filter(({ inputs }) => inputs.length > 2)
    .map((node) => replaceNode(graph, node, { ...node, inputs: node.inputs.slice(0, -1) } as Node));
  return [...ended, ...fewerOutputs, ...begun, ...bypassed, ...fewerReads].filter(
    (candidate) => size(candidate) < size(graph),
  );
}

const size = ({ nodes, inputs, outputs }: Graph): number =>
  10 * nodes.length + inputs.length + outputs.length + nodes.flatMap((node) => node.inputs).length;

function sameShape(shapes: ShapeMap, a: TensorId, b: TensorId): boolean {
  return shapes.get(a)!.join() === shapes.get(b)!.join();
}

function replaceNode(graph: Graph, old: Node, node: Node): Graph {
  return without(graph, { nodes: graph.nodes.map((other) => (other === old ? node : other)) });
}

/** The graph in which readers of a node read its input instead. */
function bypass(graph: Graph, node: Node, tensor: TensorId): Graph {
  const instead = (read: TensorId): TensorId => (read === node.outputs[0] ? tensor : read);
  return without(graph, {
    nodes: graph.nodes
      .filter((other) => other !== node)
      .map((other) => ({ ...other, inputs: other.inputs.map(instead) }) as Node),
    outputs: graph.outputs.map((output) => ({ ...output, tensor: instead(output.tensor) })),
  });
}

/** The changed graph without layers, inputs and weights that nothing needs any more. */
function without(graph: Graph, change: Partial<Graph>): Graph {
  const changed = { ...graph, ...change };
  const needed = new Set(changed.outputs.map(({ tensor }) => tensor));
  const nodes = [...changed.nodes]
    .reverse()
    .filter((node) => {
      if (!node.outputs.some((tensor) => needed.has(tensor))) return false;
      for (const tensor of node.inputs) needed.add(tensor);
      return true;
    })
    .reverse();
  const used = new Set(nodes.flatMap((node) => Object.values(node.weights)));
  const inputs = changed.inputs.filter(({ tensor }) => needed.has(tensor));
  return {
    ...changed,
    nodes,
    inputs: inputs.length > 0 ? inputs : changed.inputs.slice(0, 1),
    weights: new Map([...changed.weights].filter(([id]) => used.has(id))),
  };
}
