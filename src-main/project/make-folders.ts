// Makes folders at places that users choose.

import { mkdir, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { toWriteError } from '../engine/errors';

/**
 * Makes a folder and those above it that are missing. Node's own recursive mkdir never ends where a file system
 * says "not found" to everything, as /proc does.
 * @returns the topmost folder made, to be removed when what follows fails; null when all were there
 * @throws AppError FILE_UNWRITABLE, ALREADY_EXISTS where a file stands, DISK_FULL; nothing is then left behind
 */
export async function makeFolders(folder: string): Promise<string | null> {
  try {
    return await make(folder);
  } catch (error) {
    throw toWriteError(error);
  }
}

async function make(folder: string): Promise<string | null> {
  try {
    await mkdir(folder);
    return folder;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await stat(folder)).isDirectory()) return null;
    if (code !== 'ENOENT' || dirname(folder) === folder) throw error;
  }
  const topmost = await make(dirname(folder));
  try {
    await mkdir(folder);
  } catch (error) {
    if (topmost !== null) await rm(topmost, { recursive: true, force: true });
    throw error;
  }
  return topmost ?? folder;
}
