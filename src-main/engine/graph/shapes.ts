// Shape inference over a whole graph.
import { AppError } from '../errors';
import { shapeError } from './ops/check';
import { opDef } from './ops/table';
import type { ShapeMap, WeightOf } from './ops/types';
import type { Graph, Node, Shape } from './types';

/** Reads a node's weights by role. */
export function weightsOf(graph: Pick<Graph, 'weights'>, node: Node): WeightOf {
  return (role) => {
    const id = node.weights[role];
    return id === undefined ? undefined : graph.weights.get(id);
  };
}

/**
 * Shapes of all outputs that a node's op gives for the input shapes, whatever outputs the node names.
 * @throws AppError GRAPH_INVALID when inputs and attributes do not fit.
 */
export function inferOutputs(
  node: Node,
  inputs: readonly Shape[],
  weight: WeightOf,
): readonly Shape[] {
  const definition = opDef(node.op);
  const { min, max } = definition.inputs;
  if (inputs.length < min || inputs.length > max) {
    const wanted =
      min === max ? `${min}` : max === Infinity ? `at least ${min}` : `${min} to ${max}`;
    throw shapeError(node, inputs, `it has ${inputs.length} inputs, the op takes ${wanted}`);
  }
  return definition.infer(node, inputs, weight);
}

/**
 * Shapes of a node's outputs for given input shapes.
 * @throws AppError GRAPH_INVALID when inputs, attributes and the outputs named do not fit.
 */
export function inferNode(
  node: Node,
  inputs: readonly Shape[],
  weight: WeightOf,
): readonly Shape[] {
  const outputs = inferOutputs(node, inputs, weight);
  if (outputs.length !== node.outputs.length) {
    throw shapeError(
      node,
      inputs,
      `it names ${node.outputs.length} outputs, the op gives ${outputs.length}`,
    );
  }
  return outputs;
}

/** Shapes of a node's inputs. @throws AppError GRAPH_INVALID when one is not made by an earlier node. */
export function inputShapesOf(node: Node, shapes: ShapeMap): readonly Shape[] {
  return node.inputs.map((tensor) => {
    const shape = shapes.get(tensor);
    if (shape === undefined) {
      throw new AppError(
        'GRAPH_INVALID',
        `Layer "${node.name}" (${node.op}) reads tensor "${tensor}", which no earlier layer makes.`,
        'Export the model again and repeat the import.',
        { details: { layer: node.name, tensor } },
      );
    }
    return shape;
  });
}

/**
 * Shapes of every tensor of a graph, per sample.
 * @throws AppError GRAPH_INVALID naming the first node whose inputs and attributes do not fit.
 */
export function inferShapes(graph: Graph): ShapeMap {
  const shapes = new Map(graph.inputs.map(({ tensor, shape }) => [tensor, shape]));
  for (const node of graph.nodes) {
    const outputs = inferNode(node, inputShapesOf(node, shapes), weightsOf(graph, node));
    node.outputs.forEach((tensor, i) => shapes.set(tensor, outputs[i]!));
  }
  return shapes;
}
