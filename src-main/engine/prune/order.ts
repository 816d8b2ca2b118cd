// The order in which the channels of one group go, and where along it one may stop.

import { indicesWhere } from './indices';
import type { Scope } from './types';

/** Channels of one tensor, of which some must stay. */
export interface Floor {
  readonly channels: Int32Array;
  /** How many stay at least. */
  readonly least: number;
  /**
   * Where the tensor is a layer's output: kept channels are a multiple of this, and in scope 'layer' it loses no
   * larger share than other layers. Null for any other tensor.
   */
  readonly step: number | null;
}

/** Channels in the order in which they go, each with its place in the list of all groups' channels. */
export interface Order {
  readonly channels: Int32Array;
  /** Ascending: in scope 'layer', shares that are gone with the channel; else scores. */
  readonly keys: Float64Array;
  /** Numbers of channels, ascending, after which every layer has a multiple of its step or all its channels. */
  readonly stops: Int32Array;
}

/** What the order has to respect. */
export interface OrderLimits {
  /** Number of channels of the group, and the step of layers that have all of them. */
  readonly size: number;
  readonly step: number;
  /** Of tensors that have only a part of the group. */
  readonly floors: readonly Floor[];
  readonly scope: Scope;
}

/**
 * Orders the channels of a group such that any beginning of the order can be cut: no floor is broken.
 * @param ranked channels that may go, least important first.
 */
export function orderChannels(
  ranked: Int32Array,
  scores: Float64Array,
  limits: OrderLimits,
): Order {
  const { size, step, floors, scope } = limits;
  if (floors.some((floor) => floor.step !== null)) return orderUnits(ranked, scores, limits);
  // All layers have all channels: any number of the least important can go.
  const channels = floors.length === 0 ? ranked : aboveFloors(ranked, floors);
  return {
    channels,
    keys: Float64Array.from(channels, (channel, rank) =>
      scope !== 'layer' ? scores[channel]! : (rank + 1) / size,
    ),
    stops: indicesWhere(channels.length + 1, (cut) => cut > 0 && (size - cut) % step === 0),
  };
}

/** Leaves out each channel that would break a floor after those before it have gone. */
function aboveFloors(ranked: Int32Array, floors: readonly Floor[]): Int32Array {
  const tally = new Tally(floors);
  return ranked.filter((channel) => tally.take(Int32Array.of(channel)));
}

/** Counts what has gone of each floor. */
class Tally {
  readonly gone: Int32Array;
  private readonly floorsOf = new Map<number, number[]>();

  constructor(private readonly floors: readonly Floor[]) {
    this.gone = new Int32Array(floors.length);
    floors.forEach(({ channels }, floor) => {
      for (const channel of channels) {
        const list = this.floorsOf.get(channel);
        if (list === undefined) this.floorsOf.set(channel, [floor]);
        else list.push(floor);
      }
    });
  }

  /** Floors that have the channel. */
  of(channel: number): readonly number[] {
    return this.floorsOf.get(channel) ?? [];
  }

  /** Takes channels of the same floors; false, and nothing taken, when that would break one. */
  take(channels: Int32Array): boolean {
    if (!this.allows(channels)) return false;
    for (const floor of this.of(channels[0]!)) this.gone[floor]! += channels.length;
    return true;
  }

  allows(channels: Int32Array): boolean {
    return this.of(channels[0]!).every((floor) => {
      const { channels: all, least } = this.floors[floor]!;
      return all.length - this.gone[floor]! - channels.length >= least;
    });
  }

  /** The largest share that a layer has lost when these have gone too. */
  shareWith(channels: Int32Array): number {
    let share = 0;
    for (const floor of this.of(channels[0]!)) {
      const { channels: all, step } = this.floors[floor]!;
      if (step === null) continue;
      share = Math.max(share, (this.gone[floor]! + channels.length) / all.length);
    }
    return share;
  }

