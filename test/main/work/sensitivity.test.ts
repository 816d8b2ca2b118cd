import { beforeEach, describe, expect, it } from 'vitest';
import { defaultPruneOptions } from '../../../src-main/engine/prune';
import { isComplete } from '../../../src-main/engine/prune/sensitivity';
import type { JobOutput, PruneRequest, SensitivityRequest } from '../../../src-main/jobs/types';
import { checkRequest } from '../../../src-main/jobs/resolve';
import { answers } from '../../../src-main/jobs/work/answer';
import { openProject, errorOf } from '../support';
import { cancellation, run, toyProject, type Toy } from './support';

let toy: Toy;
beforeEach(async () => {
  toy = await toyProject();
});

const request = (changes: Partial<SensitivityRequest['options']> = {}): SensitivityRequest => ({
  kind: 'sensitivity',
  version: toy.version,
  data: toy.data,
  options: {
    criterion: 'l1',
    grid: [0.84, 0.5, 0.2],
    samples: 10,
    recalibrate: true,
    seed: 0,
    ...changes,
  },
});

const prune = (changes: Partial<PruneRequest['options']> = {}): PruneRequest => ({
  kind: 'prune',
  version: toy.version,
  options: { ...defaultPruneOptions, scope: 'sensitivity', ...changes },
  steps: 1,
  data: null,
  recalibrate: false,
  fineTune: null,
  measure: false,
  name: 'slim',
});

const typesOf = (outputs: readonly JobOutput[]): string[] => outputs.map(({ type }) => type);

describe('sensitivity analysis as a job', () => {
  it('stores a map of the version, a point for each group and width', async () => {
    const { outputs, log } = await run(toy.project, request());
    expect(typesOf(outputs)).toEqual(['sensitivity', ...new Array(3).fill('sensitivity-point')]);
    const [record, ...others] = await toy.project.sensitivity(toy.version);
    expect(others).toEqual([]);
    expect(record).toMatchObject({ version: toy.version, data: toy.data });
    const { map } = record!;
    expect(map).toMatchObject({ options: request().options, split: 'val', samples: 10 });
    expect(map.groups).toEqual([
      { group: 0, layers: ['stem', 'block'], channels: 6, widths: [5, 3, 1] },
    ]);
    expect(map.points.map(({ group, kept }) => [group, kept])).toEqual([
      [0, 5],
      [0, 3],
      [0, 1],
    ]);
    const told = outputs.flatMap((output) =>
      output.type === 'sensitivity-point' ? [output.point] : [],
    );
    expect(map.points).toEqual(told);
    expect(isComplete(map)).toBe(true);
    expect(log).toEqual(['Scored on 10 images of the split "val".']);
  });

  it('goes on where it was cancelled, with the same points in the end', async () => {
    const cancelled = run(toy.project, request(), {
      cancelAt: ({ label }) => label.includes('at 1 of 6'),
    });
    await expect(cancelled).rejects.toBe(cancellation);
    const [half] = await toy.project.sensitivity(toy.version);
    expect(half!.map.points).toHaveLength(2);
    expect(isComplete(half!.map)).toBe(false);

    const { outputs, log } = await run(toy.project, request());
    expect(typesOf(outputs)).toEqual(['sensitivity-point']);
    expect(log).toContain('2 points of an earlier run are used.');
    const [whole, ...others] = await toy.project.sensitivity(toy.version);
    expect(others).toEqual([]);
    expect(whole!.id).toBe(half!.id);

    const fresh = await toyProject();
    const elsewhere = { ...request(), version: fresh.version, data: fresh.data };
    await run(fresh.project, elsewhere);
    const [unbroken] = await fresh.project.sensitivity(fresh.version);
    expect(whole!.map).toEqual(unbroken!.map);
  });

  it('keeps its points in a project that is opened again', async () => {
    await run(toy.project, request());
    const before = await toy.project.sensitivity(toy.version);
    const { folder } = toy.project;
    await toy.project.close();
    const again = await openProject(folder);
    expect(await again.sensitivity(toy.version)).toEqual(before);
  });

  it('takes up a map however the grid is written, and begins another with any other option', async () => {
    await run(toy.project, request());
    expect((await run(toy.project, request({ grid: [0.2, 0.84, 0.5, 0.5] }))).outputs).toEqual([]);
    for (const changes of [{ seed: 1 }, { samples: 9 }, { recalibrate: false }, { grid: [0.5] }]) {
      expect(typesOf((await run(toy.project, request(changes))).outputs)[0]).toBe('sensitivity');
    }
    expect(await toy.project.sensitivity(toy.version)).toHaveLength(5);
  });

  it('refuses a grid that holds no shares, and stores nothing', async () => {
    await errorOf(run(toy.project, request({ grid: [1] })), 'INVALID_ARGUMENT');
    expect(await toy.project.sensitivity(toy.version)).toEqual([]);
  });
});

describe('pruning by sensitivity', () => {
  it('is refused before it waits when there is no finished map by the same criterion', async () => {
    const none = await errorOf(checkRequest(toy.project, prune()), 'NOT_FOUND');
    expect(none.message).toBe('There is no sensitivity map of "toy" by l1.');
    expect(none.hint).toContain('sensitivity');

    const cancelled = run(toy.project, request(), {
      cancelAt: ({ label }) => label.includes('at 1 of 6'),
    });
    await expect(cancelled).rejects.toBe(cancellation);
    const half = await errorOf(checkRequest(toy.project, prune()), 'NOT_FOUND');
    expect(half.message).toContain('is not finished');

    await run(toy.project, request());
    await checkRequest(toy.project, prune());
    await errorOf(checkRequest(toy.project, prune({ criterion: 'l2' })), 'NOT_FOUND');
    const selected = await errorOf(
      checkRequest(toy.project, prune({ trunk: 'select' })),
      'NOT_FOUND',
    );
    expect(selected.message).toContain('by l1, select');
  });

  it('cuts to the budget, in steps too, and previews the same cut', async () => {
    await run(toy.project, request());
    const { project } = toy;
    await run(project, prune());
    const [parent, made] = await project.versions();
    expect(made!.macs).toBeLessThanOrEqual(parent!.macs / 2);

    const { file, summary } = await project.versionRow(toy.version);
    const { map } = await project.sensitivityMap(toy.version, { criterion: 'l1' });
    const preview = await answers.preview({
      file,
      options: prune().options,
      bytesBefore: summary.bytes,
      sensitivity: map,
      data: null,
      steps: 1,
      schedule: 'linear',
    });
    expect(preview.after).toMatchObject({ macs: made!.macs, params: made!.params });

    await run(project, { ...prune(), steps: 2 });
    const stepped = (await project.versions()).at(-1)!;
    expect(stepped.macs).toBeLessThanOrEqual(parent!.macs / 2);
  });
});
