// The engine's only source of chance: a small seeded generator whose state can be saved with a checkpoint.
//
// xoshiro128** by David Blackman and Sebastiano Vigna (https://prng.di.unimi.it/xoshiro128starstar.c), seeded
// through SplitMix64 as its authors advise (https://prng.di.unimi.it/splitmix64.c).

/** Four 32-bit words; plain numbers, so that a checkpoint can hold them. */
export type RngState = readonly [number, number, number, number];

export interface Rng {
  /** A whole number from 0 to 2^32 - 1. */
  uint32(): number;
  /** A number from `min` (inclusive, 0 unless given) to `max` (exclusive, 1 unless given). */
  uniform(min?: number, max?: number): number;
  /** A whole number from 0 to `limit` - 1, each equally likely. */
  int(limit: number): number;
  /** A normally distributed number. */
  normal(mean?: number, std?: number): number;
  /** Fills an array with normally distributed numbers; returns it. Twice as fast as one by one. */
  fillNormal(values: Float32Array, mean?: number, std?: number): Float32Array;
  /** Shuffles in place, each order equally likely; returns its argument. */
  shuffle<T extends unknown[] | Int32Array | Uint32Array>(items: T): T;
  getState(): RngState;
  setState(state: RngState): void;
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** Two SplitMix64 outputs, as four words with the low half first. */
function seedState(seed: number): RngState {
  const mask = (1n << 64n) - 1n;
  let counter = BigInt.asUintN(64, BigInt(Math.trunc(seed)));
  const next = (): bigint => {
    counter = (counter + 0x9e3779b97f4a7c15n) & mask;
    let z = counter;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask;
    return z ^ (z >> 31n);
  };
  const [a, b] = [next(), next()];
  const word = (value: bigint): number => Number(value & 0xffffffffn);
  return [word(a), word(a >> 32n), word(b), word(b >> 32n)];
}

/** A generator that gives the same numbers for the same seed (a whole number) on every machine. */
export function createRng(seed: number): Rng {
  return new Xoshiro128(seedState(seed));
}

class Xoshiro128 implements Rng {
  private readonly state = new Uint32Array(4);

  constructor(state: RngState) {
    this.setState(state);
  }

  uint32(): number {
    const s = this.state;
    const result = Math.imul(rotateLeft(Math.imul(s[1]!, 5), 7), 9) >>> 0;
    const t = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= t;
    s[3] = rotateLeft(s[3]!, 11);
    return result;
  }

  uniform(min = 0, max = 1): number {
    return min + (this.uint32() / 2 ** 32) * (max - min);
  }

  int(limit: number): number {
    // Numbers below the largest multiple of the limit are spread evenly; the few above are drawn again.
    const bound = 2 ** 32 - (2 ** 32 % limit);
    let value: number;
    do value = this.uint32();
    while (value >= bound);
    return value % limit;
  }

  normal(mean = 0, std = 1): number {
    return mean + std * this.radius() * Math.cos(2 * Math.PI * this.uniform());
  }

  fillNormal(values: Float32Array, mean = 0, std = 1): Float32Array {
    for (let i = 0; i < values.length; i += 2) {
      const radius = std * this.radius();
      const angle = 2 * Math.PI * this.uniform();
      values[i] = mean + radius * Math.cos(angle);
      // Past the end of an array of odd length this writes nowhere.
      values[i + 1] = mean + radius * Math.sin(angle);
    }
    return values;
  }

  /** Distance from the origin of a normally distributed point of the plane (Box and Muller 1958). */
  private radius(): number {
    return Math.sqrt(-2 * Math.log((this.uint32() + 1) / 2 ** 32));
  }

  /** Fisher and Yates, from the end (Knuth, The Art of Computer Programming, volume 2, 3.4.2 P). */
  shuffle<T extends unknown[] | Int32Array | Uint32Array>(items: T): T {
    const list = items as unknown[];
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      [list[i], list[j]] = [list[j], list[i]];
    }
    return items;
  }

  getState(): RngState {
    return Array.from(this.state) as unknown as RngState;
  }

  setState(state: RngState): void {
    this.state.set(state);
  }
}
