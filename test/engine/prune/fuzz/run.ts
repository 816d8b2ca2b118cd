// Runs many cases of the fuzz test. A failing network is made small and thrown as a fixture to keep.

import type { Model } from '../../../../src-main/engine/graph/types';
import { checkCuts } from './check';
import { fromFixture, toFixture } from './fixture';
import type { GraphFixture } from './fixture';
import { randomModel } from './grow';
import { shrink } from './shrink';

/** A case that failed, with what failed in the smallest network found. */
export class FuzzFailure extends Error {
  constructor(
    readonly fixture: GraphFixture,
    cause: unknown,
  ) {
    super(
      `seed ${fixture.seed}: ${fixture.about}\nKeep it in test/fixtures/graphs:\n${JSON.stringify(fixture)}`,
      { cause },
    );
  }
}

/** @throws FuzzFailure */
export function fuzz(seed: number): void {
  const model = randomModel(seed);
  const failure = failureOf(model, seed);
  if (failure === null) return;
  throw new FuzzFailure(
    smallest(model, seed) ?? toFixture(model.graph, seed, failure.message),
    failure,
  );
}

/** Weights are drawn anew for each smaller network, so that the fixture fails from its seed alone. */
function smallest(model: Model, seed: number): GraphFixture | null {
  let found: GraphFixture | null = null;
  shrink(model.graph, (graph) => {
    for (let other = seed; other < seed + 5; other++) {
      const fixture = toFixture(graph, other, '');
      const failure = failureOf(fromFixture(fixture), other);
      if (failure === null) continue;
      found = { ...fixture, about: failure.message };
      return true;
    }
    return false;
  });
  return found;
}

function failureOf(model: Model, seed: number): Error | null {
  try {
    checkCuts(model, seed);
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
