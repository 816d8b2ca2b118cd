import { describe, expect, it } from 'vitest';
import { graphCost, storedBytes } from '../../../src-main/engine/graph/cost';
import { analyse } from '../../../src-main/engine/prune/groups';
import { defaultPruneOptions } from '../../../src-main/engine/prune/options';
import { prune } from '../../../src-main/engine/prune/plan';
import {
  sharesAfterSteps,
  stepOptions,
  type PruneSchedule,
} from '../../../src-main/engine/prune/schedule';
import type { PruneOptions } from '../../../src-main/engine/prune/types';
import { buildZoo } from '../../../src-main/engine/zoo';

describe('the shares after each step', () => {
  it('go down evenly', () => {
    const shares = sharesAfterSteps(0.5, 4, 'linear');
    [0.875, 0.75, 0.625, 0.5].forEach((share, i) => expect(shares[i]).toBeCloseTo(share, 12));
  });

  it('follow s_t = s_f (1 - (1 - t / n)^3) of Zhu & Gupta', () => {
    const [n, final] = [5, 0.8];
    const shares = sharesAfterSteps(1 - final, n, 'cubic');
    for (let t = 1; t <= n; t++) {
      const sparsity = final * (1 - (1 - t / n) * (1 - t / n) * (1 - t / n));
      expect(shares[t - 1]).toBeCloseTo(1 - sparsity, 12);
    }
    expect(shares.at(-1)).toBeCloseTo(0.2, 12);
  });
});

const options: PruneOptions = {
  ...defaultPruneOptions,
  target: { ratio: 0.6, macs: 0.5, params: 0.3, bytes: 1000, precision: 'fp16', latency: 0.6 },
  maxRatio: 0.8,
  ceilings: { stem: 0.4 },
  table: { stem: 0.5, block: 4 },
};
const cost = (
  share: number,
): { params: number; macs: number; weightBytes: number; activationBytes: number } => ({
  params: 1000 * share,
  macs: 4000 * share,
  weightBytes: 5000 * share,
  activationBytes: 100,
});
const costs = { source: cost(1), before: cost(1), sourceBytes: 5000 };

describe('the options of a step', () => {
  it('are those of the whole for a single step', () => {
    expect(stepOptions(options, { step: 1, steps: 1, schedule: 'cubic' }, costs)).toEqual(options);
  });

  it.each([
    [2, 'linear'],
    [3, 'cubic'],
    [7, 'linear'],
  ] as const)('come to those of the whole over %d steps, %s', (steps, schedule) => {
    const shares = sharesAfterSteps(0.5, steps, schedule);
    const all = shares.map((_, i) => stepOptions(options, { step: i + 1, steps, schedule }, costs));
    const product = (factor: (step: PruneOptions) => number): number =>
      all.reduce((left, step) => left * factor(step), 1);
    all.forEach(({ target }, i) => expect(target.macs).toBeCloseTo(shares[i]!, 12));
    expect(all.at(-1)!.target.params).toBeCloseTo(0.3, 12);
    expect(all.at(-1)!.target.latency).toBeCloseTo(0.6, 12);
    expect(all.at(-1)!.target.bytes).toBe(1000);
    expect(product(({ target }) => 1 - target.ratio!)).toBeCloseTo(0.4, 12);
    expect(product(({ maxRatio }) => 1 - maxRatio)).toBeCloseTo(0.2, 12);
    expect(product(({ table }) => 1 - table!['stem']!)).toBeCloseTo(0.5, 12);
    expect(product(({ ceilings }) => 1 - ceilings!['stem']!)).toBeCloseTo(0.6, 12);
    expect(all.map(({ table }) => table!['block'])).toEqual(new Array(steps).fill(4));
    expect(new Set(all.map(({ target }) => target.precision))).toEqual(new Set(['fp16']));
    const bytes = all.map(({ target }) => target.bytes!);
    expect(bytes).toEqual([...bytes].sort((a, b) => b - a));
  });

  it('are shares of the source, whatever the steps before have left', () => {
    const at = { step: 2, steps: 2, schedule: 'linear' } as const;
    const { target } = stepOptions(options, at, { ...costs, before: cost(0.7) });
    expect(target.macs! * cost(0.7).macs).toBeCloseTo(0.5 * 4000, 9);
    // What is below the target already has nothing to do.
    expect(stepOptions(options, at, { ...costs, before: cost(0.4) }).target.macs).toBe(1);
  });

  it('ask for nothing that the whole does not ask for', () => {
    const at = { step: 1, steps: 2, schedule: 'linear' } as const;
    const step = stepOptions(defaultPruneOptions, at, costs);
    expect(step.target).toEqual({ macs: 0.75 });
    expect(step).not.toHaveProperty('table');
    expect(step).not.toHaveProperty('ceilings');
  });

  it('ask for milliseconds in the end only', () => {
    const whole = { ...defaultPruneOptions, target: { macs: 0.5, latencyMs: 2 } };
    const target = (step: number): object =>
      stepOptions(whole, { step, steps: 2, schedule: 'linear' }, costs).target;
    expect(target(1)).not.toHaveProperty('latencyMs');
    expect(target(2)).toHaveProperty('latencyMs', 2);
  });
});

describe.each(['linear', 'cubic'] as const)('cutting in %s steps', (schedule: PruneSchedule) => {
  it('ends at the target, as near as one step of one group allows', () => {
    let model = buildZoo('resnet20-cifar-b', { seed: 1, inputShape: [16, 16, 3] });
    const source = graphCost(model.graph);
    const sourceBytes = storedBytes(model.graph, 'fp32');
    const whole = { ...defaultPruneOptions, align: 4, target: { macs: 0.5 } };
    sharesAfterSteps(0.5, 4, schedule).forEach((share, i) => {
      const at = { step: i + 1, steps: 4, schedule };
      const now = { source, before: graphCost(model.graph), sourceBytes };
      model = prune(model, stepOptions(whole, at, now), analyse(model)).model;
      const left = graphCost(model.graph).macs / source.macs;
      expect(left).toBeLessThanOrEqual(share);
      expect(left).toBeGreaterThan(share - 0.08);
    });
  });
});
