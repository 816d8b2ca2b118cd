// Reads large files piece by piece, so that progress shows and a cancelled job stops.

import type { FileHandle } from 'node:fs/promises';
import type { EngineContext } from '../context';

const pieceBytes = 16 * 1024 * 1024;

export interface Pieces {
  /** What the progress says. */
  readonly label: string;
  /** Makes the error for a file that ends before. */
  readonly ended: () => Error;
  /** Is given every piece once it is there. */
  readonly look?: (piece: Uint8Array) => void;
}

/** Fills an array with the bytes of a file from `start` on. @throws what `ended` makes, CANCELLED */
export async function fillFrom(
  handle: FileHandle,
  bytes: Uint8Array,
  start: number,
  { label, ended, look }: Pieces,
  context: EngineContext,
): Promise<void> {
  const total = bytes.length;
  let done = 0;
  while (done < total) {
    context.signal.throwIfAborted();
    context.progress({ phase: 'reading', label, done, total });
    const wanted = Math.min(pieceBytes, total - done);
    const { bytesRead } = await handle.read(bytes, done, wanted, start + done);
    if (bytesRead === 0) throw ended();
    look?.(bytes.subarray(done, done + bytesRead));
    done += bytesRead;
  }
}
