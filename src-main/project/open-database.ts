// Opens the database of a project: is it one, is it whole, is it of this version; repairs it from a backup.

import { open, stat } from 'node:fs/promises';
import { AppError } from '../engine/errors';
import { Backups } from './backups';
import { Database, quickCheck } from './database';
import { applicationId, migrate } from './migrations';
import type { ProjectPaths } from './paths';

export interface OpenedDatabase {
  readonly database: Database;
  /** What was done to it, for people; null when it was whole. */
  readonly repair: string | null;
}

/**
 * @throws AppError PROJECT_NOT_FOUND, PROJECT_NEWER, PROJECT_CORRUPT when there is no good backup,
 *   FILE_UNREADABLE, FILE_UNWRITABLE, DISK_FULL
 */
export async function openProjectDatabase(
  paths: ProjectPaths,
  now: () => Date,
): Promise<OpenedDatabase> {
  const backups = new Backups(paths.backups);
  try {
    return { database: await openWhole(paths, backups, now), repair: null };
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'PROJECT_CORRUPT') throw error;
    const damage = String(error.details?.['damage'] ?? error.message);
    const repair = await backups.restore(paths.database, damage, now());
    return { database: await openWhole(paths, backups, now), repair };
  }
}

/**
 * Whether a folder holds a project, as far as the first bytes of its database tell.
 * A database that is missing or has lost its header still counts when there are backups of it.
 */
export async function isProject(paths: ProjectPaths): Promise<boolean> {
  const kind = await kindOfFile(paths.database);
  if (kind === 'project') return true;
  return kind === 'not a database' && (await new Backups(paths.backups).list()).length > 0;
}

/** Makes the database of a new project, complete, at a path where nothing is yet. */
export async function createDatabase(file: string): Promise<Database> {
  const database = await Database.open(file, { create: true });
  try {
    await migrate(database, () => Promise.resolve());
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function openWhole(
  paths: ProjectPaths,
  backups: Backups,
  now: () => Date,
): Promise<Database> {
  const kind = await kindOfFile(paths.database);
  if (kind === 'not a database') throw damaged('it is missing or not a database');
  if (kind === 'other database') throw notAProject(paths.folder);
  const database = await Database.open(paths.database);
  try {
    const verdict = await quickCheck(database);
    if (verdict !== 'ok') throw damaged(verdict);
    await migrate(database, async (version) => {
      await backups.take(database, now(), `before-v${version + 1}`);
    });
    return database;
  } catch (error) {
    await database.close().catch(() => undefined);
    throw error;
  }
}

/** Never met by a user: `openProjectDatabase` answers it with a repair. */
const damaged = (damage: string): AppError =>
  new AppError('PROJECT_CORRUPT', damage, 'Restore a backup.', { details: { damage } });

type FileKind = 'project' | 'other database' | 'not a database';

/** Reads the header (https://www.sqlite.org/fileformat.html, 1.3) and so leaves foreign databases untouched. */
async function kindOfFile(file: string): Promise<FileKind> {
  if ((await stat(file).catch(() => null))?.isFile() !== true) return 'not a database';
  const handle = await open(file, 'r');
  try {
    const header = Buffer.alloc(100);
    const { bytesRead } = await handle.read(header, 0, header.length, 0);
    if (bytesRead < header.length || header.toString('latin1', 0, 16) !== 'SQLite format 3\0') {
      return 'not a database';
    }
    return header.readUInt32BE(68) === applicationId ? 'project' : 'other database';
  } finally {
    await handle.close();
  }
}

export function notAProject(folder: string): AppError {
  return new AppError(
    'PROJECT_NOT_FOUND',
    `There is no Secateur project in ${folder}.`,
    'Choose a folder that contains project.db, or create a project.',
  );
}
