// Proves a cut: on random inputs, the cut model computes what the masked original computes.

import { AppError } from '../errors';
import { createRng } from '../graph/rng';
import type { Model } from '../graph/types';
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

/**
 * Largest difference allowed for outputs within [-1, 1]; larger outputs may differ in proportion. In single
 * precision, sums over fewer channels round differently in the seventh digit.
 */
const relativeTolerance = 1e-5;

/**
 * Compares the cut model with the original of which the dropped channels are set to zero, on normally distributed
 * inputs. The tolerance is 1e-5 times the largest masked output, but at least 1e-5.
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
  const inputs = randomInputs(original, samples, seed);
  const masked = await runForward(maskDropped(original, analysis, kept), inputs, samples, backend);
  const slim = await runForward(cutModel, inputs, samples, backend);
  let maxAbsDiff = 0;
  let scale = 1;
  masked.forEach((expected, output) => {
    const actual = slim[output];
    if (actual?.length !== expected.length) {
      maxAbsDiff = Number.MAX_VALUE;
      return;
    }
    for (let i = 0; i < expected.length; i++) {
      const difference = Math.abs(expected[i]! - actual[i]!);
      if (!Number.isFinite(difference)) throw notFinite(original, output);
      maxAbsDiff = Math.max(maxAbsDiff, difference);
      scale = Math.max(scale, Math.abs(expected[i]!));
    }
  });
  const tolerance = relativeTolerance * scale;
  return { maxAbsDiff, samples, tolerance, passed: maxAbsDiff <= tolerance };
}

function randomInputs({ graph }: Model, samples: number, seed: number): Float32Array[] {
  const rng = createRng(seed);
  return graph.inputs.map(({ shape }) => {
    const values = new Float32Array(shape.reduce((product, size) => product * size, samples));
    for (let i = 0; i < values.length; i++) values[i] = rng.normal();
    return values;
  });
}

function notFinite({ graph }: Model, output: number): AppError {
  return new AppError(
    'MODEL_NOT_FINITE',
    `The output "${graph.outputs[output]!.name}" of "${graph.name}" is not a finite number on random inputs.`,
    'The cut cannot be checked. Look for a layer whose values explode, or take an earlier checkpoint.',
    { details: { output: graph.outputs[output]!.name } },
  );
}
