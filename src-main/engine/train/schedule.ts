// Learning rate over the course of a training run.

import type { ScheduleOptions } from './types';

/**
 * The learning rate at a point of the run. `position` counts epochs with fractions: at step s of n in epoch e
 * it is e + s / n, from 0. During warm-up the rate rises linearly and reaches the base rate with the last step
 * of it; `stepLength`, the fraction of an epoch that one step is, keeps the first step from having rate 0.
 */
export function learningRateAt(
  schedule: ScheduleOptions,
  base: number,
  position: number,
  epochs: number,
  stepLength: number,
): number {
  if (schedule.kind === 'constant') return base;
  const { warmupEpochs } = schedule;
  if (position < warmupEpochs) return base * Math.min(1, (position + stepLength) / warmupEpochs);
  if (schedule.kind === 'step') {
    const passed = schedule.milestones.filter((milestone) => position >= milestone * epochs);
    return base * schedule.factor ** passed.length;
  }
  // Loshchilov and Hutter 2017, "SGDR", formula 5, for a single period.
  const done = Math.min(1, (position - warmupEpochs) / Math.max(epochs - warmupEpochs, stepLength));
  const factor = (1 + Math.cos(Math.PI * done)) / 2;
  return base * (schedule.finalFactor + (1 - schedule.finalFactor) * factor);
}
