import { describe, expect, it } from 'vitest';
import { learningRateAt } from '../../../src-main/engine/train/schedule';
import type { ScheduleOptions } from '../../../src-main/engine/train/types';

const stepsPerEpoch = 4;

/** The learning rates of a whole run with a base rate of 1. */
function rates(schedule: ScheduleOptions, epochs: number): number[] {
  return Array.from({ length: epochs * stepsPerEpoch }, (_, step) =>
    learningRateAt(schedule, 1, step / stepsPerEpoch, epochs, 1 / stepsPerEpoch),
  );
}

describe('learningRateAt', () => {
  it('stays constant', () => {
    expect(new Set(rates({ kind: 'constant' }, 3))).toEqual(new Set([1]));
  });

  it('drops at the milestones', () => {
    const schedule = {
      kind: 'step',
      warmupEpochs: 0,
      milestones: [0.5, 0.75],
      factor: 0.1,
    } as const;
    const run = rates(schedule, 8);
    expect(run[4 * stepsPerEpoch - 1]).toBe(1);
    expect(run[4 * stepsPerEpoch]).toBeCloseTo(0.1, 10);
    expect(run[6 * stepsPerEpoch - 1]).toBeCloseTo(0.1, 10);
    expect(run[6 * stepsPerEpoch]).toBeCloseTo(0.01, 10);
  });

  it('falls along half a cosine to the final factor', () => {
    const run = rates({ kind: 'cosine', warmupEpochs: 0, finalFactor: 0.2 }, 10);
    expect(run[0]).toBe(1);
    expect(run[20]).toBeCloseTo(0.6, 10);
    expect(run.at(-1)).toBeGreaterThan(0.2);
    expect(run.at(-1)).toBeLessThan(0.21);
    expect(run.every((rate, i) => i === 0 || rate < run[i - 1]!)).toBe(true);
  });

  it('warms up linearly, from a first step that already moves', () => {
    const run = rates({ kind: 'cosine', warmupEpochs: 2, finalFactor: 0 }, 6);
    expect(run.slice(0, 8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((step) => step / 8));
    expect(run[8]).toBe(1);
    expect(run[16]).toBeCloseTo(0.5, 10);
  });

  it('stays finite when all epochs are warm-up', () => {
    const run = rates({ kind: 'cosine', warmupEpochs: 1, finalFactor: 0 }, 1);
    expect(run).toEqual([0.25, 0.5, 0.75, 1]);
  });
});
