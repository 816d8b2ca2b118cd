// Cuts to a latency that is measured: candidates run on LiteRT beside the model that the share is of, and the share
// of MACs is bisected until the largest cut model that is fast enough is found.

import type { EngineContext } from '../context';
import { AppError } from '../errors';
import type { Model } from '../graph/types';
import { compareLatency } from '../measure/latency';
import type { Analysis } from './groups';
import { analyse } from './groups';
import type { ChannelStatistics } from './importance';
import { planLargestCut, planPrune } from './plan';
import type { SensitivityMap } from './sensitivity/types';
import { cut } from './surgery';
import { structureOf } from './trunk';
import type { PruneOptions, PrunePlan } from './types';
import { latencyUnreachable } from './unreachable';

/** Medians of a candidate and, taken in turns with it, of the model that it is compared with. */
export interface LatencyPair {
  readonly ms: number;
  readonly referenceMs: number;
}

export interface LatencySearchInputs {
  /** The model that a share of latency is of; the one that is cut unless given. */
  readonly reference?: Model;
  readonly analysis?: Analysis;
  readonly statistics?: ChannelStatistics;
  readonly sensitivity?: SensitivityMap;
  /** LiteRT on one thread unless given. @param effort how many times as long as usual to measure */
  readonly measure?: (
    candidate: Model,
    reference: Model,
    effort: number,
    context: EngineContext,
  ) => Promise<LatencyPair>;
}

export interface LatencyPlan {
  readonly plan: PrunePlan;
  /** What the cut model took when it was measured last. */
  readonly measured: LatencyPair;
  /** How many candidates were measured. */
  readonly measurements: number;
}

/** Inferences of each model for one look at a candidate. */
const runs = 40;
const warmup = 5;
/** How much longer the final candidate is measured than those on the way. */
const confirmation = 2;
/** The search ends this near below the target, as a share of it ... */
const tolerance = 0.02;
/** ... or where candidates differ by less than this share of all MACs. */
const resolution = 0.005;

/** Whether options ask for a latency, which `planPrune` cannot see to. */
export function asksForLatency({ target }: Pick<PruneOptions, 'target'>): boolean {
  return target.latency !== undefined || target.latencyMs !== undefined;
}

interface Candidate extends LatencyPair {
  readonly plan: PrunePlan;
}

/**
 * The largest cut model, by MACs, that holds all targets of the options, latency as measured here and now. The one
 * that is chosen is measured once more and longer; where it then is too slow, the next smaller one takes its place.
 * @throws AppError as `planPrune`; PRUNE_TARGET_UNREACHABLE with the latency of the furthest cut;
 * EXPORT_UNSUPPORTED where the model has no .tflite; RUNTIME_UNAVAILABLE; or the reason of the signal
 */
export async function planForLatency(
  model: Model,
  options: PruneOptions,
  inputs: LatencySearchInputs,
  context: EngineContext,
): Promise<LatencyPlan> {
  const { reference = model, statistics, sensitivity, measure = onLiteRt } = inputs;
  const analysis = inputs.analysis ?? analyse(model, structureOf(options));
  const all = analysis.cost.macs;
  let measurements = 0;

  const look = async (plan: PrunePlan, effort = 1): Promise<Candidate> => {
    measurements++;
    const share = `${((100 * plan.after.macs) / all).toFixed(0)} % of MACs`;
    const labelled: EngineContext = {
      ...context,
      progress: (progress) =>
        context.progress({
          ...progress,
          phase: 'planning',
          label: `Candidate ${measurements}: ${share} on LiteRT`,
        }),
    };
    const candidate = cut(model, analysis, plan.kept);
    const pair = await measure(candidate, reference, effort, labelled);
    const ratio = `${((100 * pair.ms) / pair.referenceMs).toFixed(1)} %`;
    context.log('info', `${share}: ${pair.ms.toFixed(2)} ms, ${ratio} of the original.`);
    return { plan, ...pair };
  };
  const largest = await look(planPrune(model, options, analysis, statistics, sensitivity));
  if (isFast(largest, options)) {
    return { plan: largest.plan, measured: largest, measurements };
  }
  let slow = largest;
  // Fast enough, from the smallest on: each is larger than the one before.
  const fast = [await look(planLargestCut(model, options, analysis, statistics, sensitivity))];
  const gap = (): number => slow.plan.after.macs - fast.at(-1)!.plan.after.macs;
  while (isFast(fast.at(-1)!, options) && gap() > resolution * all) {
    const best = fast.at(-1)!;
    if (best.ms > (1 - tolerance) * limitOf(best, options)) break;
    const macs = (best.plan.after.macs + slow.plan.after.macs) / 2 / all;
    const target = { ...options.target, macs };
    const plan = planPrune(model, { ...options, target }, analysis, statistics, sensitivity);
    if (plan.after.macs <= best.plan.after.macs) break;
    const candidate = await look(plan);
    if (isFast(candidate, options)) fast.push(candidate);
    else slow = candidate;
  }
  for (const { plan } of fast.reverse()) {
    const confirmed = await look(plan, confirmation);
    if (isFast(confirmed, options)) {
      return { plan: { ...plan, options }, measured: confirmed, measurements };
    }
    slow = confirmed;
  }
  throw latencyUnreachable(
    { limit: limitOf(slow, options), reached: slow.ms, before: slow.referenceMs },
    slow.plan.layers,
  );
}

/** The most milliseconds that a candidate may take, by the clock that it was measured with. */
function limitOf(
  { referenceMs }: LatencyPair,
  { target: { latency = Infinity, latencyMs = Infinity } }: PruneOptions,
): number {
  return Math.min(latency * referenceMs, latencyMs);
}

function isFast(pair: LatencyPair, options: PruneOptions): boolean {
  return pair.ms <= limitOf(pair, options);
}

async function onLiteRt(
  candidate: Model,
  reference: Model,
  effort: number,
  context: EngineContext,
): Promise<LatencyPair> {
  const options = { runtime: 'litert', threads: 1, warmup, runs: runs * effort } as const;
  const [cutOne, whole] = await compareLatency([candidate, reference], options, context);
  if (!cutOne || !whole) throw new AppError('INTERNAL', 'Nothing was measured.', 'This is a bug.');
  return { ms: cutOne.medianMs, referenceMs: whole.medianMs };
}
