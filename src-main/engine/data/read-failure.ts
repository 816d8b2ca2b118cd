// Errors of the file system while reading. The general translation assumes that files were to be written.

import { AppError, toAppError } from '../errors';

const denied = new Set(['EACCES', 'EPERM']);

/** The AppError for a failed read: FILE_UNREADABLE for everything that the user can mend. */
export function readFailure(error: unknown): AppError {
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === undefined || !denied.has(code)) return toAppError(error);
  return new AppError(
    'FILE_UNREADABLE',
    `Permission to read is denied: ${path ?? 'unknown path'}`,
    'Check the permissions of the file or folder.',
    { cause: error },
  );
}
