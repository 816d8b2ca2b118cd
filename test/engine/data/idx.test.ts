// IDX folders in the spellings that are about, and every way in which they can be broken.
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { silentContext } from '../../../src-main/engine/context';
import { decodeDataset } from '../../../src-main/engine/data/decode';
import { decodeAndOpen, failure, idx, keepAll, noise, put, samplesOf, tempFolder } from './support';

const folder = tempFolder();
const ubyte = 0x08;
const images = noise(6 * 4 * 5);
const labels = Uint8Array.of(2, 0, 1, 2, 1, 0);
const tests = noise(2 * 4 * 5, 9);

let made = 0;
/** A folder with the standard four files, some of them replaced (null: left out). */
function mnist(changes: Record<string, Uint8Array | null> = {}): string {
  const files: Record<string, Uint8Array | null> = {
    'train-images-idx3-ubyte': idx(ubyte, [6, 4, 5], images),
    'train-labels-idx1-ubyte': idx(ubyte, [6], labels),
    't10k-images-idx3-ubyte': idx(ubyte, [2, 4, 5], tests),
    't10k-labels-idx1-ubyte': idx(ubyte, [2], Uint8Array.of(1, 0)),
    ...changes,
  };
  const target = join(folder, `set-${made++}`);
  for (const [name, bytes] of Object.entries(files)) if (bytes) put(join(target, name), bytes);
  return target;
}

const refused = (path: string): Promise<unknown> =>
  decodeDataset(path, `${path}.cache`, keepAll, silentContext);

const rows = (bytes: Uint8Array, size: number): number[][] =>
  Array.from({ length: bytes.length / size }, (_, i) => [
    ...bytes.subarray(i * size, (i + 1) * size),
  ]);

