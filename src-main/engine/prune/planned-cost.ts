// What a graph will cost after a choice of channels, without cutting it.

import { graphCost, nodeCosts, storedBytes } from '../graph/cost';
import type { StoredPrecision, WeightSize } from '../graph/cost';
import type { Cost, Graph, NodeId } from '../graph/types';
import { CutPreview } from './cut-preview';
import type { Analysis } from './groups';

/** Cost of the cut graph; equal to `graphCost` of what `cut` returns for the same choice. */
export function plannedCost(analysis: Analysis, dropped: Uint8Array): Cost {
  const { graph, preview, weightSize } = plan(analysis, dropped);
  return graphCost(graph, preview.shapes(), weightSize);
}

/** The same by node. */
export function plannedNodeCosts(
  analysis: Analysis,
  dropped: Uint8Array,
): ReadonlyMap<NodeId, Cost> {
  const { graph, preview, weightSize } = plan(analysis, dropped);
  return nodeCosts(graph, preview.shapes(), weightSize);
}

/** Bytes of the cut graph's weights in a precision. */
export function plannedBytes(
  analysis: Analysis,
  dropped: Uint8Array,
  precision: StoredPrecision,
): number {
  const { graph, weightSize } = plan(analysis, dropped);
  return storedBytes(graph, precision, weightSize);
}

interface Plan {
  readonly graph: Graph;
  readonly preview: CutPreview;
  readonly weightSize: WeightSize;
}

function plan(analysis: Analysis, dropped: Uint8Array): Plan {
  const { flow } = analysis;
  const preview = new CutPreview(analysis, dropped);
  const axes = preview.weightAxes();
  return {
    graph: { ...flow.graph, nodes: preview.nodes() },
    preview,
    weightSize: (id) => {
      const kept = axes.get(id);
      const { shape } = flow.graph.weights.get(id)!;
      return shape.reduce((product, size, axis) => product * (kept?.get(axis)?.length ?? size), 1);
    },
  };
}