  isAligned(): boolean {
    return this.floors.every(({ channels, step }, floor) => {
      const gone = this.gone[floor]!;
      return step === null || gone === 0 || (channels.length - gone) % step === 0;
    });
  }
}

/** Channels that go at once. */
interface Unit {
  readonly channels: Int32Array;
  /** Rank of the most important of them. */
  readonly rank: number;
}

/**
 * The order for groups with layers that have only a part of the channels: the narrow stages of a trunk padded with
 * zeros, the branches of a concatenation that is added to something. Channels go in units that keep every layer at
 * its multiple. In scope 'layer', the unit goes next after which the largest share lost by any layer is smallest;
 * else the one whose most important channel is the least important.
 */
function orderUnits(ranked: Int32Array, scores: Float64Array, limits: OrderLimits): Order {
  const { size, step, floors, scope } = limits;
  const tally = new Tally(floors);
  let queues = unitQueues(ranked, limits, tally);
  const channels: number[] = [];
  const keys: number[] = [];
  const stops: number[] = [];
  let reached = -Infinity;
  for (;;) {
    // What breaks a floor now will break it later, and so will what stands behind it.
    queues = queues.filter(([unit]) => unit !== undefined && tally.allows(unit.channels));
    if (queues.length === 0) break;
    const shares = queues.map(([unit]) =>
      scope !== 'layer'
        ? 0
        : Math.max(
            (channels.length + unit!.channels.length) / size,
            tally.shareWith(unit!.channels),
          ),
    );
    const next = queues.reduce((best, [unit], i) => {
      const difference = shares[i]! - shares[best]!;
      return difference < 0 || (difference === 0 && unit!.rank < queues[best]![0]!.rank) ? i : best;
    }, 0);
    const unit = queues[next]!.shift()!;
    tally.take(unit.channels);
    for (const channel of unit.channels) {
      reached = Math.max(reached, scope !== 'layer' ? scores[channel]! : shares[next]!);
      channels.push(channel);
      keys.push(reached);
    }
    if ((size - channels.length) % step === 0 && tally.isAligned()) stops.push(channels.length);
  }
  return {
    channels: Int32Array.from(channels),
    keys: Float64Array.from(keys),
    stops: Int32Array.from(stops),
  };
}

/** Channels that are in the same layers, with the step that all of these layers keep. */
interface Kind {
  readonly step: number;
  readonly units: Unit[];
  /** How many would stay after the units so far. */
  kept: number;
  /** The unit being filled. */
  open: number[];
}

/**
 * Channels that are in the same layers, in units that take their number from one multiple of the common step to
 * the next; least important unit first.
 */
function unitQueues(
  ranked: Int32Array,
  { size, step, floors }: OrderLimits,
  tally: Tally,
): Unit[][] {
  const kinds = new Map<string, Kind>();
  const kindOf = (channel: number): Kind => {
    const own = tally.of(channel);
    let kind = kinds.get(own.join());
    if (kind === undefined) {
      const common = own.reduce((multiple, floor) => lcm(multiple, floors[floor]!.step ?? 1), step);
      kinds.set(own.join(), (kind = { step: common, units: [], kept: 0, open: [] }));
    }
    return kind;
  };
  for (let channel = 0; channel < size; channel++) kindOf(channel).kept++;
  ranked.forEach((channel, rank) => {
    const kind = kindOf(channel);
    const multipleBelow = (Math.ceil(kind.kept / kind.step) - 1) * kind.step;
    kind.open.push(channel);
    if (kind.open.length < kind.kept - multipleBelow) return;
    kind.units.push({ channels: Int32Array.from(kind.open), rank });
    kind.kept = multipleBelow;
    kind.open = [];
  });
  return [...kinds.values()].map(({ units }) => units);
}

/** Greatest common divisor. */
export function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** Least common multiple. */
export function lcm(a: number, b: number): number {
  return (a / gcd(a, b)) * b;
}
