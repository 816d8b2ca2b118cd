import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { scoreOf } from '../../../src-main/engine/measure/score';
import { beforeEach, describe, expect, it } from 'vitest';
import packageJson from '../../../package.json';
import type { Accuracy } from '../../../src-main/engine/measure/types';
import type { LayerReport } from '../../../src-main/engine/prune/types';
import type { EpochRecord } from '../../../src-main/engine/train/types';
import { Database } from '../../../src-main/project/database';
import { newId } from '../../../src-main/project/names';
import type { Project } from '../../../src-main/project/project';
import {
  accuracyOf,
  addDataset,
  addVersion,
  draftOf,
  errorOf,
  latencyOf,
  newJob,
  newProject,
  openProject,
  queuedJob,
  stage,
} from '../support';

const report: LayerReport = {
  node: 'conv',
  name: 'conv',
  op: 'conv2d',
  group: 0,
  from: 16,
  to: 8,
  paramsFrom: 160,
  paramsTo: 80,
  macsFrom: 1000,
  macsTo: 500,
  code: 'CUT',
  reason: 'Half of its channels were cut.',
  cause: null,
};

const epoch: EpochRecord = {
  epoch: 1,
  learningRate: 0.1,
  trainLoss: 1.5,
  trainAccuracy: 0.5,
  valLoss: null,
  valAccuracy: null,
  imagesPerSecond: 100,
};

