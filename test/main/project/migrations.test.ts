import { cp, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Backups } from '../../../src-main/project/backups';
import { checkDatabaseFile, Database, readPragma } from '../../../src-main/project/database';
import { migrate, migrations, type Migration } from '../../../src-main/project/migrations';
import { EvaluationsRepository } from '../../../src-main/project/repositories/evaluations';
import { MetricsRepository } from '../../../src-main/project/repositories/metrics';
import { SensitivityRepository } from '../../../src-main/project/repositories/sensitivity';
import { createDatabase } from '../../../src-main/project/open-database';
import { errorOf, tempFolder } from '../support';

const fixtures = join(import.meta.dirname, '..', '..', 'fixtures', 'db');

const noBackup = (): Promise<void> => {
  throw new Error('No backup was expected.');
};

async function schemaOf(database: Database): Promise<unknown> {
  return database.all(
    `SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name`,
  );
}

function closing(database: Database): Database {
  onTestFinished(() => database.close().catch(() => undefined));
  return database;
}

describe('migrate', () => {
  let folder: string;
  let database: Database;
  let backups: Backups;

  const first: Migration = { version: 1, statements: 'CREATE TABLE one (x INTEGER)' };
  const second: Migration = {
    version: 2,
    statements: 'CREATE TABLE two (x INTEGER); INSERT INTO two SELECT x * 2 FROM one;',
  };
  const broken: Migration = {
    version: 3,
    statements: 'DROP TABLE one; INSERT INTO nowhere VALUES (1);',
  };

  beforeEach(async () => {
    folder = await tempFolder();
    backups = new Backups(join(folder, 'backups'));
    database = closing(await Database.open(join(folder, 'test.db'), { create: true }));
    await migrate(database, noBackup, [first]);
    await database.run('INSERT INTO one VALUES (21)');
  });

  const backUp = async (from: number): Promise<void> => {
    await backups.take(database, new Date(), `before-v${from + 1}`);
  };

  it('runs what is pending, after a backup of what was there', async () => {
    await migrate(database, backUp, [first, second]);
    expect(await readPragma(database, 'user_version')).toBe(2);
    expect(await database.all('SELECT x FROM two')).toEqual([{ x: 42 }]);

    const [backup] = await backups.list();
    expect(basename(backup!)).toMatch(/^before-v2-.*\.db$/);
    expect(await checkDatabaseFile(backup!)).toMatchObject({ verdict: 'ok', userVersion: 1 });
  });

  it('does nothing, not even a backup, when nothing is pending', async () => {
    await migrate(database, noBackup, [first]);
    expect(await readPragma(database, 'user_version')).toBe(1);
  });

  it('leaves version and rows as they were when one of several steps fails', async () => {
    await expect(migrate(database, backUp, [first, second, broken])).rejects.toThrow('nowhere');
    expect(await readPragma(database, 'user_version')).toBe(1);
    expect(await database.all('SELECT x FROM one')).toEqual([{ x: 21 }]);
    expect(await database.get("SELECT 1 FROM sqlite_schema WHERE name = 'two'")).toBeUndefined();
  });

  it('does not begin without a backup', async () => {
    const full = (): Promise<void> => Promise.reject(new Error('disk full'));
    await expect(migrate(database, full, [first, second])).rejects.toThrow('disk full');
    expect(await readPragma(database, 'user_version')).toBe(1);
  });

  it('refuses a step that breaks references', async () => {
    const orphan: Migration = {
      version: 2,
      statements: `CREATE TABLE child (x INTEGER REFERENCES parent (x) DEFERRABLE INITIALLY DEFERRED);
        CREATE TABLE parent (x INTEGER PRIMARY KEY); INSERT INTO child VALUES (5);`,
    };
    await expect(migrate(database, backUp, [first, orphan])).rejects.toThrow('references');
    expect(await readPragma(database, 'user_version')).toBe(1);
  });

  it('refuses a database of a newer version and changes nothing', async () => {
    await database.exec('PRAGMA user_version = 9');
    const error = await errorOf(migrate(database, noBackup, [first, second]), 'PROJECT_NEWER');
    expect(error.details).toEqual({ version: 9, newest: 2 });
    expect(await readPragma(database, 'user_version')).toBe(9);
  });
});

describe('the migrations of this version', () => {
  it('are numbered without a gap', () => {
    expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, i) => i + 1));
  });

  it('bring the database of every earlier version to the schema of a new one, rows kept', async () => {
    const folder = await tempFolder();
    const fresh = closing(await createDatabase(join(folder, 'fresh.db')));
    const names = (await readdir(fixtures)).filter((name) => name.endsWith('.db'));
    const newest = String(migrations.length).padStart(4, '0');
    expect(names).toContain('v0001.db');
    expect(names).toContain(`v${newest}.db`);
    for (const name of names) {
      const file = join(folder, name);
      await cp(join(fixtures, name), file);
      const old = closing(await Database.open(file));
      await migrate(old, () => Promise.resolve());
      expect(await schemaOf(old), name).toEqual(await schemaOf(fresh));
      expect(await old.all('SELECT name FROM versions ORDER BY seq'), name).toEqual([
        { name: 'sample' },
        { name: 'sample-l1-50' },
      ]);
      expect(await old.all('SELECT score, task FROM evaluations'), name).toEqual([
        { score: 0.9, task: 'classes' },
      ]);
      const shown = await new EvaluationsRepository(old).newest();
      expect([...shown.values()], name).toMatchObject([{ task: 'classes', top1: 0.9 }]);
      expect(await old.all('PRAGMA foreign_key_check'), name).toEqual([]);
    }
  });

  it.each([
    ['v0003.db', [{ step: 1, epoch: 1, values: { trainLoss: 1 } }]],
    [
      'v0004.db',
      [
        { step: 1, epoch: 1, values: { trainLoss: 1 } },
        { step: 2, epoch: 1, values: {}, gammas: { count: 3, values: [0.1, 0.2, 1] } },
      ],
    ],
  ])(
    'keeps the points of curves, without gammas where there were none: %s',
    async (name, points) => {
      const file = join(await tempFolder(), name);
      await cp(join(fixtures, name), file);
      const database = closing(await Database.open(file));
      await migrate(database, () => Promise.resolve());
      const job = await database.get<{ id: string }>('SELECT id FROM jobs ORDER BY seq DESC');
      expect(await new MetricsRepository(database).list(job!.id)).toEqual(points);
    },
  );

  it('keeps sensitivity maps as far as they had come', async () => {
    const file = join(await tempFolder(), 'v0002.db');
    await cp(join(fixtures, 'v0002.db'), file);
    const database = closing(await Database.open(file));
    await migrate(database, () => Promise.resolve());
    const version = await database.get<{ id: string }>('SELECT id FROM versions ORDER BY seq');
    const [record] = await new SensitivityRepository(database).list(version!.id);
    expect(record).toMatchObject({
      id: 's-fixture',
      map: {
        baseline: { top1: 0.93, loss: 0.2 },
        groups: [{ group: 0, layers: ['conv'], channels: 16, widths: [12, 8] }],
        points: [{ group: 0, kept: 12, top1: 0.92, loss: 0.22 }],
      },
    });
  });
});
