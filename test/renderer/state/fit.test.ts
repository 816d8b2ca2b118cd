import { describe, expect, it } from 'vitest';
import { datasetMisfit, firstFitting } from '../../../src-renderer/state/fit';

const model = { inputShape: [28, 28, 1], classes: 2 };
const data = {
  height: 28,
  width: 28,
  channels: 1,
  classes: ['cat', 'dog'],
  task: 'classes',
} as const;

describe('data sets and models', () => {
  it('fit when size, channels and classes agree', () => {
    expect(datasetMisfit(data, model)).toBeNull();
  });

  it('say what does not fit', () => {
    expect(datasetMisfit({ ...data, channels: 3 }, model)).toContain('28 × 28 × 3');
    expect(datasetMisfit({ ...data, height: 32 }, model)).toContain('32 × 28 × 1');
    expect(datasetMisfit({ ...data, classes: ['cat'] }, model)).toContain('1 class,');
  });

  it('offer the first one that fits', () => {
    const wrong = { ...data, channels: 3 as const };
    expect(firstFitting([wrong, data], model)).toBe(data);
    expect(firstFitting([wrong], model)).toBeNull();
  });
});
