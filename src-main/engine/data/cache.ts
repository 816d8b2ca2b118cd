// The cache file of a data set: all images decoded to uint8, once. Written here, opened by `cache-reader.ts`.
//
//   0   magic 'SECTDATA'        24  uint32 bytes of the index
//   8   uint32 layout version   28  uint32 CRC-32 of the index
//   12  uint32 bytes a sample   32  zeros up to 64
//   16  uint64 number of samples   (from version 2: 32  uint32 targets a sample, then zeros)
//   64  pixels: uint8 HWC, one sample after the other, in the order of the source
//   …   index: split of each sample (uint8), label of each sample (int32), targets of each sample (float32),
//       description (JSON)
//
// Version 1 has no targets; it is still written, and read, where each image has one class.
//
// Numbers are little endian. The header is written last, so a file that was left half written has no magic.

import { open, rename, rm, statfs } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { AppError, toAppError } from '../errors';
import type { DatasetFormat, DatasetInfo, ImageShape, SplitName, Task } from './types';

export const cacheMagic = 'SECTDATA';
export const cacheVersions = { classes: 1, targets: 2 } as const;
export const cacheHeaderBytes = 64;

/** Splits by the code that they have in the file. */
export const splitNames: readonly SplitName[] = ['train', 'val', 'test'];

/** The part of a data set's description that is known only when all samples are read. */
export interface CacheDescription {
  readonly format: DatasetFormat;
  readonly task: Task;
  readonly classes: readonly string[];
  readonly notes: readonly string[];
}

/** The JSON at the end of the file. */
export interface CacheMetadata {
  readonly info: DatasetInfo;
  /** CRC-32 of all pixels. */
  readonly pixelChecksum: number;
}

const flushBytes = 4 * 1024 * 1024;

/**
 * Writes a cache file: `append` each sample, then `finish`. Until then everything is in `<file>.tmp`;
 * `finish` syncs it and renames it, so the file is either complete or not there.
 */
export class CacheWriter {
  private readonly buffer: Buffer;
  private buffered = 0;
  private position = cacheHeaderBytes;
  private checksum = 0;
  private readonly splits: number[] = [];
  private readonly labels: number[] = [];
  private readonly targets: Float32Array[] = [];

  private constructor(
    private readonly file: string,
    private readonly handle: FileHandle,
    private readonly shape: ImageShape,
  ) {
    const sampleBytes = shape.height * shape.width * shape.channels;
    this.buffer = Buffer.allocUnsafe(
      Math.max(1, Math.floor(flushBytes / sampleBytes)) * sampleBytes,
    );
  }

  /**
   * @param expected number of samples at most, to see beforehand whether they fit on the disk
   * @throws AppError DISK_FULL, FILE_UNREADABLE, FILE_UNWRITABLE
   */
  static async create(file: string, shape: ImageShape, expected: number): Promise<CacheWriter> {
    const needed = expected * (shape.height * shape.width * shape.channels + 5);
    try {
      const { bavail, bsize } = await statfs(dirname(file));
      if (needed > bavail * bsize) throw tooSmall(dirname(file), needed, bavail * bsize);
      return new CacheWriter(file, await open(temporary(file), 'w'), shape);
    } catch (error) {
      throw toAppError(error);
    }
  }

  /**
   * @param pixels uint8 HWC of the shape given to `create`; copied
   * @param targets where the task is not classes: as many for every sample
   */
  async append(
    split: SplitName,
    label: number,
    pixels: Uint8Array,
    targets?: Float32Array,
  ): Promise<void> {
    this.buffer.set(pixels, this.buffered);
    this.buffered += pixels.length;
    this.splits.push(splitNames.indexOf(split));
    this.labels.push(label);
    if (targets) this.targets.push(targets);
    if (this.buffered === this.buffer.length) await this.flush();
  }

  /** Completes the file under its real name. */
  async finish(description: CacheDescription): Promise<DatasetInfo> {
    await this.flush();
    const info: DatasetInfo = {
      format: description.format,
      task: description.task,
      classes: description.classes,
      height: this.shape.height,
      width: this.shape.width,
      channels: this.shape.channels,
      counts: {
        train: this.count('train'),
        val: this.count('val'),
        test: this.count('test'),
      },
      notes: description.notes,
    };
    const metadata: CacheMetadata = { info, pixelChecksum: this.checksum };
    const labels = Buffer.alloc(this.labels.length * 4);
    this.labels.forEach((label, i) => labels.writeInt32LE(label, i * 4));
    const index = Buffer.concat([
      Uint8Array.from(this.splits),
      labels,
      ...this.targets.map(littleEndian),
      Buffer.from(JSON.stringify(metadata), 'utf8'),
    ]);
    await this.write(index, this.position);
    await this.write(this.header(index), 0);
    await this.handle.sync();
    await this.handle.close();
    await rename(temporary(this.file), this.file);
    await syncFolder(dirname(this.file));
    return info;
  }

  /** Removes what was written so far. */
  async discard(): Promise<void> {
    await this.handle.close();
    await rm(temporary(this.file), { force: true });
  }

  private header(index: Buffer): Buffer {
    const { height, width, channels } = this.shape;
    const header = Buffer.alloc(cacheHeaderBytes);
    header.write(cacheMagic, 0, 'latin1');
    const targets = this.targets[0]?.length ?? 0;
    header.writeUInt32LE(targets > 0 ? cacheVersions.targets : cacheVersions.classes, 8);
    header.writeUInt32LE(height * width * channels, 12);
    header.writeBigUInt64LE(BigInt(this.labels.length), 16);
    header.writeUInt32LE(index.length, 24);
    header.writeUInt32LE(crc32(index), 28);
    header.writeUInt32LE(targets, 32);
    return header;
  }

  private count(split: SplitName): number {
    const code = splitNames.indexOf(split);
    return this.splits.reduce((sum, each) => sum + (each === code ? 1 : 0), 0);
  }

  private async flush(): Promise<void> {
    if (this.buffered === 0) return;
    const bytes = this.buffer.subarray(0, this.buffered);
    this.checksum = crc32(bytes, this.checksum);
    await this.write(bytes, this.position);
    this.position += bytes.length;
    this.buffered = 0;
  }

  private async write(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await this.handle.write(
        bytes,
        done,
        bytes.length - done,
        position + done,
      );
      done += bytesWritten;
    }
  }
}

function littleEndian(values: Float32Array): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => bytes.writeFloatLE(value, i * 4));
  return bytes;
}

/** In the same folder, so that the rename stays within one file system. */
function temporary(file: string): string {
  return `${file}.tmp`;
}

/** Makes the rename itself durable. Windows cannot open folders, and needs no such call. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function tooSmall(folder: string, bytesNeeded: number, bytesFree: number): AppError {
  return new AppError(
    'DISK_FULL',
    `The decoded images need ${megabytes(bytesNeeded)}, ${folder} has ${megabytes(bytesFree)} left.`,
    'Free some space, or choose a smaller image size.',
    { details: { bytesNeeded, bytesFree } },
  );
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}
