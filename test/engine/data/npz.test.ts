// NPZ files as numpy.savez writes them: names, types and layouts that are about, and what is refused.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentContext } from '../../../src-main/engine/context';
import { decodeDataset } from '../../../src-main/engine/data/decode';
import {
  decodeAndOpen,
  failure,
  keepAll,
  noise,
  npy,
  put,
  samplesOf,
  tempFolder,
  zip,
} from './support';

const folder = tempFolder();
const images = noise(3 * 2 * 4);
const rows = [0, 1, 2].map((i) => [...images.subarray(i * 8, i * 8 + 8)]);
const labels = npy('|u1', [3], Uint8Array.of(1, 0, 2));
const x = npy('|u1', [3, 2, 4], images);

let made = 0;
function save(arrays: Record<string, Buffer>): string {
  const entries = Object.entries(arrays).map(([name, bytes]) => [`${name}.npy`, bytes]);
  return put(
    join(folder, `${made++}`, 'set.npz'),
    zip(Object.fromEntries(entries) as typeof arrays),
  );
}

const refused = (path: string): Promise<unknown> =>
  decodeDataset(path, `${path}.cache`, keepAll, silentContext);

describe('NPZ', () => {
  it('reads x and y', async () => {
    const path = save({ x, y: labels });
    const { info, dataset } = await decodeAndOpen(path, `${path}.cache`);
    expect(info).toMatchObject({
      format: 'npz',
      classes: ['0', '1', '2'],
      ...{ height: 2, width: 4, channels: 1 },
      counts: { train: 3, val: 0, test: 0 },
    });
    expect([...dataset.split('train').labels]).toEqual([1, 0, 2]);
    expect(samplesOf(dataset.split('train'))).toEqual(rows);
    dataset.close();
  });

  it.each([
    ['Keras', ['x_train', 'y_train', 'x_val', 'y_val', 'x_test', 'y_test']],
    [
      'MedMNIST',
      ['train_images', 'train_labels', 'val_images', 'val_labels', 'test_images', 'test_labels'],
    ],
  ])('reads the splits of %s, with labels.txt', async (_, names) => {
    const arrays = Object.fromEntries(names.map((name, i) => [name, i % 2 === 0 ? x : labels]));
    const path = save(arrays);
    put(join(path, '..', 'labels.txt'), 'a\nb\nc\nd\n');
    const { info, dataset } = await decodeAndOpen(path, `${path}.cache`);
    expect(info.counts).toEqual({ train: 3, val: 3, test: 3 });
    expect(info.classes).toEqual(['a', 'b', 'c', 'd']);
    expect(samplesOf(dataset.split('test'))).toEqual(rows);
    dataset.close();
  });

  it('reads floats from 0 to 1, big endian, channels first, with one-hot labels', async () => {
    const [height, width] = [2, 5];
    const values = Array.from(noise(2 * 3 * height * width), (v) => v / 255);
    const floats = Buffer.alloc(values.length * 4);
    values.forEach((value, i) => floats.writeFloatBE(value, i * 4));
    const oneHot = new Uint8Array(new Float64Array([0, 0, 1, 0, 1, 0]).buffer);
    const path = save({
      x: npy('>f4', [2, 3, height, width], floats),
      y: npy('<f8', [2, 3], oneHot),
    });
    const { info, dataset } = await decodeAndOpen(path, `${path}.cache`);
    expect(info).toMatchObject({ height, width, channels: 3 });
    expect(info.notes.join(' ')).toMatch(/multiplied by 255.*channels first/);
    expect([...dataset.split('train').labels]).toEqual([2, 1]);
    const bytes = noise(2 * 3 * height * width);
    const expected = [0, 1].map((n) =>
      Array.from({ length: 30 }, (_, i) => bytes[n * 30 + (i % 3) * 10 + Math.floor(i / 3)]),
    );
    expect(samplesOf(dataset.split('train'))).toEqual(expected);
    dataset.close();
  });

  it('reads whole numbers of other types', async () => {
    const wide = new Uint8Array(Float64Array.from(images).buffer);
    const path = save({
      x: npy('<f8', [3, 2, 4, 1], wide),
      y: npy('<i8', [3, 1], new Uint8Array(new BigInt64Array([0n, 1n, 1n]).buffer)),
    });
    const { dataset } = await decodeAndOpen(path, `${path}.cache`);
    expect(samplesOf(dataset.split('train'))).toEqual(rows);
    expect([...dataset.split('train').labels]).toEqual([0, 1, 1]);
    dataset.close();
  });

  it('refuses values that are no pixels', async () => {
    const standardised = new Uint8Array(Float32Array.from(images, (v) => v / 100 - 1).buffer);
    const path = save({ x: npy('<f4', [3, 2, 4], standardised), y: labels });
    expect((await failure(refused(path), 'DATA_MISMATCH')).message).toContain('values from -');
    const holes = new Uint8Array(Float32Array.from(images, (_, i) => (i === 5 ? NaN : 0.5)).buffer);
    const nan = save({ x: npy('<f4', [3, 2, 4], holes), y: labels });
    expect((await failure(refused(nan), 'DATA_MISMATCH')).message).toContain('NaN');
  });

  it('refuses arrays of other kinds', async () => {
    const cases: Record<string, Buffer>[] = [
      { x: npy('|O', [3, 2, 4], images), y: labels },
      { x: npy('<c8', [3], images), y: labels },
      { x: npy('|u1', [3, 2, 4], images, true), y: labels },
      { x: npy('|u1', [24], images), y: labels },
      { x: npy('|u1', [3, 2, 2, 2], images), y: labels },
      { x: Buffer.from('no array'), y: labels },
      { x: npy('|u1', [3, 2, 4], images.subarray(1)), y: labels },
      { x: npy('|u1', [3, 2, 3], images), y: labels },
      { x: npy('|u1', [2, 2, 4], images.subarray(0, 16)), y: labels },
      { x, y: npy('<f4', [3], new Uint8Array(Float32Array.of(0, 0.5, 1).buffer)) },
      { x, y: npy('|i1', [3], Uint8Array.of(0, 0xff, 1)) },
      { x, y: npy('|S1', [3], Buffer.from('abc')) },
    ];
    for (const arrays of cases) await failure(refused(save(arrays)), 'DATA_CORRUPT');
    const named = await failure(refused(save({ features: x, y: labels })), 'DATA_FORMAT_UNKNOWN');
    expect(named.message).toContain('features, y');
  });

  it('refuses cut archives at every length', async () => {
    const whole = zip({ 'x.npy': x, 'y.npy': labels });
    for (let length = 4; length < whole.length; length += 5) {
      const path = put(join(folder, 'cut', 'set.npz'), whole.subarray(0, length));
      await failure(refused(path), 'DATA_CORRUPT');
    }
    const other = put(join(folder, 'cut', 'other.npz'), 'text');
    await failure(refused(other), 'DATA_FORMAT_UNKNOWN');
  });
});
