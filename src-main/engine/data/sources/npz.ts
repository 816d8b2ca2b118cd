// NPZ: a zip of NumPy arrays. Images and labels are found by the usual names (Keras: x_train, y_train, x_test,
// y_test; MedMNIST: train_images ...; or just x and y).
//
// Entries are read as streams by exact name; nothing is unpacked to the disk, and no more bytes are taken from
// an entry than its array header announces.

import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import yauzl from 'yauzl';
import type { Entry, ZipFile } from 'yauzl';
import { AppError } from '../../errors';
import { ByteReader } from '../byte-reader';
import type { ImageShape, SplitName } from '../types';
import { readNpyHeader, valueReader } from './npy';
import type { NpyHeader, ValueReader } from './npy';
import { checkCounts, checkLabels, classNames, readNames, reshapeAll } from './raw';
import type { Source, SourcePart } from './types';

const maxEntries = 10_000;
const maxSide = 8192;

/** Names of images and labels, lower case, without .npy; the first pair that is there wins. */
const arrayNames: Readonly<Record<SplitName, readonly (readonly [string, string])[]>> = {
  train: [
    ['x_train', 'y_train'],
    ['train_images', 'train_labels'],
    ['x', 'y'],
    ['images', 'labels'],
  ],
  val: [
    ['x_val', 'y_val'],
    ['x_valid', 'y_valid'],
    ['val_images', 'val_labels'],
  ],
  test: [
    ['x_test', 'y_test'],
    ['test_images', 'test_labels'],
  ],
};

/** How the values of an array of images become HWC pixels. */
interface ImageLayout {
  readonly shape: ImageShape;
  readonly count: number;
  readonly planar: boolean;
  readonly valueBytes: number;
  readonly isFloat: boolean;
  readonly read: ValueReader;
}

export async function looksLikeNpz(path: string): Promise<boolean> {
  if (!path.toLowerCase().endsWith('.npz')) return false;
  const handle = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    return bytesRead === 4 && buffer.toString('latin1') === 'PK\x03\x04';
  } finally {
    await handle.close();
  }
}

/**
 * Opens an .npz file. Images: [N, H, W], [N, H, W, C] or [N, C, H, W], C 1 or 3, values 0 to 255, or 0 to 1 in
 * floats. Labels: class indices [N] or [N, 1], or one-hot [N, classes]. Class names are the lines of labels.txt
 * beside the file, else numbers.
 * @throws AppError DATA_CORRUPT, DATA_FORMAT_UNKNOWN, DATA_MISMATCH
 */
export async function openNpz(file: string): Promise<Source> {
  const archive = await Archive.open(file);
  const parts: SourcePart[] = [];
  const shapes: ImageShape[] = [];
  const notes: string[] = [];
  for (const split of ['train', 'val', 'test'] as const) {
    const pair = arrayNames[split].find((names) => names.every((name) => archive.has(name)));
    if (!pair) continue;
    const [images, labels] = pair;
    const { part, layout, factor } = await openPart(archive, split, images, labels);
    parts.push(part);
    shapes.push(layout.shape);
    if (factor === 255)
      notes.push(`${images} holds numbers from 0 to 1: they were multiplied by 255.`);
    if (layout.planar) notes.push(`${images} keeps channels first: they were moved to the end.`);
  }
  const [shape] = shapes;
  if (!shape) throw noArrays(file, archive.names());
  if (shapes.some((other) => JSON.stringify(other) !== JSON.stringify(shape))) {
    throw new AppError(
      'DATA_MISMATCH',
      `The splits in ${file} have images of different sizes.`,
      'All splits of a data set have images of one size; attach them separately.',
    );
  }
  const classes = classNames(await readNames(dirname(file), 'labels.txt'), parts);
  parts.forEach(({ labels }) => checkLabels(labels, classes, file));
  return { format: 'npz', task: 'classes', classes, shape, parts, notes };
}

async function openPart(
  archive: Archive,
  split: SplitName,
  imagesName: string,
  labelsName: string,
): Promise<{ part: SourcePart; layout: ImageLayout; factor: number }> {
  const { reader, header } = await archive.array(imagesName);
  reader.close();
  const layout = imageLayout(reader, header);
  const labels = await readLabels(archive, labelsName);
  checkCounts(layout.count, labels.length, `${imagesName} and ${labelsName}`);
  const factor = await rangeFactor(archive, imagesName, layout);
  async function* pixels(): AsyncGenerator<Uint8Array> {
    for await (const values of samples(archive, imagesName, layout)) {
      yield toPixels(values, layout, factor);
    }
  }
  const part: SourcePart = {
    split,
    labels,
    samples: (request) => reshapeAll(pixels(), layout.shape, request),
  };
  return { part, layout, factor };
}

function imageLayout(reader: ByteReader, header: NpyHeader): ImageLayout {
  const [count = 0, ...sides] = header.shape;
  const reading = valueReader(header.descr);
  const said = `${header.descr} (${header.shape.join(', ')})`;
  if (!reading) throw reader.corrupt(`it holds ${said}, which are no plain numbers`);
  if (header.fortranOrder)
    throw reader.corrupt('it is stored in Fortran order, C order was expected');
  const isChannels = (side: number | undefined): side is 1 | 3 => side === 1 || side === 3;
  const [a = 0, b = 0, c = 1, ...rest] = sides;
  const last = sides.length === 2 ? 1 : c;
  const planar = sides.length === 3 && !isChannels(last) && isChannels(a);
  const [height, width, channels] = planar ? [b, c, a] : [a, b, last];
  const plausible = [height, width].every((side) => side >= 1 && side <= maxSide);
  if (sides.length < 2 || rest.length > 0 || !plausible || !isChannels(channels)) {
    throw reader.corrupt(`it holds ${said}, which are no images`);
  }
  return {
    shape: { height, width, channels },
    count,
    planar,
    valueBytes: reading.bytes,
    isFloat: header.descr[1] === 'f',
    read: reading.read,
  };
}

