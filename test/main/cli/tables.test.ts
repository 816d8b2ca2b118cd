// Published cuts through the command line: the tables of Li et al. 2017 by --table, and the choices of structure.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { liCounts, liTables } from '../../engine/prune/li-tables';
import { answer, refused } from './program';

interface CutAnswer {
  readonly params: number;
  readonly macs: number;
  readonly layers: readonly { readonly name: string; readonly to: number; readonly code: string }[];
}

describe('cuts on the command line', { timeout: 300_000 }, () => {
  let folder: string;
  let project: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'secateur-cli-'));
    project = join(folder, 'project');
    await answer('create', project);
  }, 60_000);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function importZoo(id: string): Promise<void> {
    const model = join(folder, id);
    await answer('zoo', 'write', id, model);
    await answer('import', project, join(model, 'model.json'), '--name', id);
  }

  it('give the counts of Li et al. by their tables', async () => {
    for (const id of new Set(liCounts.map(([network]) => network))) await importZoo(id);
    for (const [id, name, params, macs] of liCounts) {
      const table = join(folder, `${name}.json`);
      await writeFile(table, JSON.stringify(liTables[name]));
      const words = ['prune', project, id, '--method', 'l1', '--max-ratio', '1', '--name', name];
      const cut = await answer<CutAnswer>(...words, '--table', table);
      expect([name, cut.params, cut.macs]).toEqual([name, params, macs]);
    }
  });

  it('let batch norms select of a trunk, and refuse other words', async () => {
    await importZoo('densenet40-cifar');
    const words = ['prune', project, 'densenet40-cifar', '--method', 'bn', '--ratio', '0.4'];
    const cut = await answer<CutAnswer>(...words, '--trunk', 'select', '--name', 'selected');
    const codes = new Map(cut.layers.map(({ name, code }) => [name, code]));
    expect(codes.get('conv1')).toBe('TRUNK');
    expect([...codes].filter(([, code]) => code === 'CUT').length).toBeGreaterThan(10);
    await refused('INVALID_ARGUMENT', ...words, '--trunk', 'apart');
    await refused('INVALID_ARGUMENT', ...words, '--grouped', 'halves');
  });
});
