// The images and the model of the sample project are what their README says.
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentContext } from '../../../src-main/engine/context';
import { decodeDataset, openDataset } from '../../../src-main/engine/data/decode';
import { defaultDecodeOptions } from '../../../src-main/engine/data/defaults';
import { checkFit } from '../../../src-main/engine/data/fit';
import type { SplitName } from '../../../src-main/engine/data/types';
import { readModel } from '../../../src-main/engine/formats/table';
import { evaluate } from '../../../src-main/engine/measure/accuracy';
import { tempFolder } from './support';

const sample = resolve(__dirname, '..', '..', '..', 'resources', 'sample');
const images = join(sample, 'images');
const cacheFile = join(tempFolder(), 'cache');

function bytesIn(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

describe('the sample images', () => {
  it('take at most 8 MB', () => {
    expect(bytesIn(images)).toBeLessThan(8e6);
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

describe('the sample model', () => {
  const folder = join(sample, 'model');

  it('takes at most 1.5 MB', () => {
    expect(bytesIn(folder)).toBeLessThan(1.5e6);
  });

  it('fits the images and knows at least nine in ten of the test images', async () => {
    const info = await decodeDataset(images, cacheFile, defaultDecodeOptions, silentContext);
    const { model, preprocessingKnown } = await readModel(
      join(folder, 'model.json'),
      silentContext,
    );
    expect(preprocessingKnown).toBe(true);
    expect(model.labels).toEqual(info.classes);
    checkFit(info, model);
    const dataset = openDataset(cacheFile);
    const { top1 } = await evaluate(model, dataset.split('test'), 'test', silentContext);
    dataset.close();
    expect(top1).toBeGreaterThan(0.9);
  });
});
