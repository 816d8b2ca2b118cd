// Augmentation of uint8 images: horizontal flip and pad-crop, one pass of row copies per image.

import type { Rng } from '../graph/rng';
import type { ImageShape } from './types';

/** Where the crop window stands relative to the image: positive moves the window down or right. */
export interface Placement {
  readonly flip: boolean;
  readonly dy: number;
  readonly dx: number;
}

/**
 * Draws the placement of one image: flipped with probability 1/2, shifted by -pad..pad pixels on each axis
 * (the random crop out of a zero-padded image of He et al. 2016). Draws nothing for what is switched off.
 */
export function drawPlacement(rng: Rng, flip: boolean, pad: number): Placement {
  return {
    flip: flip && rng.uniform() < 0.5,
    dy: pad > 0 ? rng.int(2 * pad + 1) - pad : 0,
    dx: pad > 0 ? rng.int(2 * pad + 1) - pad : 0,
  };
}

/**
 * Copies the image at `source[sourceOffset..]` (HWC) to `target[targetOffset..]`, first flipped, then seen
 * through the shifted window; what lies outside the image is 0. Source and target must not overlap.
 */
export function placeImage(
  source: Uint8Array,
  sourceOffset: number,
  target: Uint8Array,
  targetOffset: number,
  shape: ImageShape,
  placement: Placement,
): void {
  const { height, width, channels } = shape;
  const rowBytes = width * channels;
  const { flip, dy, dx } = placement;
  // The window's columns [left, right) lie on the image; the others are padding.
  const left = Math.min(width, Math.max(0, -dx));
  const right = Math.max(left, Math.min(width, width - dx));
  for (let y = 0; y < height; y++) {
    const to = targetOffset + y * rowBytes;
    const fromY = y + dy;
    if (fromY < 0 || fromY >= height) {
      target.fill(0, to, to + rowBytes);
      continue;
    }
    const from = sourceOffset + fromY * rowBytes;
    if (left > 0) target.fill(0, to, to + left * channels);
    if (right < width) target.fill(0, to + right * channels, to + rowBytes);
    if (flip) {
      copyReversed(source, from, target, to, width, channels, left, right, dx);
    } else {
      const first = from + (left + dx) * channels;
      target.set(source.subarray(first, first + (right - left) * channels), to + left * channels);
    }
  }
}

/** One row of the flipped image: window column x shows the source column width - 1 - (x + dx). */
function copyReversed(
  source: Uint8Array,
  from: number,
  target: Uint8Array,
  to: number,
  width: number,
  channels: number,
  left: number,
  right: number,
  dx: number,
): void {
  let write = to + left * channels;
  let read = from + (width - 1 - left - dx) * channels;
  for (let x = left; x < right; x++) {
    for (let c = 0; c < channels; c++) target[write + c] = source[read + c]!;
    write += channels;
    read -= channels;
  }
}
