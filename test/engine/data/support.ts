// Small data sets made on the fly, by code that shares nothing with the readers under test.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { afterAll } from 'vitest';
import { silentContext } from '../../../src-main/engine/context';
import { decodeDataset, openDataset } from '../../../src-main/engine/data/decode';
import { defaultDecodeOptions } from '../../../src-main/engine/data/defaults';
import type {
  Dataset,
  DatasetInfo,
  DecodeOptions,
  ImageSplit,
} from '../../../src-main/engine/data/types';
import { AppError } from '../../../src-main/engine/errors';
import type { ErrorCode } from '../../../src-main/engine/errors';

/** A folder that is removed after the tests of the file. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'secateur-data-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function put(file: string, bytes: Uint8Array | string): string {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  return file;
}

/** Everything kept in training, unless a test says otherwise. */
export const keepAll: DecodeOptions = { ...defaultDecodeOptions, valFraction: 0, testFraction: 0 };

/** Decodes a path and opens the cache. */
export async function decodeAndOpen(
  path: string,
  cacheFile: string,
  options: Partial<DecodeOptions> = {},
): Promise<{ info: DatasetInfo; dataset: Dataset }> {
  const info = await decodeDataset(path, cacheFile, { ...keepAll, ...options }, silentContext);
  return { info, dataset: openDataset(cacheFile) };
}

/** All pixels of a split, one array a sample. */
export function samplesOf(split: ImageSplit): number[][] {
  const bytes = split.height * split.width * split.channels;
  const target = new Uint8Array(split.count * bytes);
  split.read(
    Int32Array.from({ length: split.count }, (_, i) => i),
    target,
  );
  return Array.from({ length: split.count }, (_, i) => [
    ...target.subarray(i * bytes, (i + 1) * bytes),
  ]);
}

/** The AppError that the promise fails with; fails itself when there is none or the code is another. */
export async function failure(promise: Promise<unknown>, code: ErrorCode): Promise<AppError> {
  const error = await promise.then(
    () => new Error(`${code} was expected, nothing was thrown`),
    (reason: unknown) => reason,
  );
  if (error instanceof AppError && error.code === code) return error;
  throw error;
}

/** Numbers that look like noise and are the same every time. */
export function noise(length: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state >> 16;
  });
}

export function idx(type: number, shape: readonly number[], values: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header[2] = type;
  header[3] = shape.length;
  shape.forEach((side, i) => header.writeUInt32BE(side, 4 + 4 * i));
  return Buffer.concat([header, values]);
}

export function npy(
  descr: string,
  shape: readonly number[],
  values: Uint8Array,
  fortran = false,
): Buffer {
  const dims = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const order = fortran ? 'True' : 'False';
  const text = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${dims}), }`;
  const header = Buffer.from(text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11) + '\n');
  const size = Buffer.alloc(2);
  size.writeUInt16LE(header.length);
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), size, header, values]);
}

/** A zip archive; entries are deflated. */
export function zip(entries: Readonly<Record<string, Buffer>>): Buffer {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(entries)) {
    const packed = deflateRawSync(content);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const start = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    const made = Buffer.from([20, 0]);
    central.push(Buffer.concat([Buffer.from('PK\x01\x02'), made, common, tail, Buffer.from(name)]));
    local.push(start);
    offset += start.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(central.length, 8);
  end.writeUInt16LE(central.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...local, directory, end]);
}
