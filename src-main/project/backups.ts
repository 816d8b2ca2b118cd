// Copies of the database: made on each clean close, after jobs and before each migration; the newest good one
// comes back when the database is damaged.

import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AppError } from '../engine/errors';
import { syncFile, syncFolder, tempPathFor } from './atomic-write';
import { checkDatabaseFile, type Database } from './database';
import { applicationId } from './migrations';

/** Kept of each kind: regular ones, and those from before a migration. */
const kept = 5;

export class Backups {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Copies the database as it is now, compacted.
   * @param label for instance `before-v2`; backups with a label do not push out those without
   */
  async take(database: Database, now: Date, label: string | null = null): Promise<string> {
    await mkdir(this.#folder, { recursive: true });
    const prefix = label === null ? '' : `${label}-`;
    const target = join(this.#folder, `${prefix}${fileTime(now)}.db`);
    const temp = tempPathFor(target);
    try {
      await database.run('VACUUM INTO ?', [temp]);
      await syncFile(temp);
      await rename(temp, target);
      await syncFolder(this.#folder);
    } finally {
      await rm(temp, { force: true });
    }
    await this.#prune(label !== null);
    return target;
  }

  /** Paths, newest first; by name, because copying a project changes the times of its files. */
  async list(): Promise<string[]> {
    const names = await readdir(this.#folder).catch(() => []);
    return names
      .filter((name) => timeOf(name) !== '')
      .sort((a, b) => timeOf(b).localeCompare(timeOf(a)))
      .map((name) => join(this.#folder, name));
  }

  /**
   * Puts the newest good backup in the place of a damaged database, which is kept as `.corrupt-<time>`.
   * @returns what was done, for people
   * @throws AppError PROJECT_CORRUPT when no backup is good; the damaged file then stays where it is
   */
  async restore(databaseFile: string, damage: string, now: Date): Promise<string> {
    const backup = await this.#newestGood();
    if (backup === null) {
      throw new AppError(
        'PROJECT_CORRUPT',
        `The project's database is damaged (${damage}) and there is no good backup of it: ${databaseFile}.`,
        'Restore project.db from a copy of your own. The models in the blobs folder are untouched.',
      );
    }
    const temp = tempPathFor(databaseFile);
    await copyFile(backup, temp);
    await syncFile(temp);
    const aside = `${databaseFile}.corrupt-${fileTime(now)}`;
    for (const suffix of ['', '-wal', '-shm']) {
      await rename(databaseFile + suffix, aside + suffix).catch(ignoreMissing);
    }
    await rename(temp, databaseFile);
    await syncFolder(dirname(databaseFile));
    return (
      `The project's database was damaged (${damage}) and is kept as ${basename(aside)}. ` +
      `The backup of ${timeOf(basename(backup))} has taken its place; what was made after that is not listed any more.`
    );
  }

  async #newestGood(): Promise<string | null> {
    for (const file of await this.list()) {
      const check = await checkDatabaseFile(file);
      if (check.verdict === 'ok' && check.applicationId === applicationId) return file;
    }
    return null;
  }

  async #prune(labelled: boolean): Promise<void> {
    const sameKind = (await this.list()).filter(
      (file) => basename(file).startsWith('before-') === labelled,
    );
    for (const file of sameKind.slice(kept)) await rm(file, { force: true });
  }
}

/** ISO time without the characters that file systems refuse. */
const fileTime = (now: Date): string => now.toISOString().replaceAll(':', '-');

/** The time in a backup's name; '' for other files. */
const timeOf = (name: string): string =>
  /^(?:before-v\d+-)?(\d{4}-[\dT.-]+Z)\.db$/.exec(name)?.[1] ?? '';

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
