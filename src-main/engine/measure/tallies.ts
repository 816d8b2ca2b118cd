// What is counted of the answers to labels and values, and the figures that come of it.

import type { Errors, LabelScores, ValueErrors } from './types';

/** Counts the answers to each label. */
export class LabelTally {
  private samples = 0;
  private readonly counts: { both: number; onlyTrue: number; onlyAnswered: number }[];

  constructor(labels: number) {
    this.counts = Array.from({ length: labels }, () => ({ both: 0, onlyTrue: 0, onlyAnswered: 0 }));
  }

  /** Probabilities and targets (0 or 1), both [N, labels] row after row. */
  add(probabilities: Float32Array, targets: Float32Array): void {
    const labels = this.counts.length;
    probabilities.forEach((probability, i) => {
      const count = this.counts[i % labels]!;
      const [answered, isTrue] = [probability > 0.5, targets[i] === 1];
      if (answered && isTrue) count.both += 1;
      else if (answered) count.onlyAnswered += 1;
      else if (isTrue) count.onlyTrue += 1;
    });
    this.samples += probabilities.length / labels;
  }

  /**
   * F1 = 2 TP / (2 TP + FP + FN). Labels for which that is 0 / 0 are left out of the mean, as `macroF1` leaves out
   * classes.
   */
  result(): Pick<LabelScores, 'accuracy' | 'microF1' | 'macroF1' | 'perLabel'> {
    const perLabel = this.counts.map(({ both, onlyTrue, onlyAnswered }) => ({
      accuracy: 1 - (onlyTrue + onlyAnswered) / this.samples,
      f1: f1(both, onlyTrue + onlyAnswered),
      positives: both + onlyTrue,
    }));
    const both = sum(this.counts.map((count) => count.both));
    const wrong = sum(this.counts.map((count) => count.onlyTrue + count.onlyAnswered));
    const known = perLabel.flatMap((label) => (label.f1 === null ? [] : [label.f1]));
    return {
      accuracy: sum(perLabel.map(({ accuracy }) => accuracy)) / perLabel.length,
      microF1: f1(both, wrong) ?? 0,
      macroF1: known.length === 0 ? 0 : sum(known) / known.length,
      perLabel,
    };
  }
}

/** Sums up the errors of each value. */
export class ValueTally {
  private samples = 0;
  private readonly absolute: Float64Array;
  private readonly squared: Float64Array;

  constructor(values: number) {
    this.absolute = new Float64Array(values);
    this.squared = new Float64Array(values);
  }

  /** Both [N, values] row after row. */
  add(answers: Float32Array, targets: Float32Array): void {
    const values = this.absolute.length;
    answers.forEach((answer, i) => {
      const error = answer - targets[i]!;
      this.absolute[i % values]! += Math.abs(error);
      this.squared[i % values]! += error ** 2;
    });
    this.samples += answers.length / values;
  }

  /** Overall: over all values of all samples. */
  result(): Pick<ValueErrors, 'mae' | 'rmse' | 'perValue'> {
    const of = (absolute: number, squared: number, count: number): Errors => ({
      mae: absolute / count,
      rmse: Math.sqrt(squared / count),
    });
    const absolute = [...this.absolute];
    const squared = [...this.squared];
    return {
      ...of(sum(absolute), sum(squared), this.samples * absolute.length),
      perValue: absolute.map((value, i) => of(value, squared[i]!, this.samples)),
    };
  }
}

const sum = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0);

function f1(both: number, wrong: number): number | null {
  return both + wrong === 0 ? null : (2 * both) / (2 * both + wrong);
}
