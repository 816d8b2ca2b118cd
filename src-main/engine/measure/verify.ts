// Proof of an export: the written file, run by its real runtime, against the version, run by our executor.

import type { EngineContext } from '../context';
import type { FileRunner } from '../formats/types';
import type { Model } from '../graph/types';
import { runForward } from '../train/executor';
import type { Verification } from './types';

/** Preprocessed inputs, one after the other, with their class where known. */
export interface VerificationSamples {
  readonly count: number;
  readonly inputs: Float32Array;
  readonly labels: Int32Array | null;
}

/** Samples that the executor runs at once; the file runs them one by one, as a device does. */
const batchSize = 50;

/**
 * Compares the first output of each on all samples. Differences are absolute: outputs of classifiers are
 * probabilities or logits of a few units.
 * @param tolerance largest absolute difference that passes; the classes must agree as well, unless two scores
 *   are closer to each other than the tolerance
 */
export async function verifyExport(
  model: Model,
  runner: FileRunner,
  samples: VerificationSamples,
  tolerance: number,
  context: EngineContext,
): Promise<Verification> {
  const { count, inputs, labels } = samples;
  const size = inputs.length / count;
  const tally = new Tally(tolerance);
  for (let start = 0; start < count; start += batchSize) {
    context.signal.throwIfAborted();
    context.progress({
      phase: 'verifying',
      label: `Comparing with ${runner.runtime}`,
      done: start,
      total: count,
    });
    const end = Math.min(start + batchSize, count);
    const batch = inputs.subarray(start * size, end * size);
    const [expected] = await runForward(model, [batch], end - start);
    const width = (expected?.length ?? 0) / (end - start);
    for (let i = start; i < end; i++) {
      const offset = (i - start) * width;
      const [actual] = await runner.run(inputs.slice(i * size, (i + 1) * size));
      tally.add(
        expected?.subarray(offset, offset + width) ?? new Float32Array(),
        actual ?? new Float32Array(),
        labels?.[i],
      );
    }
  }
  return tally.verdict(runner.runtime, labels !== null);
}

class Tally {
  private samples = 0;
  private max = 0;
  private sum = 0;
  private values = 0;
  private agreements = 0;
  private undecided = 0;
  private versionRight = 0;
  private fileRight = 0;

  constructor(private readonly tolerance: number) {}

  add(expected: Float32Array, actual: Float32Array, label: number | undefined): void {
    this.samples++;
    // Of another length, the file does not compute the same thing at all.
    if (actual.length !== expected.length) this.max = Infinity;
    for (let i = 0; i < expected.length; i++) {
      const difference = Math.abs((expected[i] ?? NaN) - (actual[i] ?? NaN));
      // NaN must not hide behind Math.max.
      this.max = Number.isNaN(difference) ? Infinity : Math.max(this.max, difference);
      this.sum += difference;
      this.values++;
    }
    const version = indexOfMax(expected);
    const file = indexOfMax(actual);
    if (version === file) this.agreements++;
    else if (isTie(expected, version, file, this.tolerance)) this.undecided++;
    if (version === label) this.versionRight++;
    if (file === label) this.fileRight++;
  }

  verdict(runtime: string, labelled: boolean): Verification {
    const { samples, tolerance, max } = this;
    return {
      runtime,
      samples,
      maxAbsDiff: max,
      meanAbsDiff: this.values === 0 ? 0 : this.sum / this.values,
      top1Agreement: samples === 0 ? 1 : this.agreements / samples,
      accuracy: labelled
        ? { version: this.versionRight / samples, file: this.fileRight / samples }
        : null,
      tolerance,
      passed: max <= tolerance && this.agreements + this.undecided === samples,
    };
  }
}

/** Two classes that score the same within the tolerance: rounding alone decides between them. */
function isTie(scores: Float32Array, a: number, b: number, tolerance: number): boolean {
  return Math.abs((scores[a] ?? NaN) - (scores[b] ?? NaN)) <= 2 * tolerance;
}

function indexOfMax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) {
    if ((values[i] ?? -Infinity) > (values[best] ?? -Infinity)) best = i;
  }
  return best;
}
