// Cutting in several steps: how far each of them goes.

import type { Cost } from '../graph/types';
import type { PruneOptions } from './types';

/**
 * 'linear': equal steps. 'cubic': large steps first, while there is much that nothing depends on (Zhu & Gupta 2017,
 * "To prune, or not to prune", equation 1 from sparsity 0 on: s_t = s_f (1 - (1 - t / n)^3)).
 */
export type PruneSchedule = 'linear' | 'cubic';

/** A step of several: its number from 1 on, how many there are, and how they go down. */
export interface ScheduleStep {
  readonly step: number;
  readonly steps: number;
  readonly schedule: PruneSchedule;
}

/** The part of the whole cut that is made once a step is done, 0 to 1. */
function progressAt({ steps, schedule }: ScheduleStep, step: number): number {
  const left = 1 - step / steps;
  return schedule === 'cubic' ? 1 - left ** 3 : 1 - left;
}

/** The share of a figure that is left after each step, of which `share` is left in the end. */
export function sharesAfterSteps(
  share: number,
  steps: number,
  schedule: PruneSchedule,
): readonly number[] {
  return Array.from({ length: steps }, (_, i) =>
    shareAfter(share, { step: i + 1, steps, schedule }),
  );
}

function shareAfter(share: number, at: ScheduleStep, step = at.step): number {
  return 1 - (1 - share) * progressAt(at, step);
}

/** Figures of the model that all steps start from, and of the one that this step cuts. */
export interface StepCosts {
  readonly source: Cost;
  readonly before: Cost;
  /** Bytes of the source's weights in the precision of the target. */
  readonly sourceBytes: number;
}

/**
 * The options of one step. Budgets are shares of the source, brought to shares of what the step cuts: the last step
 * ends at the target of the whole, however far the steps before it went. Shares of channels (`ratio`, `maxRatio`,
 * `ceilings`, shares in the table) multiply up to those of the whole; numbers of channels in the table are reached
 * with the first step. Latencies stay what they are, shares of the source: milliseconds hold from the last step on.
 */
export function stepOptions(
  options: PruneOptions,
  at: ScheduleStep,
  { source, before, sourceBytes }: StepCosts,
): PruneOptions {
  if (at.steps === 1) return options;
  const { ratio, macs, params, bytes, precision, latency, latencyMs } = options.target;
  const share = (figure: 'macs' | 'params', whole: number): number =>
    Math.min(1, (shareAfter(whole, at) * source[figure]) / before[figure]);
  const cut = (whole: number): number =>
    1 - shareAfter(1 - whole, at) / shareAfter(1 - whole, at, at.step - 1);
  const cutEach = (shares: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
    Object.fromEntries(
      Object.entries(shares).map(([layer, value]) => [layer, value < 1 ? cut(value) : value]),
    );
  const isLast = at.step === at.steps;
  const { table, ceilings } = options;
  return {
    ...options,
    target: {
      ...(ratio === undefined ? {} : { ratio: cut(ratio) }),
      ...(macs === undefined ? {} : { macs: share('macs', macs) }),
      ...(params === undefined ? {} : { params: share('params', params) }),
      ...(bytes === undefined
        ? {}
        : { bytes: Math.floor(sourceBytes + (bytes - sourceBytes) * progressAt(at, at.step)) }),
      ...(precision === undefined ? {} : { precision }),
      ...(latency === undefined ? {} : { latency: shareAfter(latency, at) }),
      ...(latencyMs === undefined || !isLast ? {} : { latencyMs }),
    },
    maxRatio: cut(options.maxRatio),
    ...(ceilings === undefined ? {} : { ceilings: cutEach(ceilings) }),
    ...(table === undefined ? {} : { table: cutEach(table) }),
  };
}
