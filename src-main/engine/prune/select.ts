// Chooses which channels go. All candidates stand in one list in the order in which they would go; a target
// picks how much of the list is taken, and limits turn that into whole steps of each group.
//
// Cutting more of the list never puts a channel back, so every cost falls along it and a budget is found by
// bisection: the result is within the budget, and one step less of one group would not be.

import { storedBytes } from '../graph/cost';
import type { Cost } from '../graph/types';
import type { Analysis } from './groups';
import { allIndices } from './indices';
import type { GroupLimits } from './limits';
import { cutCount, largestCut } from './limits';
import { plannedBytes, plannedCost } from './planned-cost';
import type { PruneOptions, PruneTarget } from './types';

/** The outcome of a selection. */
export interface Selection {
  /** By class: 1 where it goes. */
  readonly dropped: Uint8Array;
  readonly after: Cost;
  /** By group: how many channels were asked to go before limits were applied. */
  readonly asked: readonly number[];
}

/** A target that stays out of reach, with the selection that comes nearest. */
export interface Unreachable {
  readonly missed: Budget;
  /** The figure of the budget, for the nearest selection. */
  readonly reached: number;
  readonly nearest: Selection;
}

/** A limit on one figure of the cost. */
export interface Budget {
  readonly figure: 'macs' | 'params' | 'weightBytes';
  readonly limit: number;
  /** The figure before the cut. */
  readonly before: number;
  readonly of: (selection: Selection) => number;
}

/** The selection that goes as far as the limits allow. */
export function selectMost(
  analysis: Analysis,
  limits: readonly GroupLimits[],
  fixed: ReadonlyMap<number, number>,
): Selection {
  const asked = limits.map(({ maxCut }, group) => fixed.get(group) ?? maxCut);
  return selection(analysis, limits, asked);
}

function selection(
  analysis: Analysis,
  limits: readonly GroupLimits[],
  asked: readonly number[],
): Selection {
  const dropped = leastImportant(analysis, limits, asked);
  return { dropped, asked, after: plannedCost(analysis, dropped) };
}

/**
 * @param fixed by group: number of channels to cut by the table, in place of the target.
 */
export function select(
  analysis: Analysis,
  limits: readonly GroupLimits[],
  fixed: ReadonlyMap<number, number>,
  options: Pick<PruneOptions, 'scope' | 'target'>,
): Selection | Unreachable {
  const { groups: list, keys } = candidates(limits, fixed);
  const budgets = budgetsOf(options.target, analysis);
  const take = (length: number): Selection => {
    const asked = limits.map((_, group) => fixed.get(group) ?? 0);
    for (let i = 0; i < length; i++) asked[list[i]!]!++;
    return selection(analysis, limits, asked);
  };
  const missed = (candidate: Selection): Budget | undefined =>
    budgets.find(({ of, limit }) => of(candidate) > limit);

  const share = options.target.ratio ?? 0;
  let length = list.length;
  if (options.scope !== 'layer') {
    length = Math.min(length, largestCut(totalChannels(limits, fixed), share));
  } else {
    while (length > 0 && keys[length - 1]! > share) length--;
  }
  let best = take(length);
  if (missed(best) === undefined) return best;
  best = take(list.length);
  const stillMissed = missed(best);
  if (stillMissed !== undefined) {
    return { missed: stillMissed, reached: stillMissed.of(best), nearest: best };
  }
  // Invariant: `length` misses a budget, `enough` holds them all.
  let enough = list.length;
  while (enough - length > 1) {
    const middle = (length + enough) >> 1;
    const candidate = take(middle);
    if (missed(candidate) === undefined) {
      enough = middle;
      best = candidate;
    } else {
      length = middle;
    }
  }
  return best;
}

/** Every channel that may go: its group and its key, in the order in which they go. Ties: the earlier group. */
interface Candidates {
  readonly groups: Int32Array;
  readonly keys: Float64Array;
}

function candidates(
  limits: readonly GroupLimits[],
  fixed: ReadonlyMap<number, number>,
): Candidates {
  const groups: number[] = [];
  const keys: number[] = [];
  limits.forEach(({ order, maxCut }, group) => {
    if (fixed.has(group)) return;
    for (let rank = 0; rank < maxCut; rank++) {
      groups.push(group);
      keys.push(order.keys[rank]!);
    }
  });
  const places = allIndices(groups.length).sort((a, b) => keys[a]! - keys[b]! || a - b);
  return {
    groups: places.map((place) => groups[place]!),
    keys: Float64Array.from(places, (place) => keys[place]!),
  };
}

/** Channels of all groups that take part in a ratio: those of which at least one may be chosen. */
function totalChannels(limits: readonly GroupLimits[], fixed: ReadonlyMap<number, number>): number {
  return limits.reduce(
    (sum, { count, order }, group) =>
      sum + (order.channels.length > 0 && !fixed.has(group) ? count : 0),
    0,
  );
}

/** By class: 1 where it is among the channels that its group gives up. */
function leastImportant(
  { flow, channels }: Analysis,
  limits: readonly GroupLimits[],
  asked: readonly number[],
): Uint8Array {
  const dropped = new Uint8Array(flow.classCount);
  limits.forEach((limit, group) => {
    const { classes } = channels[group]!;
    const cut = cutCount(limit, asked[group]!);
    for (let rank = 0; rank < cut; rank++) dropped[classes[limit.order.channels[rank]!]!] = 1;
  });
  return dropped;
}

function budgetsOf(
  { macs, params, bytes, precision = 'fp32' }: PruneTarget,
  analysis: Analysis,
): Budget[] {
  const { macs: allMacs, params: allParams } = analysis.cost;
  const budgets: Budget[] = [];
  const add = (
    figure: Budget['figure'],
    limit: number,
    before: number,
    of: Budget['of'],
  ): unknown => budgets.push({ figure, limit, before, of });
  if (macs !== undefined) add('macs', macs * allMacs, allMacs, ({ after }) => after.macs);
  if (params !== undefined) {
    add('params', params * allParams, allParams, ({ after }) => after.params);
  }
  if (bytes !== undefined) {
    add('weightBytes', bytes, storedBytes(analysis.flow.graph, precision), ({ dropped }) =>
      plannedBytes(analysis, dropped, precision),
    );
  }
  return budgets;
}
