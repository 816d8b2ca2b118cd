// Reads parts of files that may be large.

import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { EngineContext } from '../../context';
import { fillFrom } from '../pieces';
import { corrupt } from './errors';

/** Bytes of a file from `start` on. @throws AppError MODEL_CORRUPT when it ends before, CANCELLED */
export async function readPart(
  path: string,
  start: number,
  length: number,
  context: EngineContext,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const handle = await open(path, 'r');
  try {
    const label = `Reading ${basename(path)}`;
    const ended = (): Error => corrupt(`${basename(path)} ended while it was read`);
    await fillFrom(handle, bytes, start, { label, ended }, context);
  } finally {
    await handle.close();
  }
  return bytes;
}
