import { describe, expect, it } from 'vitest';
import { modelInput } from '../../../src-renderer/wizards/import/model-input';

describe('what a model sees', () => {
  it('is the pixel after scale, mean and deviation', () => {
    const grey = [0, 0, 0, 255, 255, 255, 255, 255];
    const input = modelInput(grey, 1, {
      scale: 1 / 255,
      mean: [0.5],
      std: [0.25],
      channelOrder: 'gray',
    });
    expect([input.min, input.max, input.mean]).toEqual([-2, 2, 0]);
    expect([...input.picture]).toEqual([0, 0, 0, 255, 255, 255, 255, 255]);
  });

  it('has its channels in the order the model gets them', () => {
    const red = [255, 0, 0, 255];
    const raw = { scale: 1, mean: [0], std: [1] };
    expect([...modelInput(red, 3, { ...raw, channelOrder: 'rgb' }).picture]).toEqual([
      255, 0, 0, 255,
    ]);
    expect([...modelInput(red, 3, { ...raw, channelOrder: 'bgr' }).picture]).toEqual([
      0, 0, 255, 255,
    ]);
  });

  it('takes mean and deviation of each channel as the model orders them', () => {
    const input = modelInput([10, 20, 30, 255], 3, {
      scale: 1,
      mean: [30, 20, 10],
      std: [1, 1, 1],
      channelOrder: 'bgr',
    });
    expect([input.min, input.max]).toEqual([0, 0]);
  });
});
