// Data with several labels an image, and with values, from the folder to the comparison of versions.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer, secateur } from './program';

interface VersionAnswer {
  readonly accuracy: Readonly<Record<string, unknown>>;
  readonly evaluation: Readonly<Record<string, unknown>>;
  readonly history: readonly Readonly<Record<string, unknown>>[];
}

const side = 12;
const count = 40;

/** Images that are bright above or below, or both; what they show stands in the tables. */
async function makeFolder(folder: string, header: string, tell: (i: number) => string) {
  await mkdir(folder);
  const lines = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const pixels = Uint8Array.from({ length: side * side }, (_, at) => {
        const lit = at < (side * side) / 2 ? i & 1 : i & 2;
        return (lit ? 200 : 20) + ((at * 7 + i * 13) % 20);
      });
      const raw = { width: side, height: side, channels: 1 } as const;
      await sharp(pixels, { raw })
        .png()
        .toFile(join(folder, `${i}.png`));
      return `${i}.png,${tell(i)}`;
    }),
  );
  await writeFile(join(folder, 'labels.csv'), `file,${header}\n${lines.join('\n')}\n`);
}

describe('other tasks than one class an image', { timeout: 180_000 }, () => {
  let folder: string;
  let project: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'secateur-tasks-'));
    project = join(folder, 'project');
    await answer('create', project);
    const model = join(folder, 'model');
    await answer('zoo', 'write', 'lenet5', model, '--input', '12,12,1', '--classes', '2');
    await answer('import', project, join(model, 'model.json'), '--name', 'net');
    const gray = ['--channels', '1'];
    // Each split has images of all four kinds.
    const split = (i: number): string => ['train', 'train', 'val', 'train', 'test'][(i >> 2) % 5]!;
    await makeFolder(join(folder, 'labels'), 'labels,split', (i) =>
      [[i & 1 ? 'above' : '', i & 2 ? 'below' : ''].filter(Boolean).join(';'), split(i)].join(),
    );
    await makeFolder(join(folder, 'values'), 'above,below,split', (i) =>
      [i & 1 ? 1.5 : -1, i & 2 ? 2.5 : 0.5, split(i)].join(),
    );
    await answer('data', 'add', project, join(folder, 'labels'), '--name', 'labels', ...gray);
    await answer('data', 'add', project, join(folder, 'values'), '--name', 'values', ...gray);
  }, 180_000);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  const training = [
    '--epochs',
    '6',
    '--batch',
    '8',
    '--no-flip',
    '--pad-crop',
    '0',
    '--lr',
    '0.01',
  ];

  it('trains, evaluates and compares by macro-F1 where an image has several labels', async () => {
    const words = ['train', project, 'net', '--data', 'labels', '--optimizer', 'adam'];
    const made = await answer<VersionAnswer>(...words, ...training, '--name', 'labelled');
    expect(made.accuracy).toMatchObject({ data: 'labels', task: 'labels', split: 'test' });
    expect(made.accuracy['macroF1']).toBeGreaterThan(0.9);
    expect(made.accuracy).not.toHaveProperty('top1');
    expect(made.history.at(-1)!['valMacroF1']).toBeTypeOf('number');

    const told = await secateur('evaluate', project, 'labelled', '--data', 'labels');
    expect(told.code).toBe(0);
    expect(told.stdout).toMatch(
      /macro-F1 [\d.]+ %, micro-F1 [\d.]+ %, [\d.]+ % of the labels right/,
    );
    expect(told.stdout).toMatch(/^above +\d+ +[\d.]+ % +[\d.]+ %$/m);
    expect(told.stdout).not.toContain('top-1');
  });

  it('trains, evaluates and compares by the mean absolute error of values', async () => {
    const words = ['train', project, 'net', '--data', 'values', '--value-loss', 'mae'];
    const adam = ['--optimizer', 'adam', '--name', 'valued'];
    const made = await answer<VersionAnswer>(...words, ...training, ...adam);
    expect(made.accuracy).toMatchObject({ data: 'values', task: 'values' });
    expect(made.accuracy['mae']).toBeLessThan(0.6);
    expect(made.history.at(-1)).toMatchObject({ trainAccuracy: null, valAccuracy: null });

    const found = await answer<VersionAnswer>('evaluate', project, 'valued', '--data', 'values');
    expect(found.evaluation).toMatchObject({ task: 'values', mae: made.accuracy['mae'] });
    expect(found.evaluation).not.toHaveProperty('confusion');

    await answer('evaluate', project, 'net', '--data', 'values');
    const compared = await secateur('compare', project, 'net', 'valued');
    expect(compared.stdout).toMatch(/^valued .*MAE 0\.\d+ +-\d/m);
  });

  it('names what is made for classes alone, and networks that cannot do the task', async () => {
    const refused = async (code: string, ...words: readonly string[]): Promise<string> => {
      const ended = await secateur(...words);
      expect(ended.code).not.toBe(0);
      expect(ended.stderr).toContain(code);
      return ended.stderr;
    };
    const map = await refused('DATA_MISMATCH', 'sensitivity', project, 'net', '--data', 'labels');
    expect(map).toContain('need a data set with one class for each image');
    const smooth = ['train', project, 'net', '--data', 'values', '--epochs', '1'];
    await refused('INVALID_ARGUMENT', ...smooth, '--label-smoothing', '0.1');
    const wide = join(folder, 'wide');
    await answer('zoo', 'write', 'lenet5', wide, '--input', '12,12,1', '--classes', '1');
    await answer('import', project, join(wide, 'model.json'), '--name', 'wide');
    const outputs = await refused('DATA_MISMATCH', 'evaluate', project, 'wide', '--data', 'values');
    expect(outputs).toContain('it has 2 values (above, below), the model gives 1 number');
    await writeFile(join(folder, 'values', 'labels.csv'), 'file,x\n0.png,1.5\n1.png,many\n');
    const broken = await refused('DATA_CORRUPT', 'data', 'add', project, join(folder, 'values'));
    expect(broken).toContain('line 3: "many" in the column "x" is not a number');
  });
});
