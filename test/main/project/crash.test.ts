import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { createRng } from '../../../src-main/engine/graph/rng';
import { Database } from '../../../src-main/project/database';
import { Project } from '../../../src-main/project/project';
import { bundle, childEnvironment } from '../bundle';
import { tempFolder } from '../support';

const kills = 20;

/** Runs the writer until it is killed; the ids that it has said. */
async function writeUntilKilled(
  script: string,
  folder: string,
  afterMs: number,
): Promise<string[]> {
  const child = spawn(process.execPath, [script, folder], {
    env: childEnvironment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ids: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line !== 'open') ids.push(line);
    else setTimeout(() => child.kill('SIGKILL'), afterMs);
  });
  await new Promise((resolve) => child.once('close', resolve));
  return ids;
}

describe('a writer that is killed at any moment', () => {
  it(
    `loses nothing that it was told is committed, ${kills} times`,
    { timeout: 120_000 },
    async () => {
      const script = await bundle(join(import.meta.dirname, 'programs', 'writer.ts'));
      const folder = join(await tempFolder(), 'project');
      await (await Project.create(folder)).close();
      const rng = createRng(11);
      const committed: string[] = [];
      for (let kill = 0; kill < kills; kill++) {
        committed.push(...(await writeUntilKilled(script, folder, 250 * rng.uniform())));

        const database = await Database.open(join(folder, 'project.db'));
        expect(await database.all('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
        expect(await database.all('PRAGMA foreign_key_check')).toEqual([]);
        const halves = await database.all<{ n: number }>(
          'SELECT COUNT(*) AS n FROM metrics GROUP BY job',
        );
        expect(halves.every(({ n }) => n === 2)).toBe(true);
        await database.close();

        const project = await Project.open(folder);
        const { versions, trash, warnings } = await project.state();
        const known = [...versions, ...trash].map(({ id }) => id);
        expect(committed.filter((id) => !known.includes(id))).toEqual([]);
        expect(versions.filter(({ damaged }) => damaged)).toEqual([]);
        expect(warnings).toEqual([]);
        await project.close();
      }
      // How many there are depends on the machine; without any, nothing was put to the test.
      expect(committed.length).toBeGreaterThan(0);
    },
  );
});
