// Learning rate over the course of a training run.

import type { OneCycleSchedule, ScheduleOptions } from './types';

/**
 * The learning rate at a point of the run. `position` counts epochs with fractions: at step s of n in epoch e
 * it is e + s / n, from 0. During warm-up the rate rises linearly and reaches what the schedule begins with at
 * the last step of it; `stepLength`, the fraction of an epoch that one step is, keeps the first step from having
 * rate 0.
 */
export function learningRateAt(
  schedule: ScheduleOptions,
  base: number,
  position: number,
  epochs: number,
  stepLength: number,
): number {
  const { warmupEpochs } = schedule;
  if (position < warmupEpochs) {
    const start = schedule.kind === 'one-cycle' ? base * schedule.startFactor : base;
    return start * Math.min(1, (position + stepLength) / warmupEpochs);
  }
  const [after, length] = [position - warmupEpochs, epochs - warmupEpochs];
  switch (schedule.kind) {
    case 'constant':
      return base;
    case 'step': {
      const passed = schedule.milestones.filter((milestone) => position >= milestone * epochs);
      return base * schedule.factor ** passed.length;
    }
    case 'cosine': {
      // Loshchilov and Hutter 2017, "SGDR", formula 5, for a single period.
      const done = Math.min(1, after / Math.max(length, stepLength));
      return base * along(1, schedule.finalFactor, done);
    }
    case 'one-cycle':
      return base * oneCycle(schedule, after / stepLength, length / stepLength);
  }
}

/**
 * Smith 2018, "A disciplined approach to neural network hyper-parameters", in two phases along cosines as
 * PyTorch's OneCycleLR has it with cycle_momentum=False: the momentum stays. The top is reached at step
 * riseShare * steps - 1, the end at the last step.
 */
function oneCycle(
  { riseShare, startFactor, finalFactor }: OneCycleSchedule,
  step: number,
  steps: number,
): number {
  const top = riseShare * steps - 1;
  if (step <= top && top > 0) return along(startFactor, 1, step / top);
  const [from, end] = [Math.max(top, 0), steps - 1];
  return along(1, finalFactor, end > from ? Math.min(1, (step - from) / (end - from)) : 0);
}

/** From `start` to `end` along half a cosine; `done` from 0 to 1. */
const along = (start: number, end: number, done: number): number =>
  end + ((start - end) * (1 + Math.cos(Math.PI * done))) / 2;
