// Proves a cut: on random inputs, the cut model computes what the masked original computes.

import { AppError } from '../errors';
import type { Rng } from '../graph/rng';
import { createRng } from '../graph/rng';
import type { Graph, Model } from '../graph/types';
import type { Backend } from '../runtime/backend';
import { runForward } from '../train/executor';
import type { Analysis, KeptChannels } from './groups';
import { maskDropped } from './mask';
import type { Equivalence } from './types';

export interface EquivalenceOptions {
  /** Number of random inputs. */
  readonly samples: number;
  readonly seed: number;
  /** The best that is there unless given. */
  readonly backend?: Backend;
}

/** Difference allowed, as a share of the largest output. Sums over fewer channels round in the seventh digit. */
const usualTolerance = 1e-5;

/**
 * Deep or badly scaled networks amplify rounding. Where the usual tolerance is not met, the difference may be this
 * many times what a change of the inputs in their last digit makes of the masked original's outputs ...
 */
const roundingFactor = 10;
const lastDigit = 2 ** -23;
/** ... but never a larger share of the largest output than this. */
const largestTolerance = 1e-3;

/**
 * Compares the cut model with the original of which the dropped channels are set to zero, on normally distributed
 * inputs. The tolerance is 1e-5 times the largest output (at least 1e-5), or what rounding explains in networks
 * that amplify it.
 * @param analysis of the original.
 * @throws AppError MODEL_NOT_FINITE when an output is not a finite number; RUNTIME_UNAVAILABLE.
 */
export async function checkEquivalence(
  original: Model,
  cutModel: Model,
  analysis: Analysis,
  kept: KeptChannels,
  { samples, seed, backend }: EquivalenceOptions,
): Promise<Equivalence> {
  const rng = createRng(seed);
  const masked = maskDropped(original, analysis, kept);
  const inputs = randomInputs(original, samples, rng);
  const expected = await runForward(masked, inputs, samples, backend);
  const actual = await runForward(cutModel, inputs, samples, backend);
  const maxAbsDiff = largestDifference(original, expected, actual);
  const scale = Math.max(1, largestDifference(original, expected, null));
  let tolerance = usualTolerance * scale;
  if (maxAbsDiff > tolerance) {
    const nudged = inputs.map((values) =>
      values.map((value) => value * (1 + (rng.uniform() < 0.5 ? -lastDigit : lastDigit))),
    );
    const moved = await runForward(masked, nudged, samples, backend);
    const explained = roundingFactor * largestDifference(original, expected, moved);
    tolerance = Math.min(Math.max(tolerance, explained), largestTolerance * scale);
  }
  return { maxAbsDiff, samples, tolerance, passed: maxAbsDiff <= tolerance };
}

/** Over all outputs; null stands for zeros. */
function largestDifference(
  { graph }: Model,
  a: readonly Float32Array[],
  b: readonly Float32Array[] | null,
): number {
  let largest = 0;
  a.forEach((values, output) => {
    const others = b?.[output];
    if (b !== null && others?.length !== values.length) {
      largest = Number.MAX_VALUE;
      return;
    }
    for (let i = 0; i < values.length; i++) {
      const difference = Math.abs(values[i]! - (others?.[i] ?? 0));
      if (!Number.isFinite(difference)) throw notFinite(graph, output);
      largest = Math.max(largest, difference);
    }
  });
  return largest;
}

function randomInputs({ graph }: Model, samples: number, rng: Rng): Float32Array[] {
  return graph.inputs.map(({ shape }) => {
    const values = new Float32Array(shape.reduce((product, size) => product * size, samples));
    for (let i = 0; i < values.length; i++) values[i] = rng.normal();
    return values;
  });
}

function notFinite(graph: Graph, output: number): AppError {
  return new AppError(
    'MODEL_NOT_FINITE',
    `The output "${graph.outputs[output]!.name}" of "${graph.name}" is not a finite number on random inputs.`,
    'The cut cannot be checked. Look for a layer whose values explode, or take an earlier checkpoint.',
    { details: { output: graph.outputs[output]!.name } },
  );
}
