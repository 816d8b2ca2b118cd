// Half precision against its definition (IEEE 754): every number that it has, and which of them is nearest.

import { describe, expect, it } from 'vitest';
import { createRng } from '../../../src-main/engine/graph/rng';
import { largestHalf, toHalf } from '../../../src-main/engine/quantize/half';

/** The number that 16 bits stand for: sign, 5 bits of exponent, 10 of fraction. */
function valueOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const half = (value: number): number => toHalf(Float32Array.of(value))[0]!;

/** Bits of the finite numbers that are not negative, in rising order. */
const finite = Array.from({ length: 0x7c00 }, (_, bits) => bits);

describe('half precision', () => {
  it('keeps every number that it has', () => {
    const all = [...finite, ...finite.map((bits) => bits | 0x8000)];
    const halves = toHalf(Float32Array.from(all, valueOf));
    expect([...halves]).toEqual(all);
  });

  it('takes the even one of two equally near numbers, and the nearer one on both sides', () => {
    for (const bits of finite.slice(0, -1)) {
      const middle = (valueOf(bits) + valueOf(bits + 1)) / 2;
      const apart = (valueOf(bits + 1) - valueOf(bits)) / 1024;
      const even = bits % 2 === 0 ? bits : bits + 1;
      const found = toHalf(Float32Array.of(middle, middle - apart, middle + apart, -middle));
      if (found[0] !== even || found[1] !== bits || found[2] !== bits + 1) {
        throw new Error(`between ${bits} and the next: ${found.join(', ')}`);
      }
      expect(found[3]).toBe(even | 0x8000);
    }
  });

  it('is infinite from half a step behind the largest on', () => {
    expect(valueOf(half(largestHalf))).toBe(largestHalf);
    expect(valueOf(half(65519.99))).toBe(largestHalf);
    expect(valueOf(half(65520))).toBe(Infinity);
    expect(valueOf(half(-1e38))).toBe(-Infinity);
    expect(valueOf(half(-Infinity))).toBe(-Infinity);
    expect(valueOf(half(NaN))).toBeNaN();
  });

  it('keeps the sign of 0, and rounds what is below its smallest number', () => {
    expect(half(-0)).toBe(0x8000);
    expect(half(2 ** -25)).toBe(0);
    expect(half(1.01 * 2 ** -25)).toBe(1);
    expect(half(1e-44)).toBe(0);
  });

  it('is within 11 bits of ordinary weights', () => {
    const rng = createRng(31);
    const weights = Float32Array.from({ length: 5000 }, () => rng.normal());
    toHalf(weights).forEach((bits, i) => {
      const error = Math.abs(valueOf(bits) - weights[i]!);
      expect(error).toBeLessThanOrEqual(Math.max(Math.abs(weights[i]!) * 2 ** -11, 2 ** -25));
    });
  });
});
