// A folder that appears whole or not at all, wherever the user wants it.

import { mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { AppError, toAppError } from '../../engine/errors';
import type { WrittenFile } from '../../engine/formats/types';
import { syncFolder, tempPathFor } from '../../project/atomic-write';
import { makeFolders } from '../../project/make-folders';

/** The wanted folder, or the first with a number behind its name that is not there yet. */
export async function freeFolder(wanted: string): Promise<string> {
  let folder = wanted;
  for (let n = 2; await exists(folder); n++) folder = `${wanted}-${n}`;
  return folder;
}

/** @throws AppError ALREADY_EXISTS unless there is nothing, or an empty folder: nothing is ever overwritten. */
export async function requireVacant(folder: string): Promise<void> {
  let entries: readonly string[];
  try {
    entries = await readdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return;
    if (code !== 'ENOTDIR') throw toAppError(error);
    throw new AppError(
      'ALREADY_EXISTS',
      `A file stands in the way of the folder ${folder}.`,
      'Choose a new or an empty folder.',
    );
  }
  if (entries.length === 0) return;
  throw new AppError(
    'ALREADY_EXISTS',
    `The folder ${folder} is not empty.`,
    'Choose a new or an empty folder: nothing is ever overwritten.',
  );
}

/**
 * Fills a folder beside its place (so that the last step is one rename on the same disk), moves it there, and
 * announces it. Folders above it are made where they are missing. When anything fails, all of it goes again.
 * @param folder see `requireVacant`
 * @param fill writes the files, synced
 * @param announce makes it known; when it throws, the folder was never there
 * @throws AppError FILE_UNWRITABLE, DISK_FULL, and what the callbacks throw
 */
export async function placeFolder<T>(
  folder: string,
  fill: (staging: string) => Promise<T>,
  announce: (result: T) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const parent = dirname(folder);
  const firstMade = await makeFolders(parent);
  const staging = tempPathFor(folder);
  let shown = staging;
  try {
    await mkdir(staging);
    const result = await fill(staging);
    await syncFolder(staging);
    // Windows does not rename over an empty folder.
    await rmdir(folder).catch(ignoreMissing);
    await rename(staging, folder);
    shown = folder;
    await syncFolder(parent);
    await announce(result);
  } catch (error) {
    await rm(shown, { recursive: true, force: true });
    if (firstMade !== null) await rm(firstMade, { recursive: true, force: true });
    throw toAppError(error);
  }
}

/** Writes new files and the folders that they lie in. @param files with paths relative to `folder` */
export async function writeFiles(folder: string, files: readonly WrittenFile[]): Promise<void> {
  for (const file of files) {
    const path = join(folder, file.path);
    await mkdir(dirname(path), { recursive: true });
    const handle = await open(path, 'wx');
    try {
      await handle.writeFile(file.bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
