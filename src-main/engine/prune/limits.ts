// How far a group may be cut: which channels may go, in which order, down to which count, in which steps.

import type { FreezeCode } from '../graph/ops/types';
import type { Analysis, GroupChannels } from './groups';
import type { GroupScores } from './importance';
import { indicesWhere } from './indices';
import type { Floor, Order } from './order';
import { gcd, lcm, orderChannels } from './order';
import type { LayerReasonCode, PruneOptions } from './types';

/** The limits of one group under the given options. */
export interface GroupLimits {
  readonly count: number;
  /** Channels that may go, in the order in which they go. */
  readonly order: Order;
  /** Largest number of channels that can go with all limits kept. */
  readonly maxCut: number;
  /** Why `maxCut` is 0. */
  readonly blocked: LayerReasonCode | null;
}

type LimitOptions = Pick<PruneOptions, 'align' | 'minChannels' | 'maxRatio' | 'scope'>;

/**
 * Limits of every group. Counts are in channels of the group; `align` and `minChannels` speak of the width of
 * its layers, so that a group whose channels take 32 positions each is aligned to 8 whatever is cut. They hold for
 * layers that have only a part of a group as well.
 * @param protectedBy has the classes that the user wants to stay.
 * @param ceilings by group: what single layers have to keep, see `ceilingFloors`.
 */
export function groupLimits(
  analysis: Analysis,
  scores: GroupScores,
  protectedBy: ReadonlyMap<number, unknown>,
  options: LimitOptions,
  ceilings: ReadonlyMap<number, readonly Floor[]> = new Map(),
): readonly GroupLimits[] {
  return analysis.channels.map((group) => {
    const { id, count, classes, mayGo, slots } = group;
    const groupScores = scores[id]!;
    const free = indicesWhere(count, (channel) => mayGo[channel] === 1);
    const open = free.filter((channel) => !protectedBy.has(classes[channel]!));
    const scored = open.filter((channel) => !Number.isNaN(groupScores[channel]!));
    // Of equal scores, the lower index goes first.
    const ranked = scored.sort((a, b) => groupScores[a]! - groupScores[b]! || a - b);
    const ordered = orderChannels(ranked, groupScores, {
      size: count,
      step: stepOf(slots, options.align),
      floors: [...floorsOf(group, options), ...(ceilings.get(id) ?? [])],
      scope: options.scope,
    });
    const order = alignUneven(ordered, group, options.align);
    const room = count - leastKept(count, Math.min(...slots), options);
    const possible = Math.min(order.channels.length, room);
    const maxCut = lastStop(order, possible);
    let blocked: LayerReasonCode | null = null;
    if (maxCut === 0) {
      if (free.length === 0) blocked = flowCode(analysis, classes);
      else if (open.length === 0) blocked = 'PROTECTED';
      else if (ranked.length === 0) blocked = 'NO_SCORE';
      else if (count === 1) blocked = slots.some((n) => n > 1) ? 'GROUPED' : 'ONE_CHANNEL';
      else if (possible > 0) blocked = 'ALIGNMENT';
      else if (ceilings.get(id)?.some(({ channels, least }) => channels.length === least)) {
        blocked = 'CEILING';
      } else if (largestCut(count, options.maxRatio) === 0) blocked = 'MAX_RATIO';
      else blocked = 'MIN_CHANNELS';
    }
    return { count, order, maxCut, blocked };
  });
}

/** How many channels stay of a layer with `count` of them, each `slots` positions wide. */
function leastKept(count: number, slots: number, options: LimitOptions): number {
  const least = Math.max(
    1,
    Math.ceil(options.minChannels / slots),
    count - largestCut(count, options.maxRatio),
  );
  return Math.min(least, count);
}

function floorsOf({ parts }: GroupChannels, options: LimitOptions): Floor[] {
  return parts.map(({ channels, slots }) => ({
    channels,
    least: slots === null ? 1 : leastKept(channels.length, slots, options),
    step: slots === null ? null : stepOf([slots], options.align),
  }));
}

/** The order without stops at which an uneven output would lose some positions and not be aligned. */
function alignUneven(order: Order, { uneven }: GroupChannels, align: number): Order {
  if (uneven.length === 0 || align === 1) return order;
  const widths = uneven.map((channels) => {
    const positions = new Map<number, number>();
    for (const channel of channels) positions.set(channel, (positions.get(channel) ?? 0) + 1);
    return order.channels.reduce(
      (after, channel) => [...after, after.at(-1)! - (positions.get(channel) ?? 0)],
      [channels.length],
    );
  });
  const isAligned = (stop: number): boolean =>
    widths.every((after) => after[stop] === after[0] || after[stop]! % align === 0);
  return { ...order, stops: order.stops.filter(isAligned) };
}

/** Largest number of channels to cut when `asked` of them should go: never more, in whole steps. */
export function cutCount({ order, maxCut }: GroupLimits, asked: number): number {
  return lastStop(order, Math.min(asked, maxCut));
}

function lastStop({ stops }: Order, limit: number): number {
  let count = stops.length;
  while (count > 0 && stops[count - 1]! > limit) count--;
  return count === 0 ? 0 : stops[count - 1]!;
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

/** Channels of a step such that each layer's width is a multiple of `align`. */
function stepOf(slots: readonly number[], align: number): number {
  return slots.map((positions) => align / gcd(align, positions)).reduce(lcm);
}

function flowCode({ flow }: Analysis, [first]: Int32Array): FreezeCode {
  return flow.frozen[first!]!.code;
}
