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
    expect(new Set(rates({ kind: 'constant', warmupEpochs: 0 }, 3))).toEqual(new Set([1]));
  });

  it.each<[string, ScheduleOptions, number]>([
    ['constant', { kind: 'constant', warmupEpochs: 1.5 }, 1],
    ['step', { kind: 'step', warmupEpochs: 1.5, milestones: [0.5], factor: 0.1 }, 1],
    [
      'one-cycle',
      {
        kind: 'one-cycle',
        warmupEpochs: 1.5,
        riseShare: 0.3,
        startFactor: 0.04,
        finalFactor: 1e-5,
      },
      0.04,
    ],
  ])('warms up by a fraction of epochs to where the schedule begins: %s', (_, schedule, start) => {
    const run = rates(schedule, 6);
    run.slice(0, 7).forEach((rate, i) => {
      expect(rate).toBeCloseTo(start * Math.min(1, (i + 1) / 6), 12);
    });
  });

  it("goes through one cycle as PyTorch's OneCycleLR does", () => {
    // Its _annealing_cos, with phases that end at pct_start * total_steps - 1 and total_steps - 1.
    const steps = 5 * stepsPerEpoch;
    const [initial, lowest] = [1 / 25, 1 / 25 / 1e4];
    const anneal = (start: number, end: number, done: number): number =>
      end + ((start - end) / 2) * (Math.cos(Math.PI * done) + 1);
    const top = 0.3 * steps - 1;
    const expected = Array.from({ length: steps }, (_, i) =>
      i <= top ? anneal(initial, 1, i / top) : anneal(1, lowest, (i - top) / (steps - 1 - top)),
    );
    const run = rates(
      {
        kind: 'one-cycle',
        warmupEpochs: 0,
        riseShare: 0.3,
        startFactor: initial,
        finalFactor: lowest,
      },
      5,
    );
    run.forEach((rate, i) => expect(rate).toBeCloseTo(expected[i]!, 9));
    expect([Math.max(...run), run.indexOf(1)]).toEqual([1, 5]);
    expect(run.at(-1)).toBeCloseTo(lowest, 9);
  });

  it('stays finite in a cycle of a single step', () => {
    const schedule = {
      kind: 'one-cycle',
      warmupEpochs: 0,
      riseShare: 0.3,
      startFactor: 0.04,
      finalFactor: 1e-5,
    } as const;
    expect(learningRateAt(schedule, 1, 0, 1, 1)).toBe(1);
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
