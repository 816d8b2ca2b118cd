// Writes files so that a reader, or a crash at any moment, meets the old bytes or the new ones, never a mix.

import { randomBytes } from 'node:crypto';
import { open, readdir, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { toAppError } from '../engine/errors';

/** The steps of an atomic write, in order; tests make each of them fail. */
export interface WriteSteps {
  open(path: string): Promise<FileHandle>;
  write(handle: FileHandle, content: Uint8Array | string): Promise<void>;
  sync(handle: FileHandle): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  syncFolder(folder: string): Promise<void>;
}

const diskSteps: WriteSteps = {
  open: (path) => open(path, 'wx'),
  write: (handle, content) => handle.writeFile(content),
  sync: (handle) => handle.sync(),
  rename,
  syncFolder,
};

/**
 * Puts `content` at `path`, replacing what is there.
 * @throws AppError DISK_FULL, FILE_UNWRITABLE, FILE_UNREADABLE; `path` then holds what it held before
 */
export async function atomicWrite(
  path: string,
  content: Uint8Array | string,
  steps: WriteSteps = diskSteps,
): Promise<void> {
  const temp = tempPathFor(path);
  try {
    const handle = await steps.open(temp);
    try {
      await steps.write(handle, content);
      await steps.sync(handle);
    } finally {
      await handle.close();
    }
    await steps.rename(temp, path);
    await steps.syncFolder(dirname(path));
  } catch (error) {
    await rm(temp, { force: true });
    throw toAppError(error);
  }
}

/** A name beside `path` for a file that is not complete yet; `sweepTemps` knows it. */
export function tempPathFor(path: string): string {
  const unique = randomBytes(4).toString('hex');
  return join(dirname(path), `.${basename(path)}.${unique}.tmp`);
}

/** True for names of `tempPathFor`, for export folders on their way, and for what SQLite keeps beside such a file. */
export function isTempName(name: string): boolean {
  return /^\..+\.[0-9a-f-]{8,36}\.tmp(-wal|-shm|-journal)?$/.test(name);
}

/** Removes what interrupted writes left in a folder; a folder that does not exist has nothing. */
export async function sweepTemps(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter(isTempName)) {
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** Writes a file's content through to the disk. */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes renames in a folder last through a power loss. Windows does not open folders and needs no such thing. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
