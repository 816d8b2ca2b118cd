// Opens the cache file of a data set and gives random access to its samples.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { AppError } from '../errors';
import { cacheHeaderBytes, cacheMagic, cacheVersions, splitNames } from './cache';
import type { CacheMetadata } from './cache';
import { readFailure } from './read-failure';
import type { Dataset, DatasetInfo, ImageShape, ImageSplit, SplitName, Targets } from './types';

/** Data sets up to this many bytes of pixels are held in memory; larger ones are read from the file. */
const memoryLimitBytes = 512 * 1024 * 1024;

/**
 * Opens a cache file written by `decodeDataset`. Up to `inMemoryBytes` the pixels are loaded and their checksum
 * is checked; beyond, samples are read from the file at their positions (the system's page cache keeps the hot
 * ones). Close it when done.
 * @throws AppError DATA_CORRUPT, FILE_UNREADABLE
 */
export function openDataset(cacheFile: string, inMemoryBytes: number = memoryLimitBytes): Dataset {
  const descriptor = openForReading(cacheFile);
  let pixels: PixelStore | null = null;
  try {
    const { metadata, splits, labels, targets, sampleBytes } = readIndex(descriptor, cacheFile);
    const pixelBytes = splits.length * sampleBytes;
    const store =
      pixelBytes <= inMemoryBytes
        ? loadPixels(descriptor, cacheFile, pixelBytes, metadata.pixelChecksum)
        : new PixelFile(descriptor, cacheFile);
    pixels = store;
    const bySplit = new Map<SplitName, ImageSplit>(
      splitNames.map((name, code) => {
        const rows = Int32Array.from(rowsOf(splits, code));
        return [name, new CachedSplit(metadata.info, rows, labels, targets, store)];
      }),
    );
    return { ...metadata.info, split: (name) => bySplit.get(name)!, close: () => store.close() };
  } finally {
    if (!(pixels instanceof PixelFile)) closeSync(descriptor);
  }
}

/** Where pixels come from: memory or a file. Positions are bytes from the first pixel. */
interface PixelStore {
  copy(position: number, target: Uint8Array, offset: number, bytes: number): void;
  close(): void;
}

class PixelMemory implements PixelStore {
  constructor(private readonly pixels: Buffer) {}

  copy(position: number, target: Uint8Array, offset: number, bytes: number): void {
    this.pixels.copy(target, offset, position, position + bytes);
  }

  close(): void {
    // Memory needs no closing.
  }
}

class PixelFile implements PixelStore {
  constructor(
    private readonly descriptor: number,
    private readonly file: string,
  ) {}

  copy(position: number, target: Uint8Array, offset: number, bytes: number): void {
    const place = cacheHeaderBytes + position;
    readFully(this.descriptor, this.file, target.subarray(offset, offset + bytes), place);
  }

  close(): void {
    closeSync(this.descriptor);
  }
}

class CachedSplit implements ImageSplit {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  readonly labels: Int32Array;
  readonly targets?: Targets;
  private readonly sampleBytes: number;

  /** @param rows row of each sample of this split in the file */
  constructor(
    { task, ...shape }: ImageShape & Pick<DatasetInfo, 'task'>,
    private readonly rows: Int32Array,
    labels: Int32Array,
    targets: Float32Array,
    private readonly pixels: PixelStore,
  ) {
    this.count = rows.length;
    this.height = shape.height;
    this.width = shape.width;
    this.channels = shape.channels;
    this.sampleBytes = shape.height * shape.width * shape.channels;
    this.labels = Int32Array.from(rows, (row) => labels[row]!);
    if (task === 'classes') return;
    const width = targets.length / labels.length;
    const own = new Float32Array(rows.length * width);
    rows.forEach((row, i) => own.set(targets.subarray(row * width, (row + 1) * width), i * width));
    this.targets = { task, width, rows: own };
  }

  read(indices: Int32Array, target: Uint8Array): void {
    const { rows, sampleBytes } = this;
    for (let i = 0; i < indices.length;) {
      const first = rows[indices[i]!];
      if (first === undefined) throw new RangeError(`No sample ${indices[i]} of ${this.count}.`);
      // Neighbours in the file are copied at once: evaluation reads in order.
      let run = 1;
      while (i + run < indices.length && rows[indices[i + run]!] === first + run) run++;
      this.pixels.copy(first * sampleBytes, target, i * sampleBytes, run * sampleBytes);
      i += run;
    }
  }
}