describe('IDX', () => {
  it('reads the four files', async () => {
    const path = mnist();
    const { info, dataset } = await decodeAndOpen(path, `${path}.cache`);
    expect(info).toMatchObject({
      format: 'idx',
      classes: ['0', '1', '2'],
      ...{ height: 4, width: 5, channels: 1 },
      counts: { train: 6, val: 0, test: 2 },
    });
    expect([...dataset.split('train').labels]).toEqual([...labels]);
    expect(samplesOf(dataset.split('train'))).toEqual(rows(images, 20));
    expect(samplesOf(dataset.split('test'))).toEqual(rows(tests, 20));
    dataset.close();
  });

  it('reads .gz files, dotted names and labels.txt', async () => {
    const path = mnist({
      'train-images-idx3-ubyte': null,
      'train-images.idx3-ubyte.gz': gzipSync(idx(ubyte, [6, 4, 5], images)),
      'labels.txt': Buffer.from('\uFEFFshirt\r\n bag \r\nboot\r\n\r\n'),
    });
    const { info, dataset } = await decodeAndOpen(path, `${path}.cache`);
    expect(info.classes).toEqual(['shirt', 'bag', 'boot']);
    expect(samplesOf(dataset.split('train'))).toEqual(rows(images, 20));
    dataset.close();
  });

  it('takes one of its files for the folder', async () => {
    const path = mnist();
    const file = join(path, 't10k-labels-idx1-ubyte');
    const { info, dataset } = await decodeAndOpen(file, `${path}.cache`);
    expect(info.counts).toEqual({ train: 6, val: 0, test: 2 });
    dataset.close();
  });

  it('reads colour images and brings them to another shape', async () => {
    const flat = Uint8Array.from({ length: 2 * 2 * 2 * 3 }, (_, i) => [10, 200, 90][i % 3]!);
    const path = join(folder, 'colour');
    put(join(path, 'train-images-idx4-ubyte'), idx(ubyte, [2, 2, 2, 3], flat));
    put(join(path, 'train-labels-idx1-ubyte'), idx(ubyte, [2], Uint8Array.of(0, 1)));
    const { info, dataset } = await decodeAndOpen(path, `${path}.cache`, {
      size: { height: 3, width: 4 },
      channels: 1,
    });
    expect(info).toMatchObject({ height: 3, width: 4, channels: 1 });
    const luma = Math.round(0.299 * 10 + 0.587 * 200 + 0.114 * 90);
    expect(samplesOf(dataset.split('train'))).toEqual([
      new Array(12).fill(luma),
      new Array(12).fill(luma),
    ]);
    dataset.close();
  });

  it('gives gray images three equal channels on request, resized or not', async () => {
    const path = mnist();
    const same = await decodeAndOpen(path, `${path}.a`, { channels: 3 });
    expect(samplesOf(same.dataset.split('test'))).toEqual(
      rows(tests, 20).map((row) => row.flatMap((v) => [v, v, v])),
    );
    const resized = await decodeAndOpen(path, `${path}.b`, {
      channels: 3,
      size: { height: 8, width: 10 },
    });
    const [first] = samplesOf(resized.dataset.split('test'));
    expect(first).toHaveLength(8 * 10 * 3);
    for (let i = 0; i < 240; i += 3)
      expect(first!.slice(i, i + 3)).toEqual([first![i], first![i], first![i]]);
    same.dataset.close();
    resized.dataset.close();
  });

  it('holds back a validation split by seed, whole samples', async () => {
    const path = mnist();
    const read = async (seed: number): Promise<number[][]> => {
      const { info, dataset } = await decodeAndOpen(path, `${path}.${seed}`, {
        valFraction: 0.5,
        testFraction: 0.5 - 1e-9,
        seed,
      });
      expect(info.counts).toEqual({ train: 3, val: 3, test: 2 });
      expect(info.notes.join()).toContain(`No val split in the source: 50 %`);
      const val = samplesOf(dataset.split('val'));
      const all = [...val, ...samplesOf(dataset.split('train'))];
      expect(new Set(all.map(String))).toEqual(new Set(rows(images, 20).map(String)));
      dataset.close();
      return val;
    };
    const first = await read(1);
    expect(await read(1)).toEqual(first);
    const others = await Promise.all([2, 3, 4, 5].map(read));
    expect(others.some((val) => String(val) !== String(first))).toBe(true);
  });

  it('refuses files that do not belong together', async () => {
    const short = mnist({ 'train-labels-idx1-ubyte': idx(ubyte, [5], labels.subarray(0, 5)) });
    expect((await failure(refused(short), 'DATA_CORRUPT')).message).toContain('6 images but');
    expect((await failure(refused(short), 'DATA_CORRUPT')).message).toContain('5 labels');
    const alone = mnist({ 't10k-labels-idx1-ubyte': null });
    expect((await failure(refused(alone), 'DATA_CORRUPT')).message).toContain('labels are missing');
    const smaller = mnist({
      't10k-images-idx3-ubyte': idx(ubyte, [2, 2, 5], tests.subarray(0, 20)),
    });
    expect((await failure(refused(smaller), 'DATA_MISMATCH')).message).toContain('2 x 5 x 1');
    const named = mnist({ 'labels.txt': Buffer.from('a\nb\n') });
    const error = await failure(refused(named), 'DATA_CORRUPT');
    expect(error.message).toContain('sample 0 has label 2, but there are 2 classes');
  });

  it('refuses wrong headers', async () => {
    const cases: Uint8Array[] = [
      Buffer.alloc(0),
      Buffer.from('\x89PNG\r\n\x1a\n'),
      idx(0x0d, [6, 4, 5], images),
      idx(ubyte, [6, 4], images),
      idx(ubyte, [6, 0, 5], images),
      idx(ubyte, [6, 100_000, 100_000], images),
      idx(ubyte, [1, 2, 3, 4, 5], images),
    ];
    for (const bytes of cases) {
      await failure(refused(mnist({ 'train-images-idx3-ubyte': bytes })), 'DATA_CORRUPT');
    }
    const huge = mnist({ 'train-labels-idx1-ubyte': idx(ubyte, [0xffffffff], labels) });
    expect((await failure(refused(huge), 'DATA_CORRUPT')).message).toContain('ends after 14 bytes');
  });

  it('refuses files that are too short or too long, at every length', async () => {
    const whole = idx(ubyte, [6, 4, 5], images);
    for (let length = 0; length < whole.length; length += 7) {
      const path = mnist({ 'train-images-idx3-ubyte': whole.subarray(0, length) });
      await failure(refused(path), 'DATA_CORRUPT');
    }
    const longer = mnist({ 'train-images-idx3-ubyte': Buffer.concat([whole, Buffer.alloc(1)]) });
    expect((await failure(refused(longer), 'DATA_CORRUPT')).message).toContain('goes on after');
  });

  it('refuses cut and damaged .gz files and leaves no cache behind', async () => {
    const packed = gzipSync(idx(ubyte, [6, 4, 5], images));
    const damaged = Buffer.from(packed);
    damaged[20]! ^= 0xff;
    for (const bytes of [packed.subarray(0, packed.length - 12), packed.subarray(0, 5), damaged]) {
      const path = mnist({
        'train-images-idx3-ubyte': null,
        'train-images-idx3-ubyte.gz': bytes,
      });
      const error = await failure(refused(path), 'DATA_CORRUPT');
      expect(error.message).toContain('train-images-idx3-ubyte.gz');
    }
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('says when a file cannot be read', async () => {
    const path = mnist({ 'train-images-idx3-ubyte': null });
    mkdirSync(join(path, 'train-images-idx3-ubyte.gz'));
    await failure(refused(path), 'FILE_UNREADABLE');
  });

  it('gives the same cache every time', async () => {
    const path = mnist();
    const options = { ...keepAll, valFraction: 0.3 };
    await decodeDataset(path, `${path}.1`, options, silentContext);
    await decodeDataset(path, `${path}.2`, options, silentContext);
    expect(readFileSync(`${path}.1`).equals(readFileSync(`${path}.2`))).toBe(true);
  });
});
