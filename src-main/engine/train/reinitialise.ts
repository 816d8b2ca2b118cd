// The same architecture with new random weights: the start of "trained from scratch".

import { initialWeight, type InitOptions } from '../graph/initialise';
import { createRng } from '../graph/rng';
import type { Model, Weight, WeightId, WeightRole } from '../graph/types';

/**
 * Replaces every trained weight by a fresh one (Rethinking the Value of Network Pruning, Liu et al. 2019:
 * the slim network trained from random initialisation). Stored constants stay: they are structure.
 */
export function reinitialise(model: Model, seed: number, options: InitOptions = {}): Model {
  const rng = createRng(seed);
  const weights = new Map<WeightId, Weight>(model.graph.weights);
  const done = new Set<WeightId>();
  for (const node of model.graph.nodes) {
    if (node.op === 'constant') continue;
    for (const [role, id] of Object.entries(node.weights) as [WeightRole, WeightId][]) {
      const weight = weights.get(id);
      // A weight that two layers share is drawn once.
      if (!weight || done.has(id)) continue;
      weights.set(id, initialWeight(node.op, role, weight.shape, rng, options));
      done.add(id);
    }
  }
  return { ...model, graph: { ...model.graph, weights } };
}
