// Small models for the pruner's tests, and the oracle that every cut has to pass.

import { expect } from 'vitest';
import { graphCost } from '../../../src-main/engine/graph/cost';
import { createRng } from '../../../src-main/engine/graph/rng';
import type { Model, Weight } from '../../../src-main/engine/graph/types';
import type { MaskedSites } from '../../../src-main/engine/prune/mask';
import { maskDropped } from '../../../src-main/engine/prune/mask';
import type { Analysis, KeptChannels } from '../../../src-main/engine/prune/groups';
import { analyse, droppedClasses } from '../../../src-main/engine/prune/groups';
import { plannedCost } from '../../../src-main/engine/prune/planned-cost';
import { cut } from '../../../src-main/engine/prune/surgery';
import { difference, randomChoice, referenceTolerance } from './models';

export {
  difference,
  makeModel,
  modelOf,
  randomChoice,
  randomInputs,
  randomised,
  referenceTolerance,
} from './models';

/** Names of the layers that produce each group, in order. */
export function producersOf({ groups }: Analysis): string[][] {
  return groups.map((group) => [...group.producers]);
}

export function weightOf({ graph }: Model, id: string): Weight {
  return graph.weights.get(id)!;
}

/**
 * Makes random cuts and requires of each: masked original and cut model agree, the planned cost is the real one,
 * and the original is untouched. Returns the last cut.
 */
export function expectCutsEquivalent(
  model: Model,
  { rounds = 3, seed = 7, masks }: { rounds?: number; seed?: number; masks?: MaskedSites } = {},
): Model {
  const analysis = analyse(model);
  const rng = createRng(seed);
  let result = model;
  for (let round = 0; round < rounds; round++) {
    const kept = randomChoice(analysis, rng, rng.uniform(0.2, 0.8));
    result = expectCutEquivalent(model, analysis, kept, masks);
  }
  return result;
}

export function expectCutEquivalent(
  model: Model,
  analysis: Analysis,
  kept: KeptChannels,
  masks?: MaskedSites,
): Model {
  const before = fingerprint(model);
  const result = cut(model, analysis, kept);
  expect(fingerprint(model)).toEqual(before);
  const masked = maskDropped(model, analysis, kept, masks);
  expect(difference(masked, result, 11)).toBeLessThan(referenceTolerance);
  const planned = plannedCost(analysis, droppedClasses(analysis, kept));
  expect(planned).toEqual(graphCost(result.graph));
  return result;
}

/** Sums over all weights: changes when any of them does. */
function fingerprint({ graph }: Model): number[] {
  return [...graph.weights.values()].map(({ data }) => {
    let sum = 0;
    for (let i = 0; i < data.length; i++) sum += data[i]! * (i + 1);
    return sum;
  });
}
