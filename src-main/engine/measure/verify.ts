// Proof of an export: the written file, run by its real runtime, against the version, run by our executor.

import { setImmediate } from 'node:timers/promises';
import type { EngineContext } from '../context';
import type { FileRunner } from '../formats/types';
import type { Model } from '../graph/types';
import { runForward } from '../train/executor';
import type { RoundingLimits, Verification } from './types';

/** Preprocessed inputs, one after the other, with their class where known. */
export interface VerificationSamples {
  readonly count: number;
  readonly inputs: Float32Array;
  readonly labels: Int32Array | null;
}

/** Samples that the executor runs at once; the file runs them one by one, as a device does. */
const batchSize = 50;

/** Outputs up to here are compared absolutely: probabilities and the logits of common classifiers. */
const absoluteUpTo = 10;

/**
 * Compares all outputs on all samples, and the classes that the first output names.
 * @param limit a number is the largest difference that passes, for outputs up to 10; for larger ones, whose rounding
 *   errors grow with them, it grows with the largest. The classes must agree as well, unless two scores are closer
 *   to each other than that. A file in a smaller precision is held to the limits of that precision instead; its outputs
 *   must be finite.
 * @throws AppError INVALID_ARGUMENT when the model has several inputs, RUNTIME_UNAVAILABLE, or the reason of
 * the signal
 */
export async function verifyExport(
  model: Model,
  runner: FileRunner,
  samples: VerificationSamples,
  limit: number | RoundingLimits,
  context: EngineContext,
): Promise<Verification> {
  const { count, inputs, labels } = samples;
  const size = inputs.length / count;
  const pairs: OutputPair[] = [];
  for (let start = 0; start < count; start += batchSize) {
    const end = Math.min(start + batchSize, count);
    const batch = inputs.subarray(start * size, end * size);
    const expected = await runForward(model, [batch], end - start);
    for (let i = start; i < end; i++) {
      context.progress({
        phase: 'verifying',
        label: `Comparing with ${runner.runtime}`,
        done: i,
        total: count,
      });
      await setImmediate();
      context.signal.throwIfAborted();
      const actual = await runner.run(inputs.slice(i * size, (i + 1) * size));
      pairs.push({ expected: expected.map((all) => part(all, i - start, end - start)), actual });
    }
  }
  return judge(pairs, runner.runtime, { labels, isClassifier: namesClass(model) }, limit);
}

/** The outputs of one sample, of the version and of the file. */
interface OutputPair {
  readonly expected: readonly Float32Array[];
  readonly actual: readonly Float32Array[];
}

/** One sample's share of the outputs of a batch. */
function part(all: Float32Array, index: number, count: number): Float32Array {
  const width = all.length / count;
  return all.subarray(index * width, (index + 1) * width);
}

/** Whether the largest output is the answer. */
const namesClass = ({ outputKind }: Model): boolean =>
  outputKind !== 'values' && outputKind !== 'label-logits';

function judge(
  pairs: readonly OutputPair[],
  runtime: string,
  { labels, isClassifier }: { readonly labels: Int32Array | null; readonly isClassifier: boolean },
  limit: number | RoundingLimits,
): Verification {
  const differences = new Differences();
  for (const pair of pairs) differences.add(pair);
  const isExact = typeof limit === 'number';
  const scale = Math.max(1, differences.largestExpected / absoluteUpTo);
  const tolerance = isExact ? limit * scale : null;
  let agreements = 0;
  let ties = 0;
  let versionRight = 0;
  let fileRight = 0;
  for (const [i, { expected, actual }] of pairs.entries()) {
    const scores = expected[0] ?? new Float32Array();
    const version = indexOfMax(scores);
    const file = indexOfMax(actual[0] ?? new Float32Array());
    if (version === file) agreements++;
    else if (isTie(scores, version, file, tolerance ?? 0)) ties++;
    if (version === labels?.[i]) versionRight++;
    if (file === labels?.[i]) fileRight++;
  }
  const samples = pairs.length;
  const figures = {
    runtime,
    samples,
    maxAbsDiff: differences.max,
    meanAbsDiff: differences.mean(),
    cosine: differences.cosine(),
    top1Agreement: !isClassifier ? null : samples === 0 ? 1 : agreements / samples,
    accuracy: labels && { version: versionRight / samples, file: fileRight / samples },
    tolerance,
  };
  // Where outputs are infinite, so is the tolerance: nothing is proved then.
  const isFinite = Number.isFinite(differences.max);
  if (tolerance !== null) {
    const agree = !isClassifier || agreements + ties === samples;
    const passed = isFinite && differences.max <= tolerance && agree;
    return { ...figures, passed };
  }
  const limits = limit as RoundingLimits;
  return { ...figures, limits, passed: isFinite && keepsAnswers(figures, limits) };
}