interface CacheIndex {
  readonly metadata: CacheMetadata;
  readonly splits: Uint8Array;
  readonly labels: Int32Array;
  /** [samples, targets a sample]; empty where each image has one class. */
  readonly targets: Float32Array;
  readonly sampleBytes: number;
}

function readIndex(descriptor: number, file: string): CacheIndex {
  const { size } = fstatSync(descriptor);
  if (size < cacheHeaderBytes) throw corrupt(file, `it has ${size} bytes`);
  const header = readFully(descriptor, file, Buffer.alloc(cacheHeaderBytes), 0);
  if (header.toString('latin1', 0, cacheMagic.length) !== cacheMagic) {
    throw corrupt(file, 'it does not begin like a cache file');
  }
  const version = header.readUInt32LE(8);
  const hasTargets = version === cacheVersions.targets;
  if (!hasTargets && version !== cacheVersions.classes) {
    throw corrupt(file, `its layout has version ${version}`);
  }
  const width = hasTargets ? header.readUInt32LE(32) : 0;
  const sampleBytes = header.readUInt32LE(12);
  const count = Number(header.readBigUInt64LE(16));
  const indexBytes = header.readUInt32LE(24);
  const expected = cacheHeaderBytes + count * sampleBytes + indexBytes;
  if (size !== expected) throw corrupt(file, `it has ${size} bytes, its header says ${expected}`);
  const arrayBytes = count * (5 + width * 4);
  if (indexBytes < arrayBytes) throw corrupt(file, `its index is too short for ${count} samples`);

  const index = Buffer.allocUnsafe(indexBytes);
  readFully(descriptor, file, index, expected - indexBytes);
  if (crc32(index) !== header.readUInt32LE(28)) throw corrupt(file, 'its index fails its checksum');
  const labels = Int32Array.from({ length: count }, (_, i) => index.readInt32LE(count + i * 4));
  const targets = Float32Array.from({ length: count * width }, (_, i) =>
    index.readFloatLE(count * 5 + i * 4),
  );
  const metadata = readMetadata(index.toString('utf8', arrayBytes), width, file);
  return { metadata, splits: index.subarray(0, count), labels, targets, sampleBytes };
}

function loadPixels(descriptor: number, file: string, bytes: number, checksum: number): PixelStore {
  const pixels = readFully(descriptor, file, Buffer.allocUnsafe(bytes), cacheHeaderBytes);
  if (crc32(pixels) !== checksum) throw corrupt(file, 'its pixels fail their checksum');
  return new PixelMemory(pixels);
}

/** Caches of version 1 may have been written before there were other tasks than classes. */
function readMetadata(json: string, width: number, file: string): CacheMetadata {
  let stored: CacheMetadata;
  try {
    stored = JSON.parse(json) as CacheMetadata;
  } catch {
    throw corrupt(file, 'its description cannot be read');
  }
  const info: DatasetInfo = { ...stored.info, task: stored.info.task ?? 'classes' };
  const expected = info.task === 'classes' ? 0 : info.classes.length;
  if (width !== expected) throw corrupt(file, `it has ${width} targets a sample`);
  return { ...stored, info };
}

function openForReading(file: string): number {
  try {
    return openSync(file, 'r');
  } catch (error) {
    throw readFailure(error);
  }
}

/** Fills `target` from a position of the file and returns it. */
function readFully<T extends Uint8Array>(
  descriptor: number,
  file: string,
  target: T,
  position: number,
): T {
  for (let done = 0; done < target.length;) {
    const bytes = readSync(descriptor, target, done, target.length - done, position + done);
    if (bytes === 0) throw corrupt(file, `it ends at byte ${position + done}`);
    done += bytes;
  }
  return target;
}

function* rowsOf(splits: Uint8Array, code: number): Generator<number> {
  for (let row = 0; row < splits.length; row++) if (splits[row] === code) yield row;
}

function corrupt(file: string, what: string): AppError {
  return new AppError(
    'DATA_CORRUPT',
    `The cache file ${file} is damaged: ${what}.`,
    'Attach the data set again; its images are then decoded anew.',
    { details: { file } },
  );
}
