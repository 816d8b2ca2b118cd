// What a model sees of an image: the numbers after preprocessing, and a picture of them.
import type { Preprocessing } from '../../../src-main/engine/graph/types';

export interface ModelInput {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** RGBA for display: the model's channels in the order it gets them, its whole range from black to white. */
  readonly picture: Uint8ClampedArray;
}

function ofChannel(values: readonly number[], channel: number, otherwise: number): number {
  return (values.length === 1 ? values[0] : values[channel]) ?? otherwise;
}

/** Applies (pixel * scale - mean) / std to RGBA pixels. `channels` is 1 (red stands for grey) or 3. */
export function modelInput(
  rgba: ArrayLike<number>,
  channels: 1 | 3,
  preprocessing: Preprocessing,
): ModelInput {
  const { scale, mean, std, channelOrder } = preprocessing;
  const order = channels === 1 ? [0] : channelOrder === 'bgr' ? [2, 1, 0] : [0, 1, 2];
  const at = (pixel: number, channel: number): number =>
    (pixel * scale - ofChannel(mean, channel, 0)) / ofChannel(std, channel, 1);
  const ends = order.flatMap((_, channel) => [at(0, channel), at(255, channel)]);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];

  const picture = new Uint8ClampedArray(rgba.length);
  let [min, max, sum] = [Infinity, -Infinity, 0];
  for (let offset = 0; offset < rgba.length; offset += 4) {
    for (let channel = 0; channel < order.length; channel++) {
      const value = at(rgba[offset + (order[channel] ?? 0)] ?? 0, channel);
      min = Math.min(min, value);
      max = Math.max(max, value);
      sum += value;
      picture[offset + channel] = ((value - low) / (high - low || 1)) * 255;
    }
    if (channels === 1) {
      picture[offset + 1] = picture[offset] ?? 0;
      picture[offset + 2] = picture[offset] ?? 0;
    }
    picture[offset + 3] = 255;
  }
  const numbers = (rgba.length / 4) * order.length;
  return { min, max, mean: sum / Math.max(1, numbers), picture };
}
