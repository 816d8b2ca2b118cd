import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { JobOutput } from '../../../src-main/jobs/types';
import { BlobStore } from '../../../src-main/project/blob-store';
import { commitOutput, type CommitTarget, type Origin } from '../../../src-main/project/commit';
import type { Database } from '../../../src-main/project/database';
import { createDatabase } from '../../../src-main/project/open-database';
import { repositoriesOver } from '../../../src-main/project/repositories';
import { draftOf, errorOf, tempFolder } from '../support';

const origin: Origin = { job: 'j-1', createdAt: '2026-01-01T00:00:00.000Z', engineVersion: '1' };

describe('commitOutput', () => {
  let folder: string;
  let database: Database;
  let target: CommitTarget;

  beforeEach(async () => {
    folder = await tempFolder();
    for (const name of ['blobs', 'temp']) await mkdir(join(folder, name));
    database = await createDatabase(join(folder, 'project.db'));
    onTestFinished(() => database.close());
    target = {
      blobs: new BlobStore(join(folder, 'blobs'), join(folder, 'temp')),
      transaction: (body) => database.transaction((sql) => body(repositoriesOver(sql))),
    };
    await repositoriesOver(database).jobs.insert({
      id: 'j-1',
      request: { kind: 'evaluate', versions: [], data: '', split: 'test' },
      title: 'A job',
      createdAt: origin.createdAt,
    });
  });

  async function versionOf(content: string, note = ''): Promise<JobOutput> {
    const file = join(folder, 'temp', 'staged');
    await writeFile(file, content);
    const sha256 = createHash('sha256').update(content).digest('hex');
    const blob = { file, sha256, bytes: Buffer.byteLength(content) };
    return {
      type: 'version',
      draft: draftOf(blob, { source: { format: null, notes: [note] } }),
    };
  }

  const versions = async (): Promise<unknown[]> => database.all('SELECT * FROM versions');
  const blobs = (): Promise<string[]> => readdir(join(folder, 'blobs'));

  async function limitPages(spare: number): Promise<void> {
    const row = await database.get<{ page_count: number }>('PRAGMA page_count');
    await database.exec(`PRAGMA max_page_count = ${row!.page_count + spare}`);
  }

  it('keeps nothing of a version whose row does not fit on the disk, and all that was there', async () => {
    await commitOutput(target, await versionOf('old'), origin);
    await limitPages(2);
    const long = 'x'.repeat(100_000);
    await errorOf(commitOutput(target, await versionOf('new', long), origin), 'DISK_FULL');
    expect(await versions()).toHaveLength(1);
    expect(await blobs()).toHaveLength(1);
    expect(await database.all('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);

    await limitPages(1000);
    await commitOutput(target, await versionOf('new', long), origin);
    expect(await versions()).toHaveLength(2);
  });

  it('keeps the file of an older version when a newer one of the same content fails', async () => {
    await commitOutput(target, await versionOf('same'), origin);
    await limitPages(2);
    const output = await versionOf('same', 'x'.repeat(100_000));
    await errorOf(commitOutput(target, output, origin), 'DISK_FULL');
    expect(await blobs()).toHaveLength(1);
  });

  it('keeps no row of a version whose file is not what was announced', async () => {
    const output = await versionOf('weights');
    await writeFile(join(folder, 'temp', 'staged'), 'weighty');
    await errorOf(commitOutput(target, output, origin), 'PROJECT_CORRUPT');
    expect(await versions()).toEqual([]);
    expect(await database.all('SELECT * FROM blobs')).toEqual([]);
  });

  it('has the file in place before the row', async () => {
    let seen: string[] = [];
    const watched: CommitTarget = {
      ...target,
      transaction: async (body) => {
        seen = await blobs();
        return target.transaction(body);
      },
    };
    await commitOutput(watched, await versionOf('weights'), origin);
    expect(seen).toHaveLength(1);
  });
});
