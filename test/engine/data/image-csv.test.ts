// Folders of images with a table: several labels an image or values, splits, and every way a table can be wrong.
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { silentContext } from '../../../src-main/engine/context';
import { decodeDataset } from '../../../src-main/engine/data/decode';
import { BatchLoader } from '../../../src-main/engine/data/loader';
import type { Dataset, SplitName } from '../../../src-main/engine/data/types';
import { decodeAndOpen, failure, keepAll, put, samplesOf, tempFolder } from './support';

const folder = tempFolder();
let pngs: readonly Buffer[];

beforeAll(async () => {
  const raw = { width: 3, height: 2, channels: 3 } as const;
  pngs = await Promise.all(
    [0, 1, 2, 3, 4, 5].map((i) =>
      sharp(new Uint8Array(18).fill(i * 10), { raw })
        .png()
        .toBuffer(),
    ),
  );
});

let made = 0;
/** A folder of six images, 0.png to 5.png of levels 0 to 50, and a table. */
function set(table: string | Uint8Array, others: Readonly<Record<string, string>> = {}): string {
  const root = join(folder, `set-${made++}`);
  pngs.forEach((png, i) => put(join(root, 'images', `${i}.png`), png));
  put(join(root, 'labels.csv'), table);
  for (const [name, text] of Object.entries(others)) put(join(root, name), text);
  return root;
}

/** Level of each sample of a split, with its targets. */
function read(dataset: Dataset, name: SplitName): (readonly number[])[] {
  const split = dataset.split(name);
  const { rows, width } = split.targets!;
  return samplesOf(split).map((pixels, i) => [
    pixels[0]!,
    ...rows.subarray(i * width, (i + 1) * width),
  ]);
}

describe('several labels an image', () => {
  it('are read from names in one cell', async () => {
    const root = set('file,labels\nimages/0.png,cat;dog\nimages/1.png,\nimages/2.png,ant|cat\n');
    const { info, dataset } = await decodeAndOpen(root, `${root}.cache`);
    expect(info).toMatchObject({ format: 'image-csv', task: 'labels' });
    expect(info.classes).toEqual(['ant', 'cat', 'dog']);
    expect(info.notes).toContain('Images without any label: 1.');
    expect(read(dataset, 'train')).toEqual([
      [0, 0, 1, 1],
      [10, 0, 0, 0],
      [20, 1, 1, 0],
    ]);
    expect(dataset.split('train').targets).toMatchObject({ task: 'labels', width: 3 });
    dataset.close();
  });

  it('stand in the order of labels.txt, which knows them all', async () => {
    const table = 'file,labels\nimages/0.png,cat;dog\n';
    const root = set(table, { 'labels.txt': 'dog\nowl\ncat\n' });
    const { info, dataset } = await decodeAndOpen(root, `${root}.cache`);
    expect(info.classes).toEqual(['dog', 'owl', 'cat']);
    expect(read(dataset, 'train')).toEqual([[0, 1, 0, 1]]);
    dataset.close();
    const other = set(table, { 'labels.txt': 'dog\nowl\n' });
    const error = await failure(decodeAndOpen(other, `${other}.cache`), 'DATA_CORRUPT');
    expect(error.message).toContain('line 2: the label "cat" is not in labels.txt');
  });

  it('are columns of nothing but 0 and 1', async () => {
    const root = set('file,sun,rain\nimages/3.png,1,0\nimages/4.png,1,1\n');
    const { info, dataset } = await decodeAndOpen(join(root, 'labels.csv'), `${root}.cache`);
    expect(info).toMatchObject({ task: 'labels', classes: ['sun', 'rain'] });
    expect(read(dataset, 'train')).toEqual([
      [30, 1, 0],
      [40, 1, 1],
    ]);
    dataset.close();
  });
});

