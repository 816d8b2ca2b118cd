// What the readers of raw arrays share: bringing samples to the shape asked for, class names, label checks.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../errors';
import { reshape } from '../image-file';
import { mapOrdered } from '../map-ordered';
import { readFailure } from '../read-failure';
import type { ImageShape } from '../types';
import type { SampleRequest } from './types';

/** Samples that are being resized at the same time; they are small, and sharp has four threads. */
const resizeWidth = 16;

/** Brings raw samples to the shape asked for; those that have it already pass through untouched. */
export function reshapeAll(
  samples: AsyncIterable<Uint8Array>,
  from: ImageShape,
  request: SampleRequest,
): AsyncIterable<Uint8Array> {
  const { shape } = request;
  const same =
    from.height === shape.height && from.width === shape.width && from.channels === shape.channels;
  return same
    ? samples
    : mapOrdered(samples, resizeWidth, (pixels) => reshape(pixels, from, request));
}

/** The names in a text file, one a line, or null when there is no such file. */
export async function readNames(folder: string, file: string): Promise<string[] | null> {
  const text = await readFile(join(folder, file), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw readFailure(error);
  });
  if (text === null) return null;
  const names = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return names.length === 0 ? null : names;
}

/** Class names by index: those given, else the numbers up to the largest label. */
export function classNames(
  names: readonly string[] | null,
  parts: readonly { readonly labels: Int32Array }[],
): readonly string[] {
  if (names) return names;
  const largest = parts.reduce(
    (max, { labels }) => labels.reduce((a, b) => Math.max(a, b), max),
    0,
  );
  return Array.from({ length: largest + 1 }, (_, i) => String(i));
}

/** @throws AppError DATA_CORRUPT when a label is not the index of one of the classes */
export function checkLabels(labels: Int32Array, classes: readonly string[], file: string): void {
  const wrong = labels.findIndex((label) => label < 0 || label >= classes.length);
  if (wrong < 0) return;
  throw new AppError(
    'DATA_CORRUPT',
    `${file}: sample ${wrong} has label ${labels[wrong]}, but there are ${classes.length} classes (0 to ${classes.length - 1}).`,
    'Correct the labels, or the list of class names beside them.',
    { details: { file, sample: wrong, label: labels[wrong], classes: classes.length } },
  );
}

/** @throws AppError DATA_CORRUPT when images and labels are not equally many */
export function checkCounts(images: number, labels: number, where: string): void {
  if (images === labels) return;
  throw new AppError(
    'DATA_CORRUPT',
    `${where} has ${images} images but ${labels} labels.`,
    'The two files do not belong together; fetch both again.',
    { details: { images, labels } },
  );
}
