// Which operators are computed while the file is read, when all they read is known: the arithmetic of shapes that
// exporters leave in a model, and weights that are composed of others.

import { sizeOf } from '../../../graph/ops/check';
import { corrupt, tooLarge } from '../errors';
import { maxFoldedSize } from '../limits';
import { describeNode, isStandard, type OnnxGraph, type OnnxNode } from '../model';
import { constantOf, type Constant } from '../tensor';
import { arithmeticFolds } from './arithmetic';
import { arrangeFolds } from './arrange';
import type { Fold, FoldCall } from './types';

const folds: ReadonlyMap<string, Fold> = new Map([
  ...Object.entries(arithmeticFolds),
  ...Object.entries(arrangeFolds),
]);

/**
 * The outputs of a standard node whose inputs are all known; null where the operator is not one of these.
 * @throws AppError MODEL_CORRUPT, MODEL_TOO_LARGE
 */
export function foldNode(
  node: OnnxNode,
  inputs: readonly (Constant | null)[],
  opset: number,
): readonly Constant[] | null {
  const fold = folds.get(node.op);
  if (fold === undefined) return null;
  const owner = describeNode(node);
  const call: FoldCall = {
    node,
    owner,
    opset,
    inputCount: inputs.length,
    outputCount: node.outputs.length,
    input(index) {
      const found = inputs[index];
      if (found) return found;
      throw corrupt(`${owner} lacks its input ${index}`);
    },
    optional: (index) => inputs[index] ?? null,
    requireSize(shape) {
      const size = sizeOf(shape);
      if (size > maxFoldedSize) throw tooLarge(`Numbers that ${owner} makes`, size, maxFoldedSize);
      return size;
    },
    corrupt: (problem) => corrupt(`${owner}: ${problem}`, { layer: node.name }),
  };
  return fold(call).map(({ shape, kind, data }, i) =>
    constantOf(node.outputs[i] ?? '', shape, kind, data),
  );
}

/** The graph without the nodes that read stored tensors alone; what they make is stored in turn. */
export function foldConstants(graph: OnnxGraph): OnnxGraph {
  const constants = new Map(graph.constants);
  const nodes = graph.nodes.filter((node) => {
    const inputs = node.inputs.map((name) => constants.get(name) ?? null);
    const known = inputs.every((constant, i) => constant !== null || node.inputs[i] === '');
    const folded = known && isStandard(node) ? foldNode(node, inputs, graph.opset) : null;
    for (const constant of folded ?? []) constants.set(constant.name, constant);
    return folded === null;
  });
  return { ...graph, nodes, constants };
}
