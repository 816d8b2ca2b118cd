// IDX, the format of MNIST: big-endian header (magic, dimensions), then uint8 values. Spec: yann.lecun.com,
// "the IDX file format". A folder holds images and labels of each split; .gz files are unpacked on the way.

import { basename, join } from 'node:path';
import { AppError } from '../../errors';
import { ByteReader } from '../byte-reader';
import type { ImageShape, SplitName } from '../types';
import { checkCounts, checkLabels, classNames, readNames, reshapeAll } from './raw';
import type { Source, SourcePart } from './types';

/** train-images-idx3-ubyte.gz, t10k-labels.idx1-ubyte ... */
const fileName = /^(train|val|test|t10k)-(images|labels)[-.]idx\d-ubyte(\.gz)?$/i;
const ubyte = 0x08;
/** Larger sides are not images but a damaged header. */
const maxSide = 8192;

interface Pair {
  images?: string;
  labels?: string;
}

export function looksLikeIdx(fileNames: readonly string[]): boolean {
  return fileNames.some((name) => fileName.test(name));
}

/**
 * Opens a folder with `train-images-idx3-ubyte`, `train-labels-idx1-ubyte` and the same of `t10k` or `test`
 * and `val`, plain or .gz. Class names are the lines of `labels.txt`, else numbers.
 * @throws AppError DATA_CORRUPT, DATA_MISMATCH, FILE_UNREADABLE
 */
export async function openIdx(folder: string, fileNames: readonly string[]): Promise<Source> {
  const opened: { part: SourcePart; shape: ImageShape; file: string }[] = [];
  for (const [split, pair] of pairFiles(fileNames)) {
    if (!pair.images || !pair.labels) {
      const present = pair.images ?? pair.labels ?? '';
      throw new AppError(
        'DATA_CORRUPT',
        `${join(folder, present)} has no counterpart: the ${pair.images ? 'labels' : 'images'} are missing.`,
        'Put the images file and the labels file of each split into the same folder.',
      );
    }
    const file = join(folder, pair.images);
    const { shape, count } = await readImageHeader(file);
    const labels = await readLabels(join(folder, pair.labels));
    checkCounts(count, labels.length, `${file} and ${pair.labels}`);
    opened.push({ part: idxPart(file, split, labels, shape, count), shape, file });
  }
  const shape = commonShape(opened);
  const parts = opened.map(({ part }) => part);
  const classes = classNames(await readNames(folder, 'labels.txt'), parts);
  opened.forEach(({ part, file }) => checkLabels(part.labels, classes, file));
  return { format: 'idx', task: 'classes', classes, shape, parts, notes: [] };
}

function pairFiles(fileNames: readonly string[]): Map<SplitName, Pair> {
  const pairs = new Map<SplitName, Pair>();
  // Sorted, the plain file comes before its .gz twin: the first one wins.
  for (const name of [...fileNames].sort()) {
    const match = fileName.exec(name);
    if (!match) continue;
    const prefix = match[1]!.toLowerCase();
    const split = prefix === 't10k' ? 'test' : (prefix as SplitName);
    const pair = pairs.get(split) ?? {};
    pairs.set(split, pair);
    if (match[2]!.toLowerCase() === 'images') pair.images ??= name;
    else pair.labels ??= name;
  }
  return pairs;
}

function idxPart(
  file: string,
  split: SplitName,
  labels: Int32Array,
  shape: ImageShape,
  count: number,
): SourcePart {
  async function* pixels(): AsyncGenerator<Uint8Array> {
    const reader = ByteReader.open(file);
    try {
      await readHeader(reader);
      const bytes = shape.height * shape.width * shape.channels;
      for (let i = 0; i < count; i++) yield await reader.read(bytes);
      await reader.expectEnd();
    } finally {
      reader.close();
    }
  }
  return { split, labels, samples: (request) => reshapeAll(pixels(), shape, request) };
}

async function readHeader(reader: ByteReader): Promise<number[]> {
  const magic = await reader.read(4);
  const [zeroA, zeroB, type, rank] = magic;
  if (zeroA !== 0 || zeroB !== 0 || type !== ubyte || !rank || rank > 4) {
    throw reader.corrupt(`it begins with ${magic.toString('hex')}, which is no IDX file of bytes`);
  }
  const header = Buffer.from(await reader.read(rank * 4));
  return Array.from({ length: rank }, (_, i) => header.readUInt32BE(i * 4));
}

async function readImageHeader(file: string): Promise<{ shape: ImageShape; count: number }> {
  const reader = ByteReader.open(file);
  try {
    const [count = 0, height = 0, width = 0, channels = 1, ...rest] = await readHeader(reader);
    const sides = [height, width].every((side) => side >= 1 && side <= maxSide);
    if (!sides || rest.length > 0 || (channels !== 1 && channels !== 3)) {
      throw reader.corrupt(`its header says ${count} images of ${height} x ${width} x ${channels}`);
    }
    return { shape: { height, width, channels }, count };
  } finally {
    reader.close();
  }
}

async function readLabels(file: string): Promise<Int32Array> {
  const reader = ByteReader.open(file);
  try {
    const [count = 0, ...rest] = await readHeader(reader);
    if (rest.length > 0) throw reader.corrupt('it holds images, labels were expected');
    // Piece by piece: a damaged header must not make us allocate what it announces.
    const pieces: Uint8Array[] = [];
    for (let done = 0; done < count;) {
      const piece = await reader.read(Math.min(65_536, count - done));
      pieces.push(piece);
      done += piece.length;
    }
    await reader.expectEnd();
    return Int32Array.from(Buffer.concat(pieces));
  } finally {
    reader.close();
  }
}

function commonShape(opened: readonly { shape: ImageShape; file: string }[]): ImageShape {
  const [first, ...others] = opened;
  const text = ({ height, width, channels }: ImageShape): string =>
    `${height} x ${width} x ${channels}`;
  const odd = others.find(({ shape }) => text(shape) !== text(first!.shape));
  if (odd) {
    throw new AppError(
      'DATA_MISMATCH',
      `${basename(odd.file)} has images of ${text(odd.shape)}, ${basename(first!.file)} of ${text(first!.shape)}.`,
      'All splits of a data set have images of one size; attach them separately.',
    );
  }
  return first!.shape;
}
