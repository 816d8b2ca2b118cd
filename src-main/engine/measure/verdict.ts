// Whether inherited weights were worth anything: a fine-tuned network against the same one trained from scratch, in
// numbers and in words.

import type { ScratchBudget } from '../train/scratch';

/** Top-1 shares of runs of one recipe that differ by their seeds alone, all on the same `samples` images. */
export interface Runs {
  readonly top1: readonly number[];
  readonly samples: number;
  /** Epochs of each run. */
  readonly epochs: number;
}

export interface ControlRuns extends Runs {
  readonly budget: ScratchBudget;
}

/** 'better': the fine-tuned network is, by more than chance explains. */
export type Outcome = 'better' | 'worse' | 'even';

/** Fine-tuned against one control. */
export interface Comparison {
  readonly budget: ScratchBudget;
  /** Mean top-1 of the fine-tuned runs less that of the control's. */
  readonly difference: number;
  /** Differences up to this are put down to chance. */
  readonly noise: number;
  readonly outcome: Outcome;
}

export interface Verdict {
  /** Of the control that takes the same computation, where it was run; else of the other. */
  readonly outcome: Outcome;
  /** Scratch-E before Scratch-B. */
  readonly comparisons: readonly Comparison[];
  /** One or two sentences for people. */
  readonly text: string;
}

/** Two-sided, at a confidence of 95 %. */
const quantile = 1.96;

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Sample standard deviation; null for a single run. */
export function spread(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const middle = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

/**
 * Squared standard error of the mean accuracy of some runs: that of a proportion on N test images, which further
 * runs do not lower since they see the same images, and s^2 / n of n runs that spread by s. The proportion is taken
 * with one more right and one more wrong answer (Agresti and Caffo 2000), so that 100 % is not beyond doubt.
 */
function variance({ top1, samples }: Runs): number {
  const p = (mean(top1) * samples + 1) / (samples + 2);
  return (p * (1 - p)) / (samples + 2) + (spread(top1) ?? 0) ** 2 / top1.length;
}

/**
 * Compares by the standard error of a difference, as if the two had been tested on different images: networks that
 * err on the same ones differ by less, so that "even" is said rather too often than too seldom.
 */
function compare(fineTuned: Runs, control: ControlRuns): Comparison {
  const difference = mean(fineTuned.top1) - mean(control.top1);
  const noise = quantile * Math.sqrt(variance(fineTuned) + variance(control));
  const isClear = Math.abs(difference) > noise;
  const outcome = !isClear ? 'even' : difference > 0 ? 'better' : 'worse';
  return { budget: control.budget, difference, noise, outcome };
}

/** @param controls at least one, at most one of each budget */
export function judge(fineTuned: Runs, controls: readonly ControlRuns[]): Verdict {
  const byComputation = controls.find(({ budget }) => budget === 'b');
  const byEpochs = controls.find(({ budget }) => budget === 'e');
  const decisive = byComputation ?? byEpochs!;
  const present = [byEpochs, byComputation].filter((control) => control !== undefined);
  const comparisons = present.map((control) => compare(fineTuned, control));
  const verdict = comparisons.find(({ budget }) => budget === decisive.budget)!;
  const others = present.filter((control) => control !== decisive).map(besides);
  return {
    outcome: verdict.outcome,
    comparisons,
    text: [sentence(fineTuned, decisive, verdict), ...others].join(' '),
  };
}

export const budgetName = (budget: ScratchBudget): string =>
  budget === 'e' ? 'Scratch-E' : 'Scratch-B';

/** 2000 as '2,000'. */
const grouped = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',');

const points = (share: number): string => (Math.abs(share) * 100).toFixed(1);

function figures({ top1 }: Runs): string {
  const deviation = spread(top1);
  const around = deviation === null ? '' : ` ± ${(deviation * 100).toFixed(1)}`;
  return `${(mean(top1) * 100).toFixed(1)}${around} %`;
}

function recipe({ budget, epochs, top1 }: ControlRuns): string {
  const length = `${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}`;
  return `${budgetName(budget)}, ${length}${top1.length > 1 ? `, ${top1.length} seeds` : ''}`;
}

function sentence(
  fineTuned: Runs,
  control: ControlRuns,
  { difference, ...rest }: Comparison,
): string {
  const against = `fine-tuned ${figures(fineTuned)}, from scratch ${figures(control)} (${recipe(control)})`;
  const chance = `the ${points(rest.noise)} that chance explains on ${grouped(fineTuned.samples)} images`;
  switch (rest.outcome) {
    case 'better':
      return (
        `The inherited weights are worth ${points(difference)} points: ${against}, ` +
        `more than ${chance}.`
      );
    case 'worse':
      return (
        `From scratch is better by ${points(difference)} points: ${against}, more than ${chance}. ` +
        'The inherited weights hold this network back.'
      );
    case 'even':
      return (
        `Even: ${against}; ${points(difference)} points apart, within ${chance}. ` +
        'The slim shape is what counts here, not the inherited weights.'
      );
  }
}

const besides = (control: ControlRuns): string =>
  `Beside it ${figures(control)} (${recipe(control)}).`;
