// Folders of images in the shapes that are about: splits, nesting, links, strangers, damage.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { silentContext } from '../../../src-main/engine/context';
import { decodeDataset } from '../../../src-main/engine/data/decode';
import type { DatasetInfo, DecodeOptions } from '../../../src-main/engine/data/types';
import { decodeAndOpen, failure, keepAll, put, samplesOf, tempFolder } from './support';

const folder = tempFolder();
/** A 2 x 3 PNG of one colour for each level. */
const pngs = new Map<number, Buffer>();
const levels = [10, 20, 30, 40, 50];

beforeAll(async () => {
  for (const level of levels) {
    const raw = { width: 3, height: 2, channels: 3 } as const;
    pngs.set(level, await sharp(new Uint8Array(18).fill(level), { raw }).png().toBuffer());
  }
});

let made = 0;
/** Writes a tree: number is an image of that level, string a text file, null an empty folder. */
function tree(files: Readonly<Record<string, number | string | null>>): string {
  const root = join(folder, `set-${made++}`);
  for (const [name, content] of Object.entries(files)) {
    if (content === null) mkdirSync(join(root, name), { recursive: true });
    else put(join(root, name), typeof content === 'number' ? pngs.get(content)! : content);
  }
  return root;
}

/** Level of each sample of each split, with its class. */
async function read(
  path: string,
  options: Partial<DecodeOptions> = {},
): Promise<{ info: DatasetInfo; train: string[]; val: string[]; test: string[] }> {
  const { info, dataset } = await decodeAndOpen(path, `${path}.cache`, options);
  const levelsOf = (name: 'train' | 'val' | 'test'): string[] => {
    const split = dataset.split(name);
    return samplesOf(split).map((s, i) => `${info.classes[split.labels[i]!]} ${s[0]}`);
  };
  const result = { info, train: levelsOf('train'), val: levelsOf('val'), test: levelsOf('test') };
  dataset.close();
  return result;
}

const refused = (path: string, options: Partial<DecodeOptions> = {}): Promise<unknown> =>
  decodeDataset(path, `${path}.cache`, { ...keepAll, ...options }, silentContext);

