// What readers of foreign files do once the graph stands: check it, and give it what the file says beside it.

import { inferShapes } from '../graph/shapes';
import type { Graph } from '../graph/types';
import { tooLarge } from './errors';
import { maxActivationSize } from './keras-config/limits';

/** @throws AppError MODEL_TOO_LARGE for an activation that no real model of this kind has */
export function requireReasonableSize(graph: Graph): void {
  for (const [tensor, shape] of inferShapes(graph)) {
    const size = shape.reduce((product, axis) => product * axis, 1);
    if (size > maxActivationSize) {
      throw tooLarge(`Numbers in the output of "${tensor}"`, size, maxActivationSize);
    }
  }
}

/** The labels of a file where there is one for each class, else null and a note. */
export function fittingLabels(
  graph: Graph,
  labels: readonly string[] | undefined,
  notes: string[],
): readonly string[] | null {
  if (labels === undefined) return null;
  const classes = inferShapes(graph).get(graph.outputs[0]!.tensor)!.at(-1);
  if (labels.length === classes) return labels;
  notes.push(
    `The file names ${labels.length} labels for ${classes ?? 0} outputs; they were left out.`,
  );
  return null;
}

/** The graph with the provenance of channels, by node name, where a file of this program notes it. */
export function withOrigins(
  graph: Graph,
  origins: Readonly<Record<string, readonly number[]>>,
): Graph {
  const nodes = graph.nodes.map((node) => {
    const origin = Object.hasOwn(origins, node.name) ? origins[node.name] : undefined;
    return origin === undefined ? node : { ...node, origin };
  });
  return { ...graph, nodes };
}
