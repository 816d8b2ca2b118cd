// Images of a split as arrays, for looking at and for verification.

import sharp from 'sharp';

import { normalise } from '../../engine/data/preprocess';
import type { ImageShape, ImageSplit } from '../../engine/data/types';
import type { Preprocessing } from '../../engine/graph/types';

export interface Pictures {
  readonly count: number;
  /** uint8, [count, height, width, channels]. */
  readonly pixels: Uint8Array;
  /** Class of each image. */
  readonly labels: Int32Array;
  /** Of each image, row after row, where it has not one class. */
  readonly targets?: Float32Array;
}

/** At most `wanted` images of a split, evenly spaced: the classes may stand one after the other. */
export function pickPictures(split: ImageSplit, wanted: number): Pictures {
  const count = Math.min(wanted, split.count);
  const indices = Int32Array.from({ length: count }, (_, i) =>
    Math.floor((i * split.count) / count),
  );
  const pixels = new Uint8Array(count * split.height * split.width * split.channels);
  split.read(indices, pixels);
  const labels = indices.map((index) => split.labels[index] ?? 0);
  if (split.targets === undefined) return { count, pixels, labels };
  const { width, rows } = split.targets;
  const targets = new Float32Array(count * width);
  indices.forEach((index, i) => {
    targets.set(rows.subarray(index * width, (index + 1) * width), i * width);
  });
  return { count, pixels, labels, targets };
}

/** Pixels as a model wants them, float32 of the same layout. */
export function modelInputs(
  pixels: Uint8Array,
  split: ImageSplit,
  preprocessing: Preprocessing,
): Float32Array {
  const inputs = new Float32Array(pixels.length);
  normalise(pixels, inputs, preprocessing, split.channels);
  return inputs;
}

/** Sides of a thumbnail at most: a page shows many of them. */
const largestSide = 128;

/** An image as a data: URL of a PNG. @param pixels uint8, [height, width, channels] */
export async function pictureUrl(pixels: Uint8Array, split: ImageShape): Promise<string> {
  const { height, width, channels } = split;
  const png = await sharp(pixels, { raw: { height, width, channels } })
    .resize({ width: largestSide, height: largestSide, fit: 'inside', withoutEnlargement: true })
    .png()
    .toBuffer();
  return `data:image/png;base64,${png.toString('base64')}`;
}
