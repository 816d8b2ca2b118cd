import { describe, expect, it } from 'vitest';
import { datasetMisfit, likelyDataset } from '../../../src-renderer/state/fit';

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

  it('offer the one of the newest evaluation where it fits, else the first that does', () => {
    const right = { ...data, id: 'right' };
    const wrong = { ...data, id: 'wrong', channels: 3 as const };
    const other = { ...data, id: 'other' };
    expect(likelyDataset([wrong, right, other], model)).toBe(right);
    expect(likelyDataset([wrong], model)).toBeNull();
    const evaluated = (on: string) => ({ ...model, accuracy: { data: on } });
    expect(likelyDataset([wrong, right, other], evaluated('other'))).toBe(other);
    expect(likelyDataset([wrong, right, other], evaluated('wrong'))).toBe(right);
  });
});
