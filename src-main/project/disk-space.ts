// Asks for room on the disk before long work begins, rather than failing at its end.

import { statfs } from 'node:fs/promises';
import { AppError } from '../engine/errors';

/** Free bytes, for this user, on the disk that holds a folder. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/**
 * Checks for twice the bytes that will be written, since a file lies beside the one it replaces.
 * @param free how to find the free bytes (tests stand in for a full disk)
 * @throws AppError DISK_FULL with `bytesNeeded` and `bytesFree`
 */
export async function requireSpace(
  folder: string,
  bytes: number,
  free: (folder: string) => Promise<number> = freeBytes,
): Promise<void> {
  const bytesNeeded = 2 * bytes;
  const bytesFree = await free(folder);
  if (bytesFree >= bytesNeeded) return;
  throw new AppError(
    'DISK_FULL',
    `This needs ${megabytes(bytesNeeded)} of free disk space; ${folder} has ${megabytes(bytesFree)} left.`,
    'Free some space and try again. Nothing was changed.',
    { details: { bytesNeeded, bytesFree } },
  );
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
