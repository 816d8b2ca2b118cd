// How far a group may be cut: which channels may go, in which order, down to which count, in which steps.

import type { FreezeCode } from '../graph/ops/types';
import type { Analysis, GroupChannels } from './groups';
import type { GroupScores } from './importance';
import { indicesWhere } from './indices';
import type { LayerReasonCode, PruneOptions } from './types';

/** The limits of one group under the given options. */
export interface GroupLimits {
  readonly count: number;
  /** Channels that may go, least important first; of equal scores the lower index first. */
  readonly order: Int32Array;
  /** Kept channels are a multiple of this, or all of them. */
  readonly step: number;
  /** Largest number of channels that can go with all limits kept. */
  readonly maxCut: number;
  /** Why `maxCut` is 0. */
  readonly blocked: LayerReasonCode | null;
}

type LimitOptions = Pick<PruneOptions, 'align' | 'minChannels' | 'maxRatio'>;

/**
 * Limits of every group. Counts are in channels of the group; `align` and `minChannels` speak of the width of
 * its layers, so that a group whose channels take 32 positions each is aligned to 8 whatever is cut.
 * @param protectedBy has the classes that the user wants to stay.
 */
export function groupLimits(
  analysis: Analysis,
  scores: GroupScores,
  protectedBy: ReadonlyMap<number, unknown>,
  options: LimitOptions,
): readonly GroupLimits[] {
  return analysis.channels.map((group) => {
    const free = indicesWhere(group.count, (channel) => group.mayGo[channel] === 1);
    const open = free.filter((channel) => !protectedBy.has(group.classes[channel]!));
    const ranked = rank(
      open.filter((channel) => !Number.isNaN(scores[group.id]![channel]!)),
      scores[group.id]!,
    );
    const order = withoutLastOfSets(ranked, group);
    const step = stepOf(group, options.align);
    const minKept = Math.ceil(options.minChannels / Math.min(...group.slots));
    const room = Math.max(group.count - minKept, 0);
    const allowed = largestCut(group.count, options.maxRatio);
    const maxCut = roundCut(group.count, Math.min(order.length, room, allowed), step);
    let blocked: LayerReasonCode | null = null;
    if (maxCut === 0) {
      if (free.length === 0) blocked = freezeCode(analysis, group);
      else if (open.length === 0) blocked = 'PROTECTED';
      else if (ranked.length === 0) blocked = 'NO_SCORE';
      else if (group.count === 1)
        blocked = group.slots.some((n) => n > 1) ? 'GROUPED' : 'ONE_CHANNEL';
      else if (order.length === 0) blocked = 'ONE_CHANNEL';
      else if (room === 0) blocked = 'MIN_CHANNELS';
      else if (allowed === 0) blocked = 'MAX_RATIO';
      else blocked = 'ALIGNMENT';
    }
    return { count: group.count, order, step, maxCut, blocked };
  });
}

/** Largest number of channels to cut when `asked` of them should go: never more, in whole steps. */
export function cutCount({ count, step, maxCut }: GroupLimits, asked: number): number {
  return roundCut(count, Math.min(asked, maxCut), step);
}

/**
 * Largest count of `total` whose share does not exceed `ratio`. Shares are compared as quotients: 29 of 100 is
 * the number 0.29, while 0.29 * 100 is less than 29.
 */
export function largestCut(total: number, ratio: number): number {
  let count = Math.min(Math.floor(total * ratio) + 1, total);
  while (count > 0 && count / total > ratio) count--;
  return count;
}

function roundCut(count: number, cut: number, step: number): number {
  const kept = Math.ceil((count - cut) / step) * step;
  return Math.max(count - kept, 0);
}

function rank(channels: Int32Array, scores: Float64Array): Int32Array {
  return channels.sort((a, b) => scores[a]! - scores[b]! || a - b);
}

/** Leaves out the most important channel of each set of which one must stay. */
function withoutLastOfSets(ranked: Int32Array, { keepOneOf }: GroupChannels): Int32Array {
  if (keepOneOf.length === 0) return ranked;
  const held = new Set<number>();
  const place = new Map(Array.from(ranked, (channel, i) => [channel, i] as const));
  for (const set of keepOneOf) {
    if (set.some((channel) => held.has(channel) || !place.has(channel))) continue;
    held.add(
      set.reduce((best, channel) => (place.get(channel)! > place.get(best)! ? channel : best)),
    );
  }
  return ranked.filter((channel) => !held.has(channel));
}

/** Channels of a step such that each layer's width is a multiple of `align`. */
function stepOf({ slots }: GroupChannels, align: number): number {
  const steps = slots.map((positions) => align / gcd(align, positions));
  return steps.reduce((a, b) => (a * b) / gcd(a, b));
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

function freezeCode({ flow }: Analysis, group: GroupChannels): FreezeCode {
  return flow.frozen[group.classes[0]!]!.code;
}
