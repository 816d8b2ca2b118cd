import { describe, expect, it } from 'vitest';
import { stageExtent } from '../../../src-renderer/charts/stage-extent';

describe('the extent of the stages of a cut', () => {
  it('leaves a raw cut far below the others at the edge', () => {
    expect(stageExtent([0.1, 0.88, 0.9], 0.93, 'accuracy')).toEqual([
      expect.closeTo(0.71, 6),
      expect.closeTo(0.95, 6),
    ]);
    expect(stageExtent([0.85, 0.88, 0.9], 0.93, 'accuracy')[0]).toBeCloseTo(0.83, 6);
  });

  it('shows all where most are far from the best', () => {
    expect(stageExtent([0.1, 0.2], 0.99, 'accuracy')).toEqual([expect.closeTo(0.08, 6), 1]);
    expect(stageExtent([0.01], null, 'accuracy')[0]).toBe(0);
  });

  it('takes the least of errors for the best', () => {
    const [from, to] = stageExtent([40, 0.6, 0.5], 0.4, 'error');
    expect(from).toBeCloseTo(0.32, 6);
    expect(to).toBeCloseTo(1.28, 6);
    expect(stageExtent([40, 30], 0.4, 'error')[1]).toBeCloseTo(40 + 3.96, 6);
  });

  it('has some width also where all errors are the same', () => {
    const [from, to] = stageExtent([0.5, 0.5], null, 'error');
    expect(to - from).toBeCloseTo(0.1, 6);
    expect(stageExtent([0, 0], null, 'error')).toEqual([0, 1]);
  });
});