/** Shares are fractions of small numbers: half a sample is less than any of them. */
function keepsAnswers(
  { accuracy, cosine, samples }: Pick<Verification, 'accuracy' | 'samples'> & { cosine: number },
  { maxDrop, minCosine }: RoundingLimits,
): boolean {
  if (accuracy === null) return cosine >= minCosine;
  return accuracy.version - accuracy.file <= maxDrop + 0.5 / samples;
}

/** Why a verification failed, in a sentence for people; null for one that passed. */
export function failureOf(verification: Verification): string | null {
  const { runtime, maxAbsDiff, tolerance, limits, accuracy, cosine = NaN } = verification;
  if (verification.passed) return null;
  if (!Number.isFinite(maxAbsDiff)) {
    return `${runtime} gives outputs that are not finite or of another shape than the version's.`;
  }
  if (limits === undefined || tolerance !== null) {
    return (
      `${runtime} gives other results than the version: largest difference ` +
      `${maxAbsDiff.toExponential(2)}, tolerance ${(tolerance ?? NaN).toExponential(0)}.`
    );
  }
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  return accuracy === null
    ? `${runtime} gives outputs whose cosine to the version's is ${cosine.toFixed(4)}, below ${limits.minCosine}.`
    : `On ${runtime} the file is right on ${percent(accuracy.file)} of ${verification.samples} images, the version ` +
        `on ${percent(accuracy.version)}: more than the ${(limits.maxDrop * 100).toFixed(1)} points that this precision may cost.`;
}

class Differences {
  max = 0;
  largestExpected = 0;
  private sum = 0;
  private values = 0;
  private product = 0;
  private expectedSquares = 0;
  private actualSquares = 0;

  add({ expected, actual }: OutputPair): void {
    // With other outputs, or outputs of another length, the file does not compute the same thing at all.
    if (actual.length !== expected.length) this.max = Infinity;
    expected.forEach((output, i) => this.addOutput(output, actual[i] ?? new Float32Array()));
  }

  mean(): number {
    return this.values === 0 ? 0 : this.sum / this.values;
  }

  /** 1 for outputs that are all zero, both. */
  cosine(): number {
    if (this.expectedSquares === 0 && this.actualSquares === 0) return 1;
    return this.product / Math.sqrt(this.expectedSquares * this.actualSquares);
  }

  private addOutput(expected: Float32Array, actual: Float32Array): void {
    if (actual.length !== expected.length) this.max = Infinity;
    for (const [i, value] of expected.entries()) {
      const difference = Math.abs(value - (actual[i] ?? NaN));
      // NaN must not hide behind Math.max.
      this.max = Number.isNaN(difference) ? Infinity : Math.max(this.max, difference);
      this.largestExpected = Math.max(this.largestExpected, Math.abs(value));
      this.sum += difference;
      this.values++;
      const other = actual[i] ?? NaN;
      this.product += value * other;
      this.expectedSquares += value * value;
      this.actualSquares += other * other;
    }
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