describe('image folder', () => {
  it('takes sub-folders as classes, in order of their names', async () => {
    const path = tree({ 'b/2.png': 20, 'b/10.png': 10, 'a/x.PNG': 30, '10/z.png': 40 });
    const { info, train } = await read(path);
    expect(info).toMatchObject({
      format: 'image-folder',
      classes: ['10', 'a', 'b'],
      ...{ height: 2, width: 3, channels: 3 },
      counts: { train: 4, val: 0, test: 0 },
    });
    expect(train).toEqual(['10 40', 'a 30', 'b 10', 'b 20']);
  });

  it('follows labels.txt in the order of classes', async () => {
    const path = tree({ 'cat/1.png': 10, 'dog/1.png': 20, 'labels.txt': 'dog\ncat\n' });
    expect((await read(path)).train).toEqual(['cat 10', 'dog 20']);
    expect((await read(path)).info.classes).toEqual(['dog', 'cat']);
    put(join(path, 'labels.txt'), 'dog\nbird\n');
    expect((await failure(refused(path), 'DATA_MISMATCH')).message).toContain('cat');
  });

  it.each([
    ['train', 'val', 'test'],
    ['Training', 'validation', 'testing'],
    ['train', 'valid', 'test'],
  ])('takes the folders %s, %s and %s as splits', async (train, val, test) => {
    const path = tree({
      [`${train}/a/1.png`]: 10,
      [`${train}/b/1.png`]: 20,
      [`${val}/b/1.png`]: 30,
      [`${test}/a/1.png`]: 40,
      'notes/readme.txt': 'x',
    });
    const result = await read(path, { valFraction: 0.4, testFraction: 0.4 });
    expect(result).toMatchObject({ train: ['a 10', 'b 20'], val: ['b 30'], test: ['a 40'] });
  });

  it('steps into a single folder around everything', async () => {
    const path = tree({ 'set/images/a/1.png': 10, 'set/images/b/1.png': 20 });
    const { info, train } = await read(path);
    expect(train).toEqual(['a 10', 'b 20']);
    expect(info.notes.join()).toContain('Everything lies in images');
  });

  it('finds images deeper inside a class and leaves strangers out', async () => {
    const path = tree({
      'a/1.png': 10,
      'a/session/2.png': 20,
      'a/._1.png': 'resource fork',
      'a/.cache/3.png': 30,
      'a/notes.txt': 'x',
      '.git/config': 'x',
      '__MACOSX/a/1.png': 'x',
      'b/1.png': 40,
      'readme.md': 'x',
    });
    const { info, train } = await read(path);
    expect(train).toEqual(['a 10', 'a 20', 'b 40']);
    expect(info.notes.join()).toContain('2 files without an image extension were left out');
  });

  it('follows links, and does not walk in circles', async () => {
    const path = tree({ 'a/1.png': 10, 'b/1.png': 20, '../store/c/1.png': 30 });
    symlinkSync(join(path, '..', 'store', 'c'), join(path, 'c'));
    symlinkSync(join(path, 'a', '1.png'), join(path, 'b', '2.png'));
    symlinkSync(join(path, 'a'), join(path, 'a', 'again'));
    expect((await read(path)).train).toEqual(['a 10', 'b 20', 'b 10', 'c 30']);
    symlinkSync(join(path, 'gone.png'), join(path, 'b', '3.png'));
    expect((await failure(refused(path), 'DATA_IMAGE_UNREADABLE')).message).toContain('3.png');
  });

  it('keeps the index of a class without images, and says so', async () => {
    const { info, train } = await read(tree({ 'a/1.png': 10, b: null, 'c/1.png': 20 }));
    expect(info.classes).toEqual(['a', 'b', 'c']);
    expect(train).toEqual(['a 10', 'c 20']);
    expect(info.notes.join()).toContain('No images at all in: b');
  });

  it('takes names with brackets, blanks, quotes and accents', async () => {
    const path = tree({ 'T-shirt [top]/a b\'"[1].png': 10, 'é ü/%20.png': 20 });
    expect((await read(path)).train).toEqual(['T-shirt [top] 10', 'é ü 20']);
  });

  it('brings images to the size of the first, or to the one asked for', async () => {
    const path = tree({ 'a/1.png': 10, 'b/1.png': 20 });
    const raw = { width: 9, height: 9, channels: 3 } as const;
    const other = await sharp(new Uint8Array(243).fill(77), { raw }).png().toBuffer();
    put(join(path, 'b', '2.png'), other);
    const natural = await read(path);
    expect(natural.info).toMatchObject({ height: 2, width: 3 });
    expect(natural.train).toEqual(['a 10', 'b 20', 'b 77']);
    const sized = await read(path, { size: { height: 4, width: 6 }, channels: 1, fit: 'fill' });
    expect(sized.info).toMatchObject({ height: 4, width: 6, channels: 1 });
    expect(sized.train).toEqual(['a 10', 'b 20', 'b 77']);
  });

  it('stops at an unreadable image and names it, or leaves it out and says so', async () => {
    const path = tree({ 'a/0.png': 'damaged', 'a/1.png': 10, 'b/1.png': 20, 'b/2.jpg': '' });
    const error = await failure(refused(path), 'DATA_IMAGE_UNREADABLE');
    expect(error.message).toContain(join(path, 'a', '0.png'));
    const { info, train } = await read(path, { onUnreadable: 'skip' });
    expect(train).toEqual(['a 10', 'b 20']);
    expect(info.counts.train).toBe(2);
    expect(info.notes.filter((note) => note.startsWith('Left out:'))).toHaveLength(2);
    const none = tree({ 'a/1.png': 'x', 'b/1.png': 'x' });
    const options = { onUnreadable: 'skip', size: { height: 2, width: 2 }, channels: 3 } as const;
    await failure(refused(none, options), 'DATA_IMAGE_UNREADABLE');
    await failure(refused(none, { onUnreadable: 'skip' }), 'DATA_IMAGE_UNREADABLE');
  });

  it.runIf(process.platform === 'linux')('refuses names that are not UTF-8', async () => {
    const path = tree({ 'a/1.png': 10, 'b/1.png': 20 });
    const odd = Buffer.concat([
      Buffer.from(join(path, 'b/')),
      Buffer.from([0xff]),
      Buffer.from('.png'),
    ]);
    writeFileSync(odd, pngs.get(30)!);
    const error = await failure(refused(path), 'DATA_IMAGE_UNREADABLE');
    expect(error.message).toContain('UTF-8');
    expect((await read(path, { onUnreadable: 'skip' })).train).toEqual(['a 10', 'b 20']);
  });

  it('refuses what is no folder of classes', async () => {
    const hint = 'one sub-folder of images for each of at least two classes';
    const cases = [
      tree({ '1.png': 10, '2.png': 20 }),
      tree({ 'only/1.png': 10 }),
      tree({ 'a/x.txt': 'x', 'b/y.txt': 'y' }),
      tree({ '.hidden': 'x' }),
      tree({ 'train/1.png': 10, 'test/1.png': 20 }),
    ];
    for (const path of cases) {
      expect((await failure(refused(path), 'DATA_FORMAT_UNKNOWN')).hint).toContain(hint);
    }
    const text = put(join(folder, 'file.txt'), 'x');
    await failure(refused(text), 'DATA_FORMAT_UNKNOWN');
    await failure(refused(join(folder, 'nowhere')), 'FILE_UNREADABLE');
  });

  it('refuses splits whose classes differ, and two folders for one split', async () => {
    const path = tree({ 'train/a/1.png': 10, 'train/b/1.png': 20, 'test/B/1.png': 30 });
    expect((await failure(refused(path), 'DATA_MISMATCH')).message).toContain('lacks: B');
    const twice = tree({ 'val/a/1.png': 10, 'valid/b/1.png': 20 });
    expect((await failure(refused(twice), 'DATA_FORMAT_UNKNOWN')).message).toContain('val');
  });

  it('asks for a size when the images are large', async () => {
    const path = tree({ 'a/2.png': 10, 'b/1.png': 20 });
    const large = sharp({ create: { width: 1200, height: 1100, channels: 3, background: 'red' } });
    put(join(path, 'a', '1.png'), await large.png().toBuffer());
    expect((await failure(refused(path), 'INVALID_ARGUMENT')).message).toContain('1100 x 1200');
    expect((await read(path, { size: { height: 2, width: 2 } })).train).toHaveLength(3);
  });
});
