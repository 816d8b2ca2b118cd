import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Database } from '../../../src-main/project/database';
import { errorOf, tempFolder } from '../support';

async function openDatabase(file: string): Promise<Database> {
  const database = await Database.open(file, { create: true });
  onTestFinished(() => database.close().catch(() => undefined));
  return database;
}

describe('Database', () => {
  let file: string;
  let database: Database;

  beforeEach(async () => {
    file = join(await tempFolder(), 'test.db');
    database = await openDatabase(file);
    await database.exec('CREATE TABLE pairs (writer INTEGER NOT NULL, half INTEGER NOT NULL)');
  });

  const count = async (): Promise<number> =>
    (await database.get<{ n: number }>('SELECT COUNT(*) AS n FROM pairs'))!.n;

  it('has every pragma set on each open', async () => {
    await database.close();
    const again = await openDatabase(file);
    const read = async (name: string): Promise<unknown> =>
      Object.values((await again.get<Record<string, unknown>>(`PRAGMA ${name}`))!)[0];

    expect(await read('journal_mode')).toBe('wal');
    expect(await read('synchronous')).toBe(2);
    expect(await read('foreign_keys')).toBe(1);
    expect(await read('trusted_schema')).toBe(0);
    expect(await read('busy_timeout')).toBe(5000);
  });

  it('refuses a place where a pragma does not hold', async () => {
    // A database in memory cannot have a write-ahead log.
    const error = await errorOf(Database.open(':memory:', { create: true }), 'FILE_UNWRITABLE');
    expect(error.message).toContain('journal_mode');
  });

  it('leaves only whole transactions of 100 parallel writers of which every tenth throws', async () => {
    const writers = Array.from({ length: 100 }, (_, writer) =>
      database.transaction(async (sql) => {
        await sql.run('INSERT INTO pairs VALUES (?, 1)', [writer]);
        if (writer % 10 === 3) throw new Error('no');
        await sql.run('INSERT INTO pairs VALUES (?, 2)', [writer]);
      }),
    );
    const results = await Promise.allSettled(writers);

    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(10);
    const halves = await database.all<{ writer: number; n: number }>(
      'SELECT writer, COUNT(*) AS n FROM pairs GROUP BY writer',
    );
    expect(halves).toHaveLength(90);
    expect(halves.every(({ n }) => n === 2)).toBe(true);
    expect(halves.some(({ writer }) => writer % 10 === 3)).toBe(false);
  });

  it('does not roll back a statement that was made outside, while a transaction was open', async () => {
    const failing = database.transaction(async (sql) => {
      await sql.run('INSERT INTO pairs VALUES (1, 1)');
      await new Promise((resolve) => setTimeout(resolve, 20));
      throw new Error('no');
    });
    const outside = database.run('INSERT INTO pairs VALUES (2, 2)');
    await expect(failing).rejects.toThrow('no');
    expect(await outside).toBe(1);
    expect(await database.all('SELECT * FROM pairs')).toEqual([{ writer: 2, half: 2 }]);
  });

  it('throws rather than waits for itself inside a transaction', async () => {
    const nested = database.transaction(() => database.run('INSERT INTO pairs VALUES (1, 1)'));
    await expect(nested).rejects.toThrow('only its own sql');
    expect(await count()).toBe(0);
  });

  it('says DISK_FULL, keeps what was there and goes on', async () => {
    await database.run('INSERT INTO pairs VALUES (1, 1)');
    await database.exec('CREATE TABLE texts (text TEXT)');
    const { page_count: pages } = (await database.get<{ page_count: number }>(
      'PRAGMA page_count',
    ))!;
    await database.exec(`PRAGMA max_page_count = ${pages + 2}`);
    await errorOf(
      database.transaction(async (sql) => {
        await sql.run('INSERT INTO pairs VALUES (2, 2)');
        await sql.run('INSERT INTO texts VALUES (?)', ['x'.repeat(100_000)]);
      }),
      'DISK_FULL',
    );
    expect(await database.all('SELECT * FROM pairs')).toEqual([{ writer: 1, half: 1 }]);
    await database.run('INSERT INTO pairs VALUES (3, 3)');
    expect(await count()).toBe(2);
  });

  it('says PROJECT_CORRUPT for a file that is no database', async () => {
    const other = join(await tempFolder(), 'other.db');
    await writeFile(other, 'This is text. '.repeat(1000));
    const error = await errorOf(Database.open(other), 'PROJECT_CORRUPT');
    expect(error.message).toContain(other);
  });

  it('does not create a file that was not asked for', async () => {
    await errorOf(Database.open(join(await tempFolder(), 'none.db')), 'FILE_UNWRITABLE');
  });
});