describe('Project', () => {
  let project: Project;
  const names = async (): Promise<string[]> => (await project.versions()).map(({ name }) => name);

  beforeEach(async () => {
    project = await newProject();
  });

  describe('versions', () => {
    it('are stored with all that is known of them', async () => {
      const parent = await addVersion(project);
      const job = await newJob(project);
      const blob = await stage(project, job);
      const equivalence = { maxAbsDiff: 1e-6, samples: 4, tolerance: 1e-4, passed: true };
      const draft = draftOf(blob, {
        parent,
        suggestedName: 'sample-l1-50',
        operation: 'prune',
        options: { target: { macs: 0.5 } },
        equivalence,
        layers: [report],
        history: [epoch],
      });
      const id = await project.commit({ type: 'version', draft }, job);

      const row = await project.versionRow(id);
      expect(row.summary).toEqual({
        id,
        name: 'sample-l1-50',
        parent,
        operation: 'prune',
        createdAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
        params: 1000,
        macs: 3_800_000_000,
        bytes: 4321,
        bytesOf: 'tflite',
        inputShape: [28, 28, 1],
        classes: 10,
        accuracy: null,
        latency: [],
        equivalence,
        damaged: false,
      });
      expect(row).toMatchObject({
        file: join(project.folder, 'blobs', blob.sha256),
        cost: draft.cost,
        source: draft.source,
        options: { target: { macs: 0.5 } },
        engineVersion: packageJson.version,
        seed: 7,
        layerReports: [report],
        history: [epoch],
      });
      expect((await project.state()).jobs.at(-1)).toMatchObject({ id: job, versions: [id] });
    });

    it('are the same after closing and opening', async () => {
      const id = await addVersion(project);
      const before = await project.state();
      await project.close();
      const again = await openProject(project.folder);
      expect((await again.state()).versions).toEqual(before.versions);
      expect(await readFile((await again.versionSource(id)).file)).toHaveLength(100);
    });

    it('get names of their own', async () => {
      for (let i = 0; i < 3; i++) await addVersion(project);
      await addVersion(project, { suggestedName: 'a/b' });
      expect(await names()).toEqual(['sample', 'sample-2', 'sample-3', 'a-b']);
    });

    it('get names of their own also when they come at the same time', async () => {
      await Promise.all(Array.from({ length: 8 }, () => addVersion(project)));
      expect(new Set(await names()).size).toBe(8);
    });

    it('are found by id and by name', async () => {
      const id = await addVersion(project);
      expect((await project.findVersion('SAMPLE')).id).toBe(id);
      expect((await project.findVersion(id)).name).toBe('sample');
      const error = await errorOf(project.findVersion('sampel'), 'NOT_FOUND');
      expect(error.hint).toContain('"sample"');
    });

    it('can be renamed, but not to a name that is taken', async () => {
      const id = await addVersion(project);
      await addVersion(project, { suggestedName: 'other' });
      await project.rename(id, ' first ');
      expect(await names()).toEqual(['first', 'other']);
      await errorOf(project.rename(id, 'OTHER'), 'ALREADY_EXISTS');
      await errorOf(project.rename(id, 'a/b'), 'INVALID_ARGUMENT');
      await project.rename(id, 'First');
      expect(await names()).toEqual(['First', 'other']);
    });

    it('tell their ancestors', async () => {
      const a = await addVersion(project, { suggestedName: 'a' });
      const b = await addVersion(project, { suggestedName: 'b', parent: a, operation: 'prune' });
      const c = await addVersion(project, { suggestedName: 'c', parent: b, operation: 'train' });
      expect((await project.versionSource(c)).lineage).toEqual([
        { name: 'a', operation: 'import' },
        { name: 'b', operation: 'prune' },
        { name: 'c', operation: 'train' },
      ]);
      const fileOf = async (id: string): Promise<string> => (await project.versionRow(id)).file;
      expect(await project.ancestorFiles(c)).toEqual({
        parent: await fileOf(b),
        original: await fileOf(a),
      });
      expect(await project.ancestorFiles(a)).toEqual({ parent: null, original: null });
    });

    it('are not committed for a parent that does not exist', async () => {
      await errorOf(addVersion(project, { parent: newId('v') }), 'NOT_FOUND');
      expect(await names()).toEqual([]);
      expect(await readdir(project.paths.blobs)).toEqual([]);
    });
  });

  describe('figures', () => {
    it('show the newest accuracy, of the test split before others', async () => {
      const version = await addVersion(project);
      const data = await addDataset(project);
      const job = await newJob(project);
      const add = (top1: number, split?: 'val' | 'test'): Promise<string> =>
        project.commit(
          { type: 'evaluation', version, data, accuracy: accuracyOf(top1, split) },
          job,
        );
      const shown = async (): Promise<unknown> => (await project.findVersion(version)).accuracy;

      expect(await add(0.5, 'val')).toBe(version);
      expect(await shown()).toMatchObject({ split: 'val', top1: 0.5 });
      await add(0.6, 'test');
      await add(0.7, 'test');
      await add(0.9, 'val');
      expect(await shown()).toEqual({
        data,
        dataName: 'digits',
        split: 'test',
        samples: 100,
        task: 'classes',
        top1: 0.7,
        top5: null,
        macroF1: 1,
      });
      const kept = await project.evaluations(version);
      expect(kept.map(({ accuracy }) => scoreOf(accuracy))).toEqual([0.5, 0.6, 0.7, 0.9]);
      expect(kept[0]!.accuracy).toEqual(accuracyOf(0.5, 'val'));
      expect((await project.versionSource(version)).accuracy).toEqual({
        task: 'classes',
        top1: 0.7,
        dataName: 'digits',
      });
    });

    it('show the macro-F1 also of an evaluation that was stored without it', async () => {
      const version = await addVersion(project);
      const data = await addDataset(project);
      const older = ({ macroF1: _, ...stored }: Accuracy): object => stored;
      const accuracy = {
        ...older(accuracyOf(0.5)),
        top5: 0.9,
        confusion: [
          [2, 1],
          [1, 1],
        ],
      } as unknown as Accuracy;
      const output = { type: 'evaluation', version, data, accuracy } as const;
      await project.commit(output, await newJob(project));
      const shown = (await project.findVersion(version)).accuracy;
      expect(shown).toMatchObject({ top1: 0.5, top5: 0.9, macroF1: expect.closeTo(7 / 12, 12) });
      const [kept] = await project.evaluations(version);
      expect(kept!.accuracy).toMatchObject({ macroF1: expect.closeTo(7 / 12, 12) });
    });

    it('show the newest latency of each thread count', async () => {
      const version = await addVersion(project);
      const job = await newJob(project);
      for (const latency of [latencyOf(9), latencyOf(4, 2), latencyOf(8)]) {
        await project.commit({ type: 'measurement', version, latency }, job);
      }
      const { latency } = await project.findVersion(version);
      expect(latency).toEqual([latencyOf(8), latencyOf(4, 2)]);
      expect(await project.measurements(version)).toHaveLength(3);
    });

    it('are refused for a version that does not exist', async () => {
      const job = await newJob(project);
      const output = { type: 'measurement', version: newId('v'), latency: latencyOf(1) } as const;
      await errorOf(project.commit(output, job), 'NOT_FOUND');
    });

    it('compare with the chosen version, or with the oldest', async () => {
      const baseline = async (): Promise<string | null> => (await project.state()).baseline;
      const first = await addVersion(project);
      const second = await addVersion(project);
      expect(await baseline()).toBe(first);
      await project.setBaseline(second);
      expect(await baseline()).toBe(second);
      await project.trash('version', second);
      expect(await baseline()).toBe(first);
    });
  });

  it('stores exports', async () => {
    const version = await addVersion(project);
    const job = await newJob(project);
    const output = {
      type: 'export',
      version,
      format: 'tflite',
      precision: 'fp32',
      folder: '/somewhere/out',
      files: [{ path: 'model.tflite', bytes: 9, sha256: 'abc' }],
      verification: null,
    } as const;
    const id = await project.commit(output, job);
    expect({ type: 'export', ...(await project.exportRecord(id)) }).toMatchObject({
      ...output,
      id,
    });
    expect(await project.exports(version)).toHaveLength(1);
    expect((await project.state()).jobs[1]).toMatchObject({ id: job, exports: [id] });
    await errorOf(project.exportRecord('e-1'), 'NOT_FOUND');
  });

  it('stores data sets', async () => {
    const id = await addDataset(project);
    const second = await addDataset(project);
    expect(await project.findDataset('digits')).toMatchObject({
      id,
      name: 'digits',
      sourcePath: '/somewhere/digits',
      format: 'idx',
      classes: ['zero', 'one'],
      counts: { train: 8, val: 1, test: 1 },
      cacheBytes: 100,
    });
    expect((await project.findDataset(second)).name).toBe('digits-2');
    const source = await project.datasetSource(id);
    expect(source.info).not.toHaveProperty('cacheBytes');
    expect(await readFile(source.cacheFile)).toHaveLength(100);
    expect((await project.state()).jobs[0]).toMatchObject({ datasets: [id] });
  });

  describe('trash', () => {
    let now: Date;
    const days = (count: number): void => {
      now = new Date(now.getTime() + count * 24 * 60 * 60 * 1000);
    };

    beforeEach(async () => {
      now = new Date('2026-01-01T00:00:00Z');
      project = await newProject(() => now);
    });

    async function reopen(): Promise<void> {
      await project.close();
      project = await openProject(project.folder, () => now);
    }

    it('gives back what was put in', async () => {
      const id = await addVersion(project);
      const data = await addDataset(project);
      await project.trash('version', 'sample');
      days(1);
      await project.trash('dataset', data);
      expect(await project.state()).toMatchObject({
        versions: [],
        datasets: [],
        trash: [
          { kind: 'version', id, name: 'sample', deletedAt: '2026-01-01T00:00:00.000Z' },
          { kind: 'dataset', id: data, name: 'digits', deletedAt: '2026-01-02T00:00:00.000Z' },
        ],
      });
      await errorOf(project.versionSource(id), 'NOT_FOUND');
      await reopen();
      await project.restore('version', id);
      await project.restore('dataset', data);
      expect(await readFile((await project.versionSource(id)).file)).toHaveLength(100);
      expect(await readFile((await project.datasetSource(data)).cacheFile)).toHaveLength(100);
      expect((await project.state()).trash).toEqual([]);
    });

    it('gives back under another name when the name was taken meanwhile', async () => {
      const id = await addVersion(project);
      await project.trash('version', id);
      await addVersion(project);
      await project.restore('version', id);
      expect((await project.findVersion(id)).name).toBe('sample-2');
    });

    it('leaves children working, next to the nearest ancestor that is left', async () => {
      const a = await addVersion(project, { suggestedName: 'a' });
      const b = await addVersion(project, { suggestedName: 'b', parent: a });
      const c = await addVersion(project, { suggestedName: 'c', parent: b });
      await project.trash('version', b);
      expect((await project.findVersion(c)).parent).toBe(a);
      const { lineage } = await project.versionSource(c);
      expect(lineage.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
      await project.trash('version', a);
      expect((await project.findVersion(c)).parent).toBeNull();
    });

    it('is emptied after 30 days: the file goes, the lineage stays', async () => {
      const a = await addVersion(project, { suggestedName: 'a' });
      const b = await addVersion(project, { suggestedName: 'b', parent: a });
      const data = await addDataset(project);
      const job = await newJob(project);
      await project.commit(
        { type: 'evaluation', version: b, data, accuracy: accuracyOf(0.5) },
        job,
      );
      await project.trash('version', a);
      await project.trash('dataset', data);
      const blobs = async (): Promise<number> => (await readdir(project.paths.blobs)).length;

      days(29);
      await reopen();
      expect(await blobs()).toBe(3);
      days(2);
      await reopen();
      expect(await blobs()).toBe(1);
      expect((await project.state()).trash).toEqual([]);
      await errorOf(project.restore('version', a), 'NOT_FOUND');
      const source = await project.versionSource(b);
      expect(source.lineage.map(({ name }) => name)).toEqual(['a', 'b']);
      expect(source.accuracy).toEqual({ task: 'classes', top1: 0.5, dataName: 'digits' });
      expect(await project.ancestorFiles(b)).toEqual({ parent: null, original: null });
      // A new one may be called the same.
      await addVersion(project, { suggestedName: 'a' });
      expect(await names()).toEqual(['b', 'a']);
    });

    it('keeps a file that something else needs, too', async () => {
      const job = await newJob(project);
      const twin = async (): Promise<string> => {
        const draft = draftOf(await stage(project, job, 'the same weights'));
        return project.commit({ type: 'version', draft }, job);
      };
      const [first, second] = [await twin(), await twin()];
      await project.trash('version', first);
      days(31);
      await reopen();
      expect(await readFile((await project.versionSource(second)).file, 'utf8')).toBe(
        'the same weights',
      );
    });
  });

  describe('after a crash', () => {
    /** Leaves the lock of a process that is gone. */
    async function crash(): Promise<void> {
      const lock = JSON.parse(await readFile(project.paths.lock, 'utf8')) as object;
      const { pid } = spawnSync(process.execPath, ['-e', '0']);
      await project.close();
      await writeFile(project.paths.lock, JSON.stringify({ ...lock, pid }));
    }

    it('sweeps files without a row, temp files and staged files', async () => {
      await addVersion(project);
      const [blob] = await readdir(project.paths.blobs);
      await project.makeTempDir('j-1');
      await writeFile(join(project.paths.temp, 'j-1', 'half'), 'x');
      await writeFile(join(project.paths.blobs, 'f'.repeat(64)), 'x');
      await writeFile(join(project.folder, '.project.db.0a1b2c3d.tmp'), 'x');
      await mkdir(join(project.paths.exports, '.out.0a1b2c3d.tmp'));
      await writeFile(join(project.folder, 'notes.txt'), "the user's own");
      await crash();

      project = await openProject(project.folder);
      expect(await readdir(project.paths.blobs)).toEqual([blob]);
      expect(await readdir(project.paths.temp)).toEqual([]);
      expect(await readdir(project.paths.exports)).toEqual([]);
      const left = await readdir(project.folder);
      expect(left).toContain('notes.txt');
      expect(left.filter((name) => name.endsWith('.tmp'))).toEqual([]);
      expect(project.warnings).toEqual([]);
    });

    it('marks versions damaged whose file is missing or cut off, and says which', async () => {
      const missing = await addVersion(project, { suggestedName: 'missing' });
      const short = await addVersion(project, { suggestedName: 'short' });
      const whole = await addVersion(project, { suggestedName: 'whole' });
      await rm((await project.versionRow(missing)).file);
      await truncate((await project.versionRow(short)).file, 50);
      await crash();

      project = await openProject(project.folder);
      const { versions, warnings } = await project.state();
      expect(versions.map(({ name, damaged }) => [name, damaged])).toEqual([
        ['missing', true],
        ['short', true],
        ['whole', false],
      ]);
      expect(warnings).toHaveLength(2);
      expect(warnings[0]).toContain('"missing"');
      await errorOf(project.versionSource(short), 'PROJECT_CORRUPT');
      await project.versionSource(whole);
    });

    it('interrupts the jobs that had not ended', async () => {
      const waiting = await queuedJob(project);
      const running = await queuedJob(project);
      const ended = await newJob(project);
      const { jobs } = project.repositories;
      await jobs.markRunning(running, '2026-01-01T00:00:00.000Z');
      const label = 'Training epoch 7 of 20';
      await jobs.saveProgress(running, { phase: 'training', label, done: 7, total: 20 }, []);
      await crash();

      project = await openProject(project.folder);
      const found = (await project.state()).jobs;
      expect(found.map(({ id, state }) => [id, state])).toEqual([
        [waiting, 'interrupted'],
        [running, 'interrupted'],
        [ended, 'done'],
      ]);
      expect(found[0]!.error?.message).toContain('before this job had begun');
      expect(found[1]!.error?.message).toContain('"Training epoch 7 of 20" (7 of 20)');
      expect(found[1]!.endedAt).not.toBeNull();
    });
  });

  it('finds a changed byte at the next start, also after a clean end', async () => {
    const id = await addVersion(project);
    const { file } = await project.versionRow(id);
    await project.close();
    const content = await readFile(file);
    content[3]! ^= 1;
    await writeFile(file, content);
    project = await openProject(project.folder);
    expect((await project.findVersion(id)).damaged).toBe(true);
    // Put right again, it is used again.
    content[3]! ^= 1;
    await writeFile(file, content);
    await project.versionSource(id);
    expect((await project.findVersion(id)).damaged).toBe(false);
  });

  it('finds images of a data set that were damaged while the project is open', async () => {
    const id = await addDataset(project);
    const { cacheFile } = await project.datasetSource(id);
    await truncate(cacheFile, 10);
    const error = await errorOf(project.datasetSource(id), 'PROJECT_CORRUPT');
    expect(error.hint).toContain('/somewhere/digits');
  });

  describe('backups', () => {
    const backups = async (): Promise<string[]> => readdir(project.paths.backups).catch(() => []);

    it('are taken on closing, but not when nothing has changed', async () => {
      await addVersion(project);
      await project.close();
      expect(await backups()).toHaveLength(1);
      project = await openProject(project.folder);
      await project.close();
      expect(await backups()).toHaveLength(1);
    });

    /** Where the first page of a table begins in the file of a closed project. */
    async function offsetOf(table: string): Promise<number> {
      const database = await Database.open(project.paths.database);
      const row = await database.get<{ pageno: number }>(
        'SELECT pageno FROM dbstat WHERE name = ? ORDER BY pageno',
        [table],
      );
      await database.close();
      return (row!.pageno - 1) * 4096;
    }

    it.each([
      ['header', 'sqlite_schema'],
      ['versions', 'versions'],
      ['metrics, which opening does not read', 'metrics'],
    ])('bring back what is damaged in its %s, and tell', async (_, table) => {
      await addVersion(project, { suggestedName: 'kept' });
      await project.close();
      project = await openProject(project.folder);
      await addVersion(project, { suggestedName: 'lost' });
      await project.repositories.settings.set('name', 'x');
      await project.close();
      // Only the older backup is good: what was made after it is lost from the list, but not from the disk.
      const newest = (await backups()).sort().at(-1)!;
      await writeFile(join(project.paths.backups, newest), 'rubbish');
      const offset = await offsetOf(table);
      const content = await readFile(project.paths.database);
      content.fill(0xab, offset, offset + 4096);
      await writeFile(project.paths.database, content);

      project = await openProject(project.folder);
      expect(await names()).toEqual(['kept']);
      expect(project.warnings).toHaveLength(2);
      expect(project.warnings[0]).toContain('damaged');
      expect(project.warnings[1]).toContain('1 file');
      expect(await readdir(project.paths.recovered)).toHaveLength(1);
      const aside = (await readdir(project.folder)).filter((name) => name.includes('.corrupt-'));
      expect(aside).toHaveLength(1);
      expect(await readFile(join(project.folder, aside[0]!))).toEqual(content);
    });

    it('bring back a database that is gone', async () => {
      await addVersion(project);
      await project.close();
      await rm(project.paths.database);
      project = await openProject(project.folder);
      expect(await names()).toEqual(['sample']);
      expect(project.warnings[0]).toContain('missing');
    });

    it('are missed: then the damaged project is refused and left as it is', async () => {
      await project.close();
      await rm(project.paths.backups, { recursive: true, force: true });
      const content = await readFile(project.paths.database);
      content.fill(0xab, 4096, 8192);
      await writeFile(project.paths.database, content);
      await errorOf(openProject(project.folder), 'PROJECT_CORRUPT');
      expect(await readFile(project.paths.database)).toEqual(content);
      expect(await readdir(project.folder)).not.toContain('project.lock');
    });
  });
});
