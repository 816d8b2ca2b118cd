// Pixels become the model's input by the stated formula, channel by channel.
import { describe, expect, it } from 'vitest';
import { normalise } from '../../../src-main/engine/data/preprocess';
import type { Preprocessing } from '../../../src-main/engine/graph/types';
import { AppError } from '../../../src-main/engine/errors';
import { noise } from './support';

const imageNet: Preprocessing = {
  scale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
  channelOrder: 'rgb',
};

function run(pixels: Uint8Array, preprocessing: Preprocessing, channels: 1 | 3): Float32Array {
  const target = new Float32Array(pixels.length);
  normalise(pixels, target, preprocessing, channels);
  return target;
}

describe('normalise', () => {
  it('scales, then takes mean and std of each channel', () => {
    const pixels = noise(2 * 4 * 5 * 3);
    const expected = Array.from(pixels, (pixel, i) => {
      return Math.fround((pixel / 255 - imageNet.mean[i % 3]!) / imageNet.std[i % 3]!);
    });
    const result = run(pixels, imageNet, 3);
    result.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 6));
  });

  it('swaps red and blue for bgr; mean and std then start with blue', () => {
    const caffe: Preprocessing = {
      scale: 1,
      mean: [103.939, 116.779, 123.68],
      std: [1],
      channelOrder: 'bgr',
    };
    const [red, green, blue] = [200, 100, 50];
    const result = run(Uint8Array.of(red, green, blue, 1, 2, 3), caffe, 3);
    const expected = [
      50 - 103.939,
      100 - 116.779,
      200 - 123.68,
      3 - 103.939,
      2 - 116.779,
      1 - 123.68,
    ];
    result.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 4));
  });

  it('covers every pixel value of gray images', () => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    const gray: Preprocessing = { scale: 1 / 127.5, mean: [1], std: [1], channelOrder: 'gray' };
    run(all, gray, 1).forEach((value, i) => expect(value).toBeCloseTo(i / 127.5 - 1, 6));
  });

  it('leaves the rest of a larger target alone', () => {
    const target = new Float32Array(5).fill(7);
    const halves = { ...imageNet, mean: [0.5], std: [0.5] };
    normalise(Uint8Array.of(255, 0, 255), target, halves, 3);
    expect([...target]).toEqual([1, -1, 1, 7, 7]);
  });

  it('refuses what cannot be applied', () => {
    const zero = { ...imageNet, std: [1, 0, 1] };
    expect(() => run(noise(3), zero, 3)).toThrow(/channel 1 .* not finite/);
    const two = { ...imageNet, mean: [0, 0] };
    expect(() => run(noise(3), two, 3)).toThrow(AppError);
  });
});