/** 1 when the values are pixels already, 255 when they are floats from 0 to 1. */
async function rangeFactor(archive: Archive, name: string, layout: ImageLayout): Promise<number> {
  if (layout.valueBytes === 1) return 1;
  let [min, max, hasNaN] = [Infinity, -Infinity, false];
  for await (const values of samples(archive, name, layout)) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value < min) min = value;
      if (value > max) max = value;
      if (Number.isNaN(value)) hasNaN = true;
    }
  }
  if (!hasNaN && min >= 0 && max <= 1 && layout.isFloat) return 255;
  if (!hasNaN && min >= 0 && max <= 255) return 1;
  throw new AppError(
    'DATA_MISMATCH',
    `The array ${name} in ${archive.file} has values from ${min} to ${max}${hasNaN ? ' and NaN' : ''}; ` +
      'images have 0 to 255, or 0 to 1.',
    'Save the pixels as they were before normalisation, as uint8.',
    { details: { min, max } },
  );
}

function toPixels(values: ArrayLike<number>, layout: ImageLayout, factor: number): Uint8Array {
  const { height, width, channels } = layout.shape;
  const plane = height * width;
  const pixels = new Uint8Array(plane * channels);
  for (let i = 0; i < pixels.length; i++) {
    const from = layout.planar ? (i % channels) * plane + Math.floor(i / channels) : i;
    pixels[i] = Math.round(values[from]! * factor);
  }
  return pixels;
}

async function* samples(
  archive: Archive,
  name: string,
  { shape, count, valueBytes, read }: ImageLayout,
): AsyncGenerator<ArrayLike<number>> {
  const { reader } = await archive.array(name);
  try {
    const bytes = shape.height * shape.width * shape.channels * valueBytes;
    for (let i = 0; i < count; i++) yield read(await reader.read(bytes));
    await reader.expectEnd();
  } finally {
    reader.close();
  }
}

async function readLabels(archive: Archive, name: string): Promise<Int32Array> {
  const { reader, header } = await archive.array(name);
  try {
    const [count = 0, width = 1, ...rest] = header.shape;
    const reading = valueReader(header.descr);
    if (!reading || header.shape.length === 0 || rest.length > 0) {
      throw reader.corrupt(
        `it holds ${header.descr} (${header.shape.join(', ')}), which are no labels`,
      );
    }
    if (header.fortranOrder && width > 1) throw reader.corrupt('it is stored in Fortran order');
    const labels: number[] = [];
    for (let i = 0; i < count; i++) {
      const row = Array.from(reading.read(await reader.read(width * reading.bytes)));
      const label = width === 1 ? row[0]! : row.indexOf(Math.max(...row));
      if (!Number.isInteger(label)) throw reader.corrupt(`label ${i} is ${label}`);
      labels.push(label);
    }
    await reader.expectEnd();
    return Int32Array.from(labels);
  } finally {
    reader.close();
  }
}

/** The arrays of an .npz file by lower-case name. The file is opened anew for each array that is read. */
class Archive {
  private constructor(
    readonly file: string,
    private readonly entries: ReadonlyMap<string, Entry>,
  ) {}

  static async open(file: string): Promise<Archive> {
    const zip = await openZip(file);
    try {
      if (zip.entryCount > maxEntries) throw damaged(file, `it has ${zip.entryCount} entries`);
      const entries = new Map<string, Entry>();
      for await (const entry of zip.eachEntry()) {
        entries.set(entry.fileName.toLowerCase().replace(/\.npy$/, ''), entry);
      }
      return new Archive(file, entries);
    } catch (error) {
      throw error instanceof AppError ? error : damaged(file, (error as Error).message);
    } finally {
      zip.close();
    }
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  names(): string[] {
    return [...this.entries.keys()];
  }

  /** A reader that stands at the first value. Close it. */
  async array(name: string): Promise<{ reader: ByteReader; header: NpyHeader }> {
    const zip = await openZip(this.file);
    try {
      const stream = await zip.openReadStreamPromise(this.entries.get(name)!);
      stream.once('close', () => zip.close());
      const reader = new ByteReader(stream, `${name} in ${this.file}`);
      return { reader, header: await readNpyHeader(reader) };
    } catch (error) {
      zip.close();
      throw error instanceof AppError ? error : damaged(this.file, (error as Error).message);
    }
  }
}

async function openZip(file: string): Promise<ZipFile> {
  try {
    return await yauzl.openPromise(file, { lazyEntries: true, autoClose: false });
  } catch (error) {
    throw damaged(file, (error as Error).message);
  }
}

function damaged(file: string, what: string): AppError {
  return new AppError(
    'DATA_CORRUPT',
    `${file} is damaged: ${what}.`,
    'Save or fetch the file again.',
    {
      details: { file },
    },
  );
}

function noArrays(file: string, names: readonly string[]): AppError {
  return new AppError(
    'DATA_FORMAT_UNKNOWN',
    `${file} has no arrays of images and labels; it has: ${names.slice(0, 10).join(', ') || 'nothing'}.`,
    'Save it with numpy.savez(file, x=images, y=labels), or with x_train, y_train, x_test and y_test.',
  );
}
