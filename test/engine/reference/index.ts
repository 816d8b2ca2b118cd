// An independent reference: every op of the graph as a formula over indices, in float64, without any library. Slow
// and obvious on purpose: formats, kernels and cuts are held to it. One sample, NHWC.

import { inferShapes, weightsOf } from '../../../src-main/engine/graph/shapes';
import type { Graph, Node, Op, TensorId, WeightRole } from '../../../src-main/engine/graph/types';
import { arrange } from './arrange';
import type { Reference, References } from './call';
import { combine } from './combine';
import { layers } from './layers';
import type { Value } from './value';

export type { Value } from './value';

const references: References<Op> = { ...layers, ...arrange, ...combine };

/** Runs a graph on one sample per input and gives its outputs. */
export function runReference(graph: Graph, inputs: readonly ArrayLike<number>[]): readonly Value[] {
  const shapes = inferShapes(graph);
  const values = new Map<TensorId, Value>();
  graph.inputs.forEach(({ tensor, shape }, i) =>
    values.set(tensor, { shape, data: Float64Array.from(inputs[i]!) }),
  );
  for (const node of graph.nodes) {
    const run = references[node.op] as Reference<Node['op']>;
    const outputs = run({
      node,
      inputs: node.inputs.map((tensor) => values.get(tensor)!),
      outputs: node.outputs.map((tensor) => shapes.get(tensor)!),
      weight: weightValues(graph, node),
    } as unknown as Parameters<typeof run>[0]);
    node.outputs.forEach((tensor, i) => values.set(tensor, outputs[i]!));
  }
  return graph.outputs.map(({ tensor }) => values.get(tensor)!);
}

/** The weights of a node, each converted once. */
function weightValues(graph: Graph, node: Node): (role: WeightRole) => Value | undefined {
  const weight = weightsOf(graph, node);
  const known = new Map<WeightRole, Value | undefined>();
  return (role) => {
    if (!known.has(role)) {
      const found = weight(role);
      known.set(role, found && { shape: found.shape, data: Float64Array.from(found.data) });
    }
    return known.get(role);
  };
}

/** Largest absolute difference of two lists of numbers; infinite when they differ in length. */
export function maxAbsDiff(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= most)) most = Number.isNaN(difference) ? Infinity : difference;
  }
  return most;
}
