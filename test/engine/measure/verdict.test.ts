import { describe, expect, it } from 'vitest';
import { createRng } from '../../../src-main/engine/graph/rng';
import {
  judge,
  spread,
  type ControlRuns,
  type Runs,
} from '../../../src-main/engine/measure/verdict';

const tuned = (...top1: number[]): Runs => ({ top1, samples: 2000, epochs: 3 });
const control = (budget: 'e' | 'b', epochs: number, ...top1: number[]): ControlRuns => ({
  ...tuned(...top1),
  budget,
  epochs,
});

describe('the verdict on fine-tuning against training from scratch', () => {
  it('says what a clear lead is worth', () => {
    const { outcome, comparisons, text } = judge(tuned(0.925), [control('b', 80, 0.9)]);
    expect(outcome).toBe('better');
    // Standard errors on 2,000 images, computed by hand: 0.00591 and 0.00673.
    expect(comparisons[0]!.noise).toBeCloseTo(1.96 * Math.hypot(0.00591, 0.00673), 4);
    expect(text).toBe(
      'The inherited weights are worth 2.5 points: fine-tuned 92.5 %, from scratch 90.0 % ' +
        '(Scratch-B, 80 epochs), more than the 1.8 that chance explains on 2,000 images.',
    );
  });

  it('says so when scratch is better, with the spread over seeds', () => {
    const { outcome, text } = judge(tuned(0.88), [control('b', 40, 0.91, 0.92, 0.915)]);
    expect(outcome).toBe('worse');
    expect(text).toContain('From scratch is better by 3.5 points: fine-tuned 88.0 %, ');
    expect(text).toContain('from scratch 91.5 ± 0.5 % (Scratch-B, 40 epochs, 3 seeds)');
    expect(text).toContain('hold this network back.');
  });

  it('calls it even within chance, and judges by Scratch-B where both were run', () => {
    const both = [control('e', 1, 0.85), control('b', 2, 0.921)];
    for (const controls of [both, [...both].reverse()]) {
      const { outcome, comparisons, text } = judge(tuned(0.925), controls);
      expect(outcome).toBe('even');
      expect(comparisons.map(({ budget, outcome: of }) => [budget, of])).toEqual([
        ['e', 'better'],
        ['b', 'even'],
      ]);
      expect(text).toMatch(/^Even: fine-tuned 92\.5 %, from scratch 92\.1 %.* 0\.4 points apart/);
      expect(text).toMatch(/Beside it 85\.0 % \(Scratch-E, 1 epoch\)\.$/);
    }
    expect(judge(tuned(0.925), both.slice(0, 1)).outcome).toBe('better');
  });

  it('takes a wide spread over seeds for chance, too', () => {
    const narrow = judge(tuned(0.93), [control('b', 9, 0.9, 0.901)]);
    const wide = judge(tuned(0.93), [control('b', 9, 0.85, 0.951)]);
    expect(narrow.comparisons[0]!.difference).toBeCloseTo(wide.comparisons[0]!.difference, 10);
    expect([narrow.outcome, wide.outcome]).toEqual(['better', 'even']);
  });

  it('is not certain of 100 % on few images', () => {
    const few = (top1: number): Runs => ({ top1: [top1], samples: 24, epochs: 1 });
    const { outcome } = judge(few(1), [{ ...few(23 / 24), budget: 'e' }]);
    expect(outcome).toBe('even');
  });

  it('finds a difference between equal networks in about one of twenty cases', () => {
    const rng = createRng(3);
    const images = 400;
    const measured = (): Runs => {
      let right = 0;
      for (let i = 0; i < images; i++) right += rng.uniform() < 0.9 ? 1 : 0;
      return { top1: [right / images], samples: images, epochs: 1 };
    };
    let wrong = 0;
    for (let trial = 0; trial < 2000; trial++) {
      const { outcome } = judge(measured(), [{ ...measured(), budget: 'b' }]);
      if (outcome !== 'even') wrong++;
    }
    expect(wrong / 2000).toBeGreaterThan(0.03);
    expect(wrong / 2000).toBeLessThan(0.065);
  });
});

describe('the spread', () => {
  it('is the sample standard deviation, unknown for one run', () => {
    expect(spread([0.9])).toBeNull();
    expect(spread([2, 4, 4, 4, 5, 5, 7, 9])).toBeCloseTo(Math.sqrt(32 / 7), 12);
  });
});
