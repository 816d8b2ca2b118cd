// The order in which the channels of one group go.

import type { Scope } from './types';

/** Channels of which some must stay. */
export interface Floor {
  readonly channels: Int32Array;
  /** How many at least. */
  readonly least: number;
  /** Whether this is a layer, which loses no larger share than others in scope 'layer'. */
  readonly isLayer: boolean;
}

/** Channels in the order in which they go, each with its place in the list of all groups' channels. */
export interface Order {
  readonly channels: Int32Array;
  /** Ascending: scores in scope 'global', shares of the group that has gone in scope 'layer'. */
  readonly keys: Float64Array;
}

/**
 * Orders the channels of a group such that any beginning of the order can be cut: no floor is broken. In scope
 * 'layer' a key is the largest share that a layer has lost when its channel has gone, so that all channels up to
 * a ratio are what the ratio allows.
 * @param ranked channels that may go, least important first.
 * @param size of the group.
 */
export function orderChannels(
  ranked: Int32Array,
  scores: Float64Array,
  size: number,
  floors: readonly Floor[],
  scope: Scope,
): Order {
  if (scope === 'layer') return orderByShare(ranked, size, floors);
  const channels = floors.length === 0 ? ranked : aboveFloors(ranked, floors);
  return { channels, keys: Float64Array.from(channels, (channel) => scores[channel]!) };
}

/** Leaves out each channel that would break a floor after those before it have gone. */
function aboveFloors(ranked: Int32Array, floors: readonly Floor[]): Int32Array {
  const { floorsOf, room } = counters(floors);
  return ranked.filter((channel) => {
    const own = floorsOf(channel);
    if (own.some((floor) => room[floor] === 0)) return false;
    for (const floor of own) room[floor]!--;
    return true;
  });
}

/**
 * Takes, again and again, the channel after which the largest share lost by the group or one of its layers is
 * smallest; the less important one where that leaves a choice.
 */
function orderByShare(ranked: Int32Array, size: number, floors: readonly Floor[]): Order {
  if (floors.length === 0) {
    return { channels: ranked, keys: Float64Array.from(ranked, (_, rank) => (rank + 1) / size) };
  }
  const { floorsOf, room } = counters(floors);
  const gone = new Int32Array(floors.length);
  const waiting = new Set(ranked);
  const channels: number[] = [];
  const keys: number[] = [];
  let reached = 0;
  for (;;) {
    let best: { readonly channel: number; readonly share: number } | null = null;
    for (const channel of waiting) {
      const own = floorsOf(channel);
      if (own.some((floor) => room[floor] === 0)) {
        waiting.delete(channel);
        continue;
      }
      let share = (channels.length + 1) / size;
      for (const floor of own) {
        const { isLayer, channels: all } = floors[floor]!;
        if (isLayer) share = Math.max(share, (gone[floor]! + 1) / all.length);
      }
      if (best === null || share < best.share) best = { channel, share };
    }
    if (best === null) break;
    waiting.delete(best.channel);
    for (const floor of floorsOf(best.channel)) {
      room[floor]!--;
      gone[floor]!++;
    }
    reached = Math.max(reached, best.share);
    channels.push(best.channel);
    keys.push(reached);
  }
  return { channels: Int32Array.from(channels), keys: Float64Array.from(keys) };
}

/** Which floors a channel counts for, and how many channels each floor can lose. */
function counters(floors: readonly Floor[]): {
  readonly floorsOf: (channel: number) => readonly number[];
  readonly room: Int32Array;
} {
  const byChannel = new Map<number, number[]>();
  floors.forEach(({ channels }, floor) => {
    for (const channel of channels) {
      const list = byChannel.get(channel);
      if (list === undefined) byChannel.set(channel, [floor]);
      else list.push(floor);
    }
  });
  return {
    floorsOf: (channel) => byChannel.get(channel) ?? [],
    room: Int32Array.from(floors, ({ channels, least }) => Math.max(channels.length - least, 0)),
  };
}
