import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Backups } from '../../../src-main/project/backups';
import { checkDatabaseFile, type Database } from '../../../src-main/project/database';
import { createDatabase } from '../../../src-main/project/open-database';
import { errorOf, tempFolder } from '../support';

describe('Backups', () => {
  let folder: string;
  let file: string;
  let database: Database;
  let backups: Backups;

  beforeEach(async () => {
    folder = await tempFolder();
    file = join(folder, 'project.db');
    database = await createDatabase(file);
    onTestFinished(() => database.close().catch(() => undefined));
    backups = new Backups(join(folder, 'backups'));
  });

  const day = (number: number): Date => new Date(Date.UTC(2026, 0, number, 12, 30));

  it('keeps the newest five of each kind', async () => {
    await backups.take(database, day(1), 'before-v2');
    for (let number = 2; number <= 8; number++) await backups.take(database, day(number));
    expect((await backups.list()).map((path) => basename(path))).toEqual([
      ...[8, 7, 6, 5, 4].map((number) => `2026-01-0${number}T12-30-00.000Z.db`),
      'before-v2-2026-01-01T12-30-00.000Z.db',
    ]);
  });

  it('are complete databases, and nothing half written lies beside them', async () => {
    await database.run("INSERT INTO settings VALUES ('name', '\"Test\"')");
    const path = await backups.take(database, day(1));
    expect((await checkDatabaseFile(path)).verdict).toBe('ok');
    expect(await readdir(join(folder, 'backups'))).toEqual([basename(path)]);
  });

  it('waits for the end of a transaction', async () => {
    const transaction = database.transaction(async (sql) => {
      await sql.run("INSERT INTO settings VALUES ('a', '1')");
      await new Promise((resolve) => setTimeout(resolve, 20));
      await sql.run("INSERT INTO settings VALUES ('b', '2')");
    });
    const path = await backups.take(database, day(1));
    await transaction;
    expect((await checkDatabaseFile(path)).verdict).toBe('ok');
  });

  describe('restore', () => {
    beforeEach(async () => {
      for (const number of [1, 2, 3]) {
        await database.run('INSERT OR REPLACE INTO settings VALUES (?, ?)', ['day', `${number}`]);
        await backups.take(database, day(number));
      }
      await database.close();
      await writeFile(file, 'garbage');
    });

    it('puts the newest good one in place and keeps the damaged file', async () => {
      const [newest] = await backups.list();
      await truncate(newest!, 5000);
      const told = await backups.restore(file, 'not a database', day(9));

      expect(told).toContain('project.db.corrupt-2026-01-09T12-30-00.000Z');
      expect(told).toContain('2026-01-02T12-30-00.000Z');
      expect(await readFile(`${file}.corrupt-2026-01-09T12-30-00.000Z`, 'utf8')).toBe('garbage');
      expect((await checkDatabaseFile(file)).verdict).toBe('ok');
      const restored = await readFile(file);
      expect(restored).toEqual(await readFile((await backups.list())[1]!));
    });

    it('touches nothing when no backup is good', async () => {
      for (const path of await backups.list()) await writeFile(path, 'rubbish');
      await errorOf(backups.restore(file, 'not a database', day(9)), 'PROJECT_CORRUPT');
      expect(await readFile(file, 'utf8')).toBe('garbage');
    });
  });
});