describe('values', () => {
  it('are columns of numbers, in splits that the table names', async () => {
    const root = set(
      'file,split,age,height\nimages/0.png,train,1.5,-2\nimages/1.png,Validation,2,1e3\n' +
        'images/2.png,test,0,0\nimages/3.png,train,7,8\n',
    );
    const { info, dataset } = await decodeAndOpen(root, `${root}.cache`);
    expect(info).toMatchObject({
      task: 'values',
      classes: ['age', 'height'],
      counts: { train: 2, val: 1, test: 1 },
    });
    expect(read(dataset, 'train')).toEqual([
      [0, 1.5, -2],
      [30, 7, 8],
    ]);
    expect(read(dataset, 'val')).toEqual([[10, 2, 1000]]);
    expect(read(dataset, 'test')).toEqual([[20, 0, 0]]);
    dataset.close();
  });

  it('are held back with their images where the table names no split', async () => {
    const lines = pngs.map((_, i) => `images/${i}.png,${i * 10}.0`);
    const root = set(`file,level\n${lines.join('\n')}\n`);
    const shares = { valFraction: 0.3, testFraction: 0.2 };
    const { info, dataset } = await decodeAndOpen(root, `${root}.cache`, shares);
    expect(info.counts).toEqual({ train: 3, val: 2, test: 1 });
    const all = (['train', 'val', 'test'] as const).flatMap((name) => read(dataset, name));
    // Each level beside its own image, wherever it went.
    expect(all.every(([pixel, level]) => pixel === level)).toBe(true);
    expect(new Set(all.map(([pixel]) => pixel)).size).toBe(6);
    dataset.close();
  });

  it('are values, too, where 0 and 1 are written with a point', async () => {
    const root = set('file,share\nimages/0.png,0.0\nimages/1.png,1.0\n');
    const { info, dataset } = await decodeAndOpen(root, `${root}.cache`);
    expect(info.task).toBe('values');
    dataset.close();
  });

  it('come in batches in the order of their images', async () => {
    const lines = pngs.map((_, i) => `images/${i}.png,${i * 10}.5,${i}`);
    const root = set(`file,level,index\n${lines.join('\n')}\n`);
    const { dataset } = await decodeAndOpen(root, `${root}.cache`);
    const order = { batchSize: 4, seed: 3, shuffle: true, augment: null, samplesPerEpoch: null };
    const loader = new BatchLoader(dataset.split('train'), order);
    const seen: number[] = [];
    for (let batch = await loader.next(); batch !== null; batch = await loader.next()) {
      expect(batch.targets).toHaveLength(batch.count * 2);
      for (let i = 0; i < batch.count; i++) {
        const level = batch.images[i * 18]!;
        expect([...batch.targets!.subarray(i * 2, i * 2 + 2)]).toEqual([level + 0.5, level / 10]);
        seen.push(level);
      }
    }
    expect(seen.sort((a, b) => a - b)).toEqual([0, 10, 20, 30, 40, 50]);
    dataset.close();
  });
});

describe('a table that cannot be right', () => {
  it.each([
    ['', 1, 'it lists no images'],
    ['file,x\n', 1, 'it lists no images'],
    ['image,x\nimages/0.png,1', 1, 'there is no column "file"'],
    ['file,split\nimages/0.png,train', 1, 'no column tells anything of the images'],
    ['file,x,x\nimages/0.png,1,2', 1, 'the column "x" is there twice'],
    ['file,x,\nimages/0.png,1,2', 1, 'a column has no name'],
    ['file,labels,age\nimages/0.png,a,2', 1, 'the column "age" is unknown beside "labels"'],
    ['file,labels\nimages/0.png,\n', 1, 'no image has any label'],
    ['file,x\nimages/0.png,2\nimages/1.png', 3, '1 cells, the header has 2'],
    ['file,x\nimages/0.png,2\nimages/1.png,two', 3, '"two" in the column "x" is not a number'],
    ['file,x\nimages/0.png,\n', 2, '"" in the column "x" is not a number'],
    ['file,x\nimages/0.png,1e39\n', 2, '"1e39" in the column "x" is not a number'],
    ['file,x\nimages/0.png,2\nimages/9.png,3', 3, 'there is no image "images/9.png"'],
    ['file,x\nimages,2', 2, 'there is no image "images"'],
    ['file,x\nimages/0.png,2\n./images/0.png,3', 3, 'is there already, in line 2'],
    ['file,x\n../other/0.png,2', 2, 'is no file within the folder'],
    ['file,x\nimages/../../0.png,2', 2, 'is no file within the folder'],
    ['file,x\n/etc/hostname,2', 2, 'is no file within the folder'],
    ['file,x,split\nimages/0.png,2,all', 2, 'the split "all" is none of train, val and test'],
    ['file,x\nimages/0.png,"2', 2, 'a quote is never closed'],
    [Uint8Array.of(0x66, 0xff, 0xfe), 1, 'it is no text in UTF-8'],
  ])('%j is refused', async (table, line, what) => {
    const root = set(table);
    const cache = `${root}.cache`;
    const error = await failure(decodeDataset(root, cache, keepAll, silentContext), 'DATA_CORRUPT');
    expect(error.message).toContain(`labels.csv, line ${line}: `);
    expect(error.message).toContain(what);
    expect(error.details).toMatchObject({ line });
  });

  it('leaves out images that cannot be decoded, with their targets, only where it is told to', async () => {
    const root = set('file,x\nimages/0.png,2\nbroken.png,3\nimages/2.png,4\n', {
      'broken.png': 'no image',
    });
    await failure(decodeAndOpen(root, `${root}.cache`), 'DATA_IMAGE_UNREADABLE');
    const { dataset } = await decodeAndOpen(root, `${root}.cache`, { onUnreadable: 'skip' });
    expect(read(dataset, 'train')).toEqual([
      [0, 2],
      [20, 4],
    ]);
    dataset.close();
  });
});
