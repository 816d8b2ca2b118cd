// Decodes and resizes images. All of sharp that data sets need is in this file.
//
// Pixels come out as the usual training tools see them: EXIF orientation applied, colour profiles and alpha
// ignored, gray by the luma of ITU-R BT.601 (as in Pillow and TensorFlow), resizing by a triangle filter with
// antialiasing (as in torchvision).

import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import type { Sharp } from 'sharp';
import { AppError } from '../errors';
import { isBmp, readBmp } from './bmp';
import type { SampleRequest } from './sources/types';
import type { ImageShape } from './types';

/** Extensions, lower case, of the images that a folder may hold. */
export const imageExtensions: readonly string[] = [
  ...['.jpg', '.jpeg', '.png', '.webp', '.bmp', '.gif', '.tif', '.tiff', '.avif'],
];

/** Images of more pixels are refused before they are decoded. */
const maxPixels = 100_000_000;

// Only the decoders of the formats above: a file is decoded by its content, whatever its name says, and
// untrusted files must not reach the others (SVG, PDF, ImageMagick ...).
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff', 'Heif'].map(
    (name) => `VipsForeignLoad${name}`,
  ),
});
// Every file is read once, and many at a time: neither a cache nor threads within an image help.
sharp.cache(false);
sharp.concurrency(1);

/** Shape of an image as `decodeImageFile` would give it. @throws AppError DATA_IMAGE_UNREADABLE */
export async function probeImageFile(file: string): Promise<ImageShape> {
  return attempt(file, async (bytes) => {
    if (isBmp(bytes)) {
      const { height, width } = readBmp(bytes, maxPixels);
      return { height, width, channels: 3 };
    }
    const { autoOrient, space } = await open(bytes).metadata();
    return { ...autoOrient, channels: space === 'b-w' || space === 'grey16' ? 1 : 3 };
  });
}

/** Pixels (uint8, HWC) of an image file in the shape asked for. @throws AppError DATA_IMAGE_UNREADABLE */
export async function decodeImageFile(
  file: string,
  request: Pick<SampleRequest, 'shape' | 'fit'>,
): Promise<Uint8Array> {
  return attempt(file, async (bytes) => {
    if (!isBmp(bytes)) return render(open(bytes).autoOrient(), request);
    const { pixels, ...size } = readBmp(bytes, maxPixels);
    return reshape(pixels, { ...size, channels: 3 }, request);
  });
}

/** Brings raw pixels (uint8, HWC) to another shape; the very same array when it is the shape already. */
export async function reshape(
  pixels: Uint8Array,
  from: ImageShape,
  request: Pick<SampleRequest, 'shape' | 'fit'>,
): Promise<Uint8Array> {
  const { shape } = request;
  if (from.height === shape.height && from.width === shape.width) {
    if (from.channels === shape.channels) return pixels;
    return shape.channels === 1 ? toGray(pixels) : toRgb(pixels);
  }
  return render(sharp(pixels, { raw: from }), request);
}

function open(bytes: Uint8Array): Sharp {
  return sharp(bytes, {
    failOn: 'error',
    limitInputPixels: maxPixels,
    ignoreIcc: true,
    sequentialRead: true,
  });
}

async function render(
  image: Sharp,
  { shape, fit }: Pick<SampleRequest, 'shape' | 'fit'>,
): Promise<Uint8Array> {
  const pixels = await image
    .resize(shape.width, shape.height, { fit, kernel: 'linear' })
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer();
  return shape.channels === 1 ? toGray(pixels) : pixels;
}

/** Luma of ITU-R BT.601 in 16-bit fixed point, rounded: 0.299 R + 0.587 G + 0.114 B. */
function toGray(rgb: Uint8Array): Uint8Array {
  const gray = new Uint8Array(rgb.length / 3);
  for (let i = 0, j = 0; i < gray.length; i++, j += 3) {
    gray[i] = (rgb[j]! * 19595 + rgb[j + 1]! * 38470 + rgb[j + 2]! * 7471 + 0x8000) >> 16;
  }
  return gray;
}

function toRgb(gray: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(gray.length * 3);
  for (let i = 0; i < gray.length; i++) rgb.fill(gray[i]!, i * 3, i * 3 + 3);
  return rgb;
}

async function attempt<T>(file: string, decode: (bytes: Buffer) => Promise<T>): Promise<T> {
  try {
    return await decode(await readFile(file));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AppError(
      'DATA_IMAGE_UNREADABLE',
      `The image ${file} cannot be decoded: ${reason.split('\n')[0]}`,
      'Repair or remove the file, or choose to leave out unreadable images (--skip-unreadable).',
      { details: { file }, cause: error },
    );
  }
}
