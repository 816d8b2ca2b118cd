// The search for a latency: on a clock that is a function of MACs, and once on the real runtime.

import { describe, expect, it } from 'vitest';
import { silentContext } from '../../../src-main/engine/context';
import { graphCost } from '../../../src-main/engine/graph/cost';
import type { Model } from '../../../src-main/engine/graph/types';
import {
  planForLatency,
  type LatencyPair,
  type LatencySearchInputs,
} from '../../../src-main/engine/prune/latency-target';
import { analyse } from '../../../src-main/engine/prune/groups';
import { defaultPruneOptions } from '../../../src-main/engine/prune/options';
import { planLargestCut } from '../../../src-main/engine/prune/plan';
import { cut } from '../../../src-main/engine/prune/surgery';
import type { PruneOptions, PruneTarget } from '../../../src-main/engine/prune/types';
import { buildZoo } from '../../../src-main/engine/zoo';

const model = buildZoo('resnet20-cifar-b', { seed: 1, inputShape: [16, 16, 3] });
const all = graphCost(model.graph).macs;
const analysis = analyse(model);

/** A machine on which an inference takes 2 ms and 8 ms for all MACs of the model, times `drift`. */
const msOf = (graph: Model['graph'], drift = 1): number =>
  drift * (2 + (8 * graphCost(graph).macs) / all);

const steadyClock = async (candidate: Model, reference: Model): Promise<LatencyPair> => ({
  ms: msOf(candidate.graph),
  referenceMs: msOf(reference.graph),
});

const options = (target: PruneTarget, more: Partial<PruneOptions> = {}): PruneOptions => ({
  ...defaultPruneOptions,
  target,
  ...more,
});

const search = (
  wanted: PruneOptions,
  inputs: LatencySearchInputs = {},
): ReturnType<typeof planForLatency> =>
  planForLatency(model, wanted, { analysis, measure: steadyClock, ...inputs }, silentContext);

describe('a share of the latency', () => {
  it.each([0.9, 0.6, 0.4])('is reached from below and closely: %d', async (share) => {
    const wanted = options({ latency: share });
    const { plan, measured, measurements } = await search(wanted);
    const result = cut(model, analysis, plan.kept);
    expect(msOf(result.graph)).toBeLessThanOrEqual(share * 10);
    expect(msOf(result.graph)).toBeGreaterThan(share * 10 * 0.97);
    expect(measured.ms).toBe(msOf(result.graph));
    expect(plan.options).toEqual(wanted);
    expect(measurements).toBeLessThan(14);
  });

  it('holds while the machine slows down and speeds up', async () => {
    let looks = 0;
    const { plan } = await search(options({ latency: 0.6 }), {
      measure: async (candidate, reference) => {
        const drift = [1, 1.7, 0.8, 2.5][looks++ % 4];
        return { ms: msOf(candidate.graph, drift), referenceMs: msOf(reference.graph, drift) };
      },
    });
    const share = msOf(cut(model, analysis, plan.kept).graph) / 10;
    expect(share).toBeLessThanOrEqual(0.6);
    expect(share).toBeGreaterThan(0.58);
  });

  it('is of the reference where one is given', async () => {
    const reference = buildZoo('resnet20-cifar-b', { seed: 1, inputShape: [32, 32, 3] });
    const { plan } = await search(options({ latency: 0.2 }), { reference });
    // 2 ms and four times 8 ms, of which a fifth.
    expect(msOf(cut(model, analysis, plan.kept).graph)).toBeLessThanOrEqual(0.2 * 34);
    expect(msOf(cut(model, analysis, plan.kept).graph)).toBeGreaterThan(0.2 * 34 * 0.97);
  });
});

describe('with other targets', () => {
  it('the smallest of them all decides', async () => {
    const byMacs = await search(options({ macs: 0.3, latency: 0.9 }));
    expect(byMacs.plan.after.macs).toBeLessThanOrEqual(0.3 * all);
    expect(byMacs.measurements).toBe(1);
    const byMs = await search(options({ macs: 0.9, latency: 0.9, latencyMs: 5 }));
    const ms = msOf(cut(model, analysis, byMs.plan.kept).graph);
    expect(ms).toBeLessThanOrEqual(5);
    expect(ms).toBeGreaterThan(4.85);
  });

  it('alignment and the table hold', async () => {
    const { plan } = await search(options({ latency: 0.6 }, { align: 8 }));
    for (const { to, from, op } of plan.layers) {
      if (op === 'conv2d' && to < from) expect(to % 8).toBe(0);
    }
    expect(msOf(cut(model, analysis, plan.kept).graph)).toBeLessThanOrEqual(6);
  });
});

describe('what cannot be reached', () => {
  it('says how far one can go, and where the rest is', async () => {
    const limited = options({ latency: 0.3 }, { maxRatio: 0.2 });
    const furthest = planLargestCut(model, limited, analysis);
    await expect(search(limited)).rejects.toMatchObject({
      code: 'PRUNE_TARGET_UNREACHABLE',
      message: expect.stringMatching(
        /can go down to \d\.\d\d ms \(.* of 10\.00\), not to 3\.00 \(30\.0 %\)/,
      ) as string,
      details: {
        figure: 'latency',
        limit: 3,
        reachable: msOf(cut(model, analysis, furthest.kept).graph),
      },
    });
  });

  it('stops when it is cancelled', async () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    const asked = planForLatency(
      model,
      options({ latency: 0.5 }),
      { analysis },
      { ...silentContext, signal: abort.signal, progress: () => abort.abort(reason) },
    );
    await expect(asked).rejects.toBe(reason);
  });
});

describe('a candidate that was only lucky', () => {
  it('is measured again and gives way to a smaller one', async () => {
    // The clock is 5 % too fast, but not when it is looked at for longer.
    const { plan, measured } = await search(options({ latency: 0.6 }), {
      measure: async (candidate, reference, effort) => ({
        ms: msOf(candidate.graph) * (effort === 1 ? 0.95 : 1),
        referenceMs: msOf(reference.graph),
      }),
    });
    expect(msOf(cut(model, analysis, plan.kept).graph)).toBeLessThanOrEqual(6);
    expect(measured.ms).toBeLessThanOrEqual(6);
  });
});

describe('on LiteRT', () => {
  it('a plan is found whose measured share is at most the one asked for', async () => {
    const real = buildZoo('resnet20-cifar-b', { seed: 1 });
    const own = analyse(real);
    const { plan, measured } = await planForLatency(
      real,
      options({ latency: 0.7 }),
      { analysis: own },
      silentContext,
    );
    expect(measured.ms).toBeLessThanOrEqual(0.7 * measured.referenceMs);
    expect(graphCost(cut(real, own, plan.kept).graph).macs).toBeLessThan(
      graphCost(real.graph).macs,
    );
  }, 60_000);
});
