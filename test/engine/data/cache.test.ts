// The cache file: read back exactly, from memory and from the file, refused when damaged, never half there.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { CacheWriter } from '../../../src-main/engine/data/cache';
import { openDataset } from '../../../src-main/engine/data/cache-reader';
import type { SplitName } from '../../../src-main/engine/data/types';
import { AppError } from '../../../src-main/engine/errors';
import { failure, noise, samplesOf, tempFolder } from './support';

const folder = tempFolder();
const file = join(folder, 'cache');
const shape = { height: 3, width: 2, channels: 3 } as const;
const order: SplitName[] = ['train', 'val', 'train', 'test', 'train', 'val'];
const images = order.map((_, i) => noise(18, i + 1));
const labels = [0, 1, 1, 0, 1, 0];

async function write(target: string): Promise<void> {
  const writer = await CacheWriter.create(target, shape, order.length);
  for (const [i, split] of order.entries()) await writer.append(split, labels[i]!, images[i]!);
  await writer.finish({ format: 'idx', task: 'classes', classes: ['a', 'b'], notes: ['seen'] });
}

const chosen = (split: SplitName): number[] =>
  order.flatMap((name, i) => (name === split ? [i] : []));

beforeAll(() => write(file));

describe('cache file', () => {
  it.each([
    ['memory', undefined],
    ['the file', 0],
  ])('gives back what was written, from %s', (_, limit) => {
    const dataset = openDataset(file, limit);
    expect(dataset).toMatchObject({
      format: 'idx',
      classes: ['a', 'b'],
      ...shape,
      counts: { train: 3, val: 2, test: 1 },
      notes: ['seen'],
    });
    for (const name of ['train', 'val', 'test'] as const) {
      const split = dataset.split(name);
      expect([...split.labels]).toEqual(chosen(name).map((i) => labels[i]));
      expect(samplesOf(split)).toEqual(chosen(name).map((i) => [...images[i]!]));
    }
    const target = new Uint8Array(4 * 18);
    dataset.split('train').read(Int32Array.of(2, 0, 0, 1), target);
    const expected = [4, 0, 0, 2].flatMap((i) => [...images[i]!]);
    expect([...target]).toEqual(expected);
    expect(() => dataset.split('test').read(Int32Array.of(1), target)).toThrow(RangeError);
    dataset.close();
  });

  it('is the same, byte by byte, when it is made again', async () => {
    await write(join(folder, 'again'));
    expect(readFileSync(join(folder, 'again')).equals(readFileSync(file))).toBe(true);
  });

  it('is refused when it is cut anywhere, or one bit of it is flipped', () => {
    const whole = readFileSync(file);
    const target = join(folder, 'damaged');
    const refused = (bytes: Uint8Array): boolean => {
      writeFileSync(target, bytes);
      try {
        openDataset(target).close();
        return false;
      } catch (error) {
        return error instanceof AppError && error.code === 'DATA_CORRUPT';
      }
    };
    for (let length = 0; length < whole.length; length++) {
      expect(refused(whole.subarray(0, length)), `cut to ${length}`).toBe(true);
    }
    // Bytes 32 to 63 of the header are not used.
    for (let at = 0; at < whole.length; at = at === 31 ? 64 : at + 1) {
      const damaged = Buffer.from(whole);
      damaged[at]! ^= 0x10;
      expect(refused(damaged), `byte ${at}`).toBe(true);
    }
  });

  it('of an older Secateur, which knew classes alone, is opened as what it is', () => {
    // The description without its task, as it was then.
    const whole = readFileSync(file);
    const index = whole.subarray(64 + 6 * 18);
    const json = JSON.parse(index.toString('utf8', 6 * 5)) as { info: { task?: string } };
    expect(whole.readUInt32LE(8)).toBe(1);
    delete json.info.task;
    const older = Buffer.concat([index.subarray(0, 6 * 5), Buffer.from(JSON.stringify(json))]);
    const header = Buffer.from(whole.subarray(0, 64));
    header.writeUInt32LE(older.length, 24);
    header.writeUInt32LE(crc32(older), 28);
    const target = join(folder, 'older');
    writeFileSync(target, Buffer.concat([header, whole.subarray(64, 64 + 6 * 18), older]));
    const dataset = openDataset(target);
    expect(dataset.task).toBe('classes');
    expect([...dataset.split('train').labels]).toEqual([0, 1, 1]);
    expect(dataset.split('train').targets).toBeUndefined();
    dataset.close();
  });

  it('holds targets, and is refused where their number does not fit', async () => {
    const target = join(folder, 'targets');
    const writer = await CacheWriter.create(target, shape, order.length);
    const rows = order.map((_, i) => Float32Array.of(i + 0.25, -i));
    for (const [i, split] of order.entries()) await writer.append(split, 0, images[i]!, rows[i]);
    const names = { format: 'image-csv', task: 'values', classes: ['x', 'y'], notes: [] } as const;
    await writer.finish(names);
    for (const limit of [undefined, 0]) {
      const dataset = openDataset(target, limit);
      for (const name of ['train', 'val', 'test'] as const) {
        const split = dataset.split(name);
        expect(split.targets).toMatchObject({ task: 'values', width: 2 });
        expect([...split.targets!.rows]).toEqual(chosen(name).flatMap((i) => [...rows[i]!]));
        expect(samplesOf(split)).toEqual(chosen(name).map((i) => [...images[i]!]));
      }
      dataset.close();
    }
    for (const width of [0, 1, 3, 2 ** 31]) {
      const damaged = readFileSync(target);
      damaged.writeUInt32LE(width, 32);
      writeFileSync(join(folder, 'damaged'), damaged);
      expect(() => openDataset(join(folder, 'damaged')), String(width)).toThrow(
        expect.objectContaining({ code: 'DATA_CORRUPT' }),
      );
    }
  });

  it('does not exist until it is finished, and leaves nothing when it is given up', async () => {
    const target = join(folder, 'unfinished');
    const writer = await CacheWriter.create(target, shape, 1);
    await writer.append('train', 0, images[0]!);
    expect(existsSync(target)).toBe(false);
    await writer.discard();
    expect(readdirSync(folder).filter((name) => name.startsWith('unfinished'))).toEqual([]);
  });

  it('says beforehand that the disk is too small', async () => {
    const target = join(folder, 'huge');
    const error = await failure(CacheWriter.create(target, shape, 1e15), 'DISK_FULL');
    expect(error.details).toMatchObject({ bytesNeeded: 23e15 });
    expect(readdirSync(folder)).not.toContain('huge.tmp');
  });

  it('names a file that is not there', () => {
    expect(() => openDataset(join(folder, 'none'))).toThrow(/does not exist.*none/);
  });
});
