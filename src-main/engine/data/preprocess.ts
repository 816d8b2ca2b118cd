// From uint8 pixels to the model's input.

import { AppError } from '../errors';
import type { Preprocessing } from '../graph/types';

/**
 * Fills `target` with x = (pixel * scale - mean) / std. Both arrays are [samples, height, width, channels] of
 * equal length. `mean` and `std` (one number, or one a channel) are in the order of the model's channels: with
 * 'bgr' the first of them belongs to blue. Each channel goes through a table of the 256 possible results.
 * @throws AppError INVALID_ARGUMENT when the preprocessing cannot be applied to that many channels
 */
export function normalise(
  pixels: Uint8Array,
  target: Float32Array,
  preprocessing: Preprocessing,
  channels: 1 | 3,
): void {
  if (channels === 1) {
    const table = pixelTable(preprocessing, 0, 1);
    for (let i = 0; i < pixels.length; i++) target[i] = table[pixels[i]!]!;
    return;
  }
  const [first, second, third] = [0, 1, 2].map((c) => pixelTable(preprocessing, c, 3));
  const swap = preprocessing.channelOrder === 'bgr' ? 2 : 0;
  for (let i = 0; i + 2 < pixels.length; i += 3) {
    target[i] = first![pixels[i + swap]!]!;
    target[i + 1] = second![pixels[i + 1]!]!;
    target[i + 2] = third![pixels[i + 2 - swap]!]!;
  }
}

function pixelTable(preprocessing: Preprocessing, channel: number, channels: number): Float32Array {
  const mean = ofChannel(preprocessing.mean, channel, channels, 'mean');
  const std = ofChannel(preprocessing.std, channel, channels, 'std');
  const table = Float32Array.from({ length: 256 }, (_, pixel) => {
    return (pixel * preprocessing.scale - mean) / std;
  });
  if (table.every(Number.isFinite)) return table;
  throw new AppError(
    'INVALID_ARGUMENT',
    `The preprocessing of channel ${channel} gives numbers that are not finite ` +
      `(scale ${preprocessing.scale}, mean ${mean}, std ${std}).`,
    'Give a finite scale and mean, and a std other than 0.',
  );
}

function ofChannel(
  values: readonly number[],
  channel: number,
  channels: number,
  name: string,
): number {
  const value = values.length === 1 ? values[0] : values[channel];
  if (value !== undefined && (values.length === 1 || values.length === channels)) return value;
  throw new AppError(
    'INVALID_ARGUMENT',
    `The preprocessing has ${values.length} numbers for ${name}, the images have ${channels} channels.`,
    `Give one number for ${name}, or ${channels}.`,
  );
}
