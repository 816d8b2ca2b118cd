import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { writeModel } from '../../../src-main/engine/formats/table';
import type { Preprocessing } from '../../../src-main/engine/graph/types';
import { buildZoo } from '../../../src-main/engine/zoo';
import type { ImportRequest } from '../../../src-main/jobs/types';
import { toyModel } from '../../engine/train/toy';
import { writeFiles } from '../../../src-main/jobs/work/new-folder';
import { errorOf, tempFolder } from '../support';
import { run, toyProject, type Toy } from './support';

describe('importing as a job', () => {
  let toy: Toy;
  let folder: string;

  beforeEach(async () => {
    toy = await toyProject();
    folder = join(await tempFolder(), 'trained');
    const files = await writeModel(toyModel(), 'tfjs-layers', { precision: 'fp32', name: 'toy' });
    await writeFiles(folder, files);
  });

  const importOf = (changes: Partial<ImportRequest> = {}): ImportRequest => ({
    kind: 'import',
    path: join(folder, 'model.json'),
    name: null,
    preprocessing: null,
    labels: null,
    data: null,
    measure: false,
    ...changes,
  });

  it('makes a version, named after the folder, evaluated and measured', async () => {
    await run(toy.project, importOf({ data: toy.data, measure: true }));
    const version = (await toy.project.versions()).at(-1)!;
    expect(version).toMatchObject({
      name: 'trained',
      parent: null,
      operation: 'import',
      classes: 4,
      inputShape: [8, 8, 3],
      bytesOf: 'tflite',
      accuracy: { split: 'test', samples: 24 },
    });
    expect(version.latency).toMatchObject([{ runtime: 'litert', threads: 1 }]);
    expect((await toy.project.versionRow(version.id)).source.format).toBe('tfjs-layers');
  });

  it('takes its name from a file with a name of its own, and a folder for the model in it', async () => {
    await run(toy.project, importOf({ path: folder }));
    await rename(join(folder, 'model.json'), join(folder, 'net-v2.json'));
    await run(toy.project, importOf({ path: join(folder, 'net-v2.json') }));
    await run(toy.project, importOf({ path: join(folder, 'net-v2.json'), name: 'mine' }));
    const names = (await toy.project.versions()).map(({ name }) => name);
    expect(names).toEqual(['toy', 'trained', 'net-v2', 'mine']);
  });

  it('takes labels and preprocessing that it is told', async () => {
    const labels = ['a', 'b', 'c', 'd'];
    const preprocessing: Preprocessing = {
      scale: 1,
      mean: [1, 2, 3],
      std: [4, 5, 6],
      channelOrder: 'bgr',
    };
    const { outputs } = await run(toy.project, importOf({ labels, preprocessing }));
    expect(outputs).toHaveLength(1);
    await run(toy.project, {
      kind: 'export',
      version: (await toy.project.versions()).at(-1)!.id,
      format: 'tflite',
      precision: 'fp32',
      data: null,
      folder: join(folder, '..', 'out'),
    });
    const written = (name: string): Promise<string> =>
      readFile(join(folder, '..', 'out', name), 'utf8');
    expect(await written('labels.txt')).toBe('a\nb\nc\nd\n');
    expect(JSON.parse(await written('preprocessing.json'))).toMatchObject(preprocessing);
  });

  it.each<[string, Partial<ImportRequest>, RegExp]>([
    ['too few labels', { labels: ['a', 'b'] }, /2 labels .* 4 outputs/],
    [
      'a mean for two channels',
      { preprocessing: { scale: 1, mean: [1, 2], std: [1], channelOrder: 'rgb' } },
      /2 numbers for mean/,
    ],
    [
      'a std of 0',
      { preprocessing: { scale: 1, mean: [0], std: [0], channelOrder: 'rgb' } },
      /not finite/,
    ],
  ])('refuses %s', async (_, changes, message) => {
    const error = await errorOf(run(toy.project, importOf(changes)), 'INVALID_ARGUMENT');
    expect(error.message).toMatch(message);
    expect(await toy.project.versions()).toHaveLength(1);
  });

  it('makes nothing when it is to be evaluated on data that does not fit', async () => {
    const larger = buildZoo('lenet5', { seed: 1, inputShape: [12, 12, 3], classes: 4 });
    const path = join(folder, '..', 'larger');
    const files = await writeModel(larger, 'tfjs-layers', { precision: 'fp32', name: 'larger' });
    await writeFiles(path, files);
    await errorOf(run(toy.project, importOf({ path, data: toy.data })), 'DATA_MISMATCH');
    expect(await toy.project.versions()).toHaveLength(1);
  });
});

describe('a new network as a job', () => {
  it('builds it from the zoo with its seed', async () => {
    const { project } = await toyProject();
    const request = {
      kind: 'zoo',
      architecture: 'lenet5',
      inputShape: [12, 12, 1],
      classes: 3,
      name: null,
    } as const;
    await run(project, { ...request, seed: 1 });
    await run(project, { ...request, seed: 1 });
    await run(project, { ...request, seed: 2 });
    const made = (await project.versions()).slice(1);
    expect(made.map(({ name }) => name)).toEqual(['lenet5', 'lenet5-2', 'lenet5-3']);
    const files = await Promise.all(
      made.map(async ({ id }) => (await project.versionSource(id)).file),
    );
    // Blobs are named after their content.
    expect(files[1]).toBe(files[0]);
    expect(files[2]).not.toBe(files[0]);
    await errorOf(run(project, { ...request, architecture: 'lenet', seed: 1 }), 'NOT_FOUND');
  });
});
