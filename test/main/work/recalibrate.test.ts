import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../src-main/engine/graph/build';
import { createRng } from '../../../src-main/engine/graph/rng';
import { decodeModel } from '../../../src-main/engine/graph/serialize';
import type { RecalibrateRequest } from '../../../src-main/jobs/types';
import { toyClasses, toyModel } from '../../engine/train/toy';
import { errorOf } from '../support';
import { addModel, run, toyProject, type Toy } from './support';

const requestOf = ({ version, data }: Toy): RecalibrateRequest => ({
  kind: 'recalibrate',
  version,
  data,
  options: { batches: 4, batchSize: 16, seed: 0 },
  name: null,
});

describe('recalibration as a job', () => {
  it('makes a version that differs in statistics alone, with an accuracy of its own', async () => {
    const toy = await toyProject();
    await run(toy.project, requestOf(toy));
    const made = (await toy.project.versions()).at(-1)!;
    expect(made).toMatchObject({
      name: 'toy-recalibrated',
      parent: toy.version,
      operation: 'recalibrate',
      accuracy: { split: 'test', samples: 24 },
    });
    expect((await toy.project.versions())[0]!.accuracy).toBeNull();
    const graphs = await Promise.all(
      [toy.version, made.id].map(async (id) => {
        const { file } = await toy.project.versionSource(id);
        return decodeModel(await readFile(file)).graph;
      }),
    );
    const changed = [...graphs[0]!.weights]
      .filter(([id, { data }]) => {
        const now = graphs[1]!.weights.get(id)!.data;
        return data.some((value, i) => value !== now[i]);
      })
      .map(([id]) => id);
    expect(changed).toEqual(['bn1/mean', 'bn1/variance', 'bn2/mean', 'bn2/variance']);
  });

  it('refuses a network without batch norm', async () => {
    const toy = await toyProject();
    const b = new GraphBuilder('plain', { rng: createRng(1) });
    b.output(b.dense(b.flatten(b.input('image', [8, 8, 3])), { units: toyClasses }));
    const version = await addModel(toy.project, { ...toyModel(), graph: b.build() }, 'plain');
    const error = await errorOf(
      run(toy.project, requestOf({ ...toy, version })),
      'INVALID_ARGUMENT',
    );
    expect(error.message).toContain('plain has no batch norm');
    expect(await toy.project.versions()).toHaveLength(2);
  });
});
