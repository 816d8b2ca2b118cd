// The images of the sample project are what their README says.
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentContext } from '../../../src-main/engine/context';
import { decodeDataset, openDataset } from '../../../src-main/engine/data/decode';
import { defaultDecodeOptions } from '../../../src-main/engine/data/defaults';
import type { SplitName } from '../../../src-main/engine/data/types';
import { tempFolder } from './support';

const images = resolve(__dirname, '..', '..', '..', 'resources', 'sample', 'images');
const cacheFile = join(tempFolder(), 'cache');

describe('the sample images', () => {
  it('take at most 8 MB', () => {
    const bytes = readdirSync(images).map((name) => statSync(join(images, name)).size);
    expect(bytes.reduce((a, b) => a + b, 0)).toBeLessThan(8e6);
  });

  it('are equally many of each of ten classes, in every split', async () => {
    const info = await decodeDataset(images, cacheFile, defaultDecodeOptions, silentContext);
    expect(info).toMatchObject({
      format: 'idx',
      ...{ height: 28, width: 28, channels: 1 },
      counts: { train: 13_500, val: 1500, test: 2000 },
    });
    expect(info.classes).toHaveLength(10);
    expect(info.classes[9]).toBe('Ankle boot');
    const dataset = openDataset(cacheFile);
    const perClass = (name: SplitName): number[] =>
      info.classes.map((_, c) => dataset.split(name).labels.filter((label) => label === c).length);
    expect(perClass('train')).toEqual(new Array(10).fill(1350));
    expect(perClass('val')).toEqual(new Array(10).fill(150));
    expect(perClass('test')).toEqual(new Array(10).fill(200));
    dataset.close();
  });
});
