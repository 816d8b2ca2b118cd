// Signal to noise in decibels, against cases that can be worked out by hand.

import { describe, expect, it } from 'vitest';
import { SignalToNoise } from '../../../src-main/engine/quantize/signal';

function decibels(...pairs: readonly (readonly [readonly number[], readonly number[]])[]): number {
  const signal = new SignalToNoise();
  for (const [exact, approximate] of pairs) signal.add(exact, approximate);
  return signal.decibels();
}

describe('signal to noise', () => {
  it('is 20 dB where the error is a tenth', () => {
    expect(
      decibels([
        [10, -10],
        [9, -11],
      ]),
    ).toBeCloseTo(20, 10);
  });

  it('adds up squares over tensors before it divides', () => {
    // 100 + 300 of signal, 1 + 3 of noise.
    const first = [[10], [11]] as const;
    const second = [
      [10, 10, 10],
      [11, 9, 11],
    ] as const;
    expect(decibels(first, second)).toBeCloseTo(20, 10);
    expect(decibels(first, [[0], [1]])).toBeCloseTo(10 * Math.log10(50), 10);
  });

  it('is infinite without noise and without signal', () => {
    expect(
      decibels([
        [1, 2],
        [1, 2],
      ]),
    ).toBe(Infinity);
    expect(decibels([[0], [1]])).toBe(-Infinity);
  });
});
