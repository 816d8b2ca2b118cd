import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { readModel } from '../../../src-main/engine/formats/table';
import { silentContext } from '../../../src-main/engine/context';
import { graphCost } from '../../../src-main/engine/graph/cost';
import type { ExportRequest } from '../../../src-main/jobs/types';
import { toyModel } from '../../engine/train/toy';
import { errorOf, tempFolder } from '../support';
import { addModel, cancellation, run, toyProject, type Toy } from './support';

const exportOf = ({ version, data }: Toy, changes: Partial<ExportRequest> = {}): ExportRequest => ({
  kind: 'export',
  version,
  format: 'tfjs-layers',
  precision: 'fp32',
  data,
  folder: null,
  ...changes,
});

/** Everything below a folder. */
const below = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true })).sort();

async function expectChecksums(folder: string): Promise<void> {
  const lines = (await readFile(join(folder, 'SHA256SUMS'), 'utf8')).trim().split('\n');
  const named = lines.map((line) => line.split('  ') as [string, string]);
  for (const [sha256, path] of named) {
    const content = await readFile(join(folder, path));
    expect(createHash('sha256').update(content).digest('hex'), path).toBe(sha256);
  }
  const files = (await below(folder)).filter((name) => name !== 'SHA256SUMS');
  expect(named.map(([, path]) => path).sort()).toEqual(files);
}

describe('exporting as a job', () => {
  let toy: Toy;
  let outside: string;

  beforeEach(async () => {
    toy = await toyProject();
    outside = await tempFolder();
  });

  it.each(['tflite', 'tfjs-layers'] as const)(
    'writes %s, proves it on images, and describes it',
    async (format) => {
      await run(toy.project, exportOf(toy, { format }));
      const [made] = await toy.project.exports(toy.version);
      expect(made!.folder).toBe(join(toy.project.paths.exports, `toy-${format}`));
      expect(made!.verification).toMatchObject({ samples: 24, top1Agreement: 1, passed: true });
      expect(made!.verification!.maxAbsDiff).toBeLessThanOrEqual(1e-4);
      const { version, file } = made!.verification!.accuracy!;
      expect(file).toBe(version);
      expect(made!.files.map(({ path }) => path).sort()).toEqual(await below(made!.folder));
      await expectChecksums(made!.folder);
    },
  );

  it('writes what the reader of the format reads back', async () => {
    const folder = join(outside, 'made', 'on the way', 'out');
    await run(toy.project, exportOf(toy, { folder }));
    const { model, preprocessingKnown } = await readModel(
      join(folder, 'model.json'),
      silentContext,
    );
    expect(graphCost(model.graph)).toEqual(graphCost(toyModel().graph));
    expect(preprocessingKnown).toBe(true);
    expect(model.preprocessing).toEqual(toyModel().preprocessing);
  });

  it('verifies on random inputs without a data set, of which no class is known', async () => {
    await run(toy.project, exportOf(toy, { data: null }));
    const [made] = await toy.project.exports(toy.version);
    expect(made!.verification).toMatchObject({ samples: 32, accuracy: null, passed: true });
  });

  it('numbers folders of the project, and takes an empty one that it is given', async () => {
    await run(toy.project, exportOf(toy));
    await run(toy.project, exportOf(toy));
    expect(await readdir(toy.project.paths.exports)).toEqual([
      'toy-tfjs-layers',
      'toy-tfjs-layers-2',
    ]);
    const folder = join(outside, 'empty');
    await mkdir(folder);
    await run(toy.project, exportOf(toy, { folder }));
    expect(await readdir(folder)).toContain('model.json');
    expect(await readdir(outside)).toEqual(['empty']);
  });

  it('leaves a folder alone that is not empty, and a file in its place', async () => {
    const folder = join(outside, 'used');
    await mkdir(folder);
    await writeFile(join(folder, 'mine.txt'), 'mine');
    const error = await errorOf(run(toy.project, exportOf(toy, { folder })), 'ALREADY_EXISTS');
    expect(error.message).toContain(folder);
    await errorOf(
      run(toy.project, exportOf(toy, { folder: join(folder, 'mine.txt') })),
      'ALREADY_EXISTS',
    );
    expect(await below(outside)).toEqual(['used', 'used/mine.txt']);
  });

  it('says that nothing can be written below a file', async () => {
    await writeFile(join(outside, 'file'), '');
    const folder = join(outside, 'file', 'deeper', 'out');
    const error = await errorOf(run(toy.project, exportOf(toy, { folder })), 'ALREADY_EXISTS');
    expect(error.message).toContain(folder);
    expect(await below(outside)).toEqual(['file']);
  });

  it('leaves nothing behind when the project does not take it in', async () => {
    const folder = join(outside, 'made', 'out');
    const refusal = new Error('The disk is full.');
    const refused = run(toy.project, exportOf(toy, { folder }), {
      onSave: () => {
        throw refusal;
      },
    });
    await expect(refused).rejects.toMatchObject({ message: refusal.message });
    expect(await below(outside)).toEqual([]);
    expect(await toy.project.exports(toy.version)).toEqual([]);
  });

  it('leaves nothing behind when it is cancelled during the verification', async () => {
    const folder = join(outside, 'made', 'out');
    const cancelled = run(toy.project, exportOf(toy, { folder, data: null }), {
      cancelAt: ({ phase }) => phase === 'exporting',
    });
    await expect(cancelled).rejects.toMatchObject({ message: cancellation.message });
    expect(await below(outside)).toEqual([]);
  });

  it('exports nothing that gives other results than the version', async () => {
    // Finite weights whose products are not: whatever is left of them proves nothing.
    const model = toyModel();
    const weights = new Map(
      [...model.graph.weights].map(([id, weight]) => [
        id,
        { ...weight, data: Float32Array.from(weight.data, (value) => value * 1e30) },
      ]),
    );
    const version = await addModel(toy.project, { ...model, graph: { ...model.graph, weights } });
    const folder = join(outside, 'out');
    const error = await errorOf(
      run(toy.project, exportOf(toy, { version, folder, format: 'tflite' })),
      'EXPORT_MISMATCH',
    );
    expect(error.hint).toMatch(/^Nothing was exported/);
    expect(await below(outside)).toEqual([]);
  });
});
