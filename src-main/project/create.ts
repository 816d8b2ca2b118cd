// Makes the folder of a new project. The folder is a project from the moment that project.db has its name.

import { readdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError, toAppError } from '../engine/errors';
import { isTempName, syncFolder, tempPathFor } from './atomic-write';
import { ProjectLock } from './lock';
import { makeFolders } from './make-folders';
import { createDatabase, isProject } from './open-database';
import { projectPaths, type ProjectPaths } from './paths';
import { SettingsRepository } from './repositories/settings';

/** What desktops put into folders by themselves. */
const litter = new Set(['.DS_Store', 'Thumbs.db', 'desktop.ini', '.directory']);

/**
 * @param folder absolute path; a folder that does not exist yet or that is empty
 * @throws AppError ALREADY_EXISTS, INVALID_ARGUMENT inside another project, PROJECT_LOCKED, FILE_UNWRITABLE,
 *   DISK_FULL; the disk is then as it was before
 */
export async function createProjectFolder(folder: string, name: string): Promise<void> {
  const paths = projectPaths(folder);
  await requireVacant(paths);
  await requireNotNested(folder);
  const firstCreated = await makeFolders(folder);
  try {
    const lock = await ProjectLock.acquire(paths.lock);
    try {
      await writeDatabase(paths, name);
    } finally {
      await lock.release();
    }
  } catch (error) {
    if (firstCreated !== null) await rm(firstCreated, { recursive: true, force: true });
    throw toAppError(error);
  }
}

async function writeDatabase(paths: ProjectPaths, name: string): Promise<void> {
  const temp = tempPathFor(paths.database);
  try {
    const database = await createDatabase(temp);
    try {
      await new SettingsRepository(database).set('name', name);
    } finally {
      await database.close();
    }
    await rename(temp, paths.database);
    await syncFolder(paths.folder);
  } catch (error) {
    for (const suffix of ['', '-wal', '-shm']) await rm(temp + suffix, { force: true });
    throw error;
  }
}

async function requireVacant(paths: ProjectPaths): Promise<void> {
  let entries: string[];
  try {
    entries = await readdir(paths.folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return;
    if (code !== 'ENOTDIR') throw toAppError(error);
    throw new AppError(
      'ALREADY_EXISTS',
      `There is a file where the project folder should go: ${paths.folder}.`,
      'Choose another folder.',
    );
  }
  if (await isProject(paths)) {
    throw new AppError(
      'ALREADY_EXISTS',
      `There is a project in ${paths.folder} already.`,
      'Open it, or choose another folder for the new one.',
    );
  }
  // What is left of a creation that was cut off does not count.
  const leftBehind = (entry: string): boolean => isTempName(entry) || entry === 'project.lock';
  if (entries.every((entry) => litter.has(entry) || leftBehind(entry))) return;
  throw new AppError(
    'ALREADY_EXISTS',
    `The folder is not empty: ${paths.folder}.`,
    'Choose an empty folder, or the name of a new one.',
  );
}

async function requireNotNested(folder: string): Promise<void> {
  for (let above = dirname(folder); ; above = dirname(above)) {
    if (await isProject(projectPaths(above))) {
      throw new AppError(
        'INVALID_ARGUMENT',
        `The folder lies inside another project: ${above}.`,
        'Choose a folder outside of it.',
        { details: { field: 'folder' } },
      );
    }
    if (above === dirname(above)) return;
  }
}
