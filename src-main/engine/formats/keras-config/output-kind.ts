// What the outputs of a model mean, from its last layers.

import { inferShapes } from '../../graph/shapes';
import type { Graph, Model, NodeOf } from '../../graph/types';

/**
 * One vector of several numbers is a classifier's: probabilities after softmax or sigmoid, else logits. A
 * single number, an image or several outputs are values.
 */
export function outputKindOf(graph: Graph): Model['outputKind'] {
  const [output, ...others] = graph.outputs;
  if (output === undefined || others.length > 0) return 'values';
  const shape = inferShapes(graph).get(output.tensor)!;
  const last = graph.nodes.find((node) => node.outputs.includes(output.tensor));
  if (shape.length !== 1 || last === undefined) return 'values';
  if (last.op === 'softmax') return 'softmax';
  if (last.op === 'activation') {
    const { fn } = (last as NodeOf<'activation'>).attrs;
    return fn === 'sigmoid' ? 'sigmoid' : 'values';
  }
  return shape[0]! > 1 ? 'logits' : 'values';
}
