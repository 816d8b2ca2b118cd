// Reads large files piece by piece, so that progress shows and a cancelled job stops.

import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { EngineContext } from '../../context';
import { corrupt } from './errors';

const pieceBytes = 16 * 1024 * 1024;

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
    let filled = 0;
    while (filled < length) {
      context.signal.throwIfAborted();
      context.progress({
        phase: 'reading',
        label: `Reading ${basename(path)}`,
        done: filled,
        total: length,
      });
      const piece = Math.min(pieceBytes, length - filled);
      const { bytesRead } = await handle.read(bytes, filled, piece, start + filled);
      if (bytesRead === 0) throw corrupt(`${basename(path)} ended while it was read`);
      filled += bytesRead;
    }
  } finally {
    await handle.close();
  }
  return bytes;
}
