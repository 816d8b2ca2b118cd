// CIFAR-10 and CIFAR-100 in their binary layout.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentContext } from '../../../src-main/engine/context';
import { decodeDataset } from '../../../src-main/engine/data/decode';
import { decodeAndOpen, failure, keepAll, noise, put, samplesOf, tempFolder } from './support';

const folder = tempFolder();

/** Records of label bytes and 3072 bytes of planes. */
function batch(
  labels: readonly (readonly number[])[],
  seed: number,
): { file: Buffer; hwc: number[][] } {
  const planes = labels.map((_, i) => noise(3072, seed + i));
  const hwc = planes.map((plane) =>
    Array.from({ length: 3072 }, (_, i) => plane[(i % 3) * 1024 + Math.floor(i / 3)]!),
  );
  const records = labels.map((label, i) => Buffer.concat([Uint8Array.from(label), planes[i]!]));
  return { file: Buffer.concat(records), hwc };
}

describe('CIFAR binary', () => {
  it('reads the batches of CIFAR-10 in order, with their names', async () => {
    const path = join(folder, 'ten');
    const [first, second, tests] = [batch([[0], [2]], 1), batch([[1]], 20), batch([[2]], 40)];
    put(join(path, 'data_batch_1.bin'), first.file);
    put(join(path, 'data_batch_2.bin'), second.file);
    put(join(path, 'test_batch.bin'), tests.file);
    put(join(path, 'batches.meta.txt'), 'airplane\nautomobile\nbird\n\n');
    const { info, dataset } = await decodeAndOpen(path, `${path}.cache`);
    expect(info).toMatchObject({
      format: 'cifar-binary',
      classes: ['airplane', 'automobile', 'bird'],
      ...{ height: 32, width: 32, channels: 3 },
      counts: { train: 3, val: 0, test: 1 },
    });
    expect([...dataset.split('train').labels]).toEqual([0, 2, 1]);
    expect(samplesOf(dataset.split('train'))).toEqual([...first.hwc, ...second.hwc]);
    expect(samplesOf(dataset.split('test'))).toEqual(tests.hwc);
    dataset.close();
  });

  it('reads the fine labels of CIFAR-100', async () => {
    const path = join(folder, 'hundred');
    const train = batch(
      [
        [7, 1],
        [8, 0],
      ],
      3,
    );
    put(join(path, 'train.bin'), train.file);
    put(join(path, 'fine_label_names.txt'), 'apple\nbaby\n');
    const { info, dataset } = await decodeAndOpen(path, `${path}.cache`);
    expect(info.classes).toEqual(['apple', 'baby']);
    expect([...dataset.split('train').labels]).toEqual([1, 0]);
    expect(samplesOf(dataset.split('train'))).toEqual(train.hwc);
    dataset.close();
  });

  it('refuses cut files and labels without a class', async () => {
    const path = join(folder, 'bad');
    const { file } = batch([[0], [3]], 1);
    put(join(path, 'data_batch_1.bin'), file.subarray(0, file.length - 1));
    const decode = (): Promise<unknown> =>
      decodeDataset(path, `${path}.cache`, keepAll, silentContext);
    expect((await failure(decode(), 'DATA_CORRUPT')).message).toContain('6145 bytes');
    put(join(path, 'data_batch_1.bin'), file);
    put(join(path, 'batches.meta.txt'), 'airplane\nautomobile\nbird\n');
    expect((await failure(decode(), 'DATA_CORRUPT')).message).toContain('sample 1 has label 3');
    put(join(path, 'data_batch_1.bin'), '');
    await failure(decode(), 'DATA_CORRUPT');
  });
});
