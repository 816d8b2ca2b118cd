// The zip that a .keras file is: entries by name, read into memory after their declared sizes were looked at.
// Nothing is ever unpacked to the disk.

import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import yauzl from 'yauzl';
import type { Entry, ZipFile } from 'yauzl';
import type { EngineContext } from '../../context';
import { AppError, toAppError } from '../../errors';
import { corrupt, tooLarge } from '../keras-config/errors';
import { fillFrom } from '../pieces';

/** Compression method of an entry that is not compressed. */
const stored = 0;

const maxEntries = 10_000;
/** Keras stores entries as they are; packed again by other programs, weights shrink by a few per cent. */
const maxRatio = 200;
/** Below this size a high ratio harms nobody: JSON packs well. */
const smallBytes = 16 * 1024 * 1024;

function unsafeName(name: string): AppError {
  return new AppError(
    'MODEL_UNSAFE_PATH',
    `The archive has an entry named ${JSON.stringify(name)}, which would lie outside of its folder or twice in it.`,
    'Save the model again with Keras. If you do not know where the file comes from, do not use it.',
    { details: { path: name } },
  );
}

/** Names as Keras writes them: folders by slashes, below the archive, on any system. */
function requireSafeName(name: string): void {
  const parts = name.split('/');
  const isSafe =
    name !== '' &&
    !name.startsWith('/') &&
    !/[\\:\0]/.test(name) &&
    parts.every((part) => part !== '..' && part !== '.');
  if (!isSafe) throw unsafeName(name);
}

const symbolicLink = 0o120000;

function requireSafeEntry(entry: Entry): void {
  requireSafeName(entry.fileName);
  // The mode of a file under Unix lies in the upper half.
  const mode = entry.externalFileAttributes >>> 16;
  if ((mode & 0o170000) === symbolicLink) throw unsafeName(entry.fileName);
  if (entry.isEncrypted()) throw corrupt(`The entry ${entry.fileName} is encrypted`);
}

/** An archive by the names of its entries. */
export class KerasArchive {
  private constructor(
    private readonly path: string,
    private readonly zip: ZipFile,
    private readonly entries: ReadonlyMap<string, Entry>,
  ) {}

  /** @throws AppError MODEL_CORRUPT, MODEL_UNSAFE_PATH, MODEL_TOO_LARGE, FILE_UNREADABLE. Close the archive. */
  static async open(path: string): Promise<KerasArchive> {
    const zip = await openZip(path);
    try {
      if (zip.entryCount > maxEntries) {
        throw tooLarge('Entries of the archive', zip.entryCount, maxEntries);
      }
      const entries = new Map<string, Entry>();
      const seen = new Set<string>();
      for await (const entry of zip.eachEntry()) {
        requireSafeEntry(entry);
        // Names that differ in case alone are one name on some systems.
        const folded = entry.fileName.toLowerCase();
        if (seen.has(folded)) throw unsafeName(entry.fileName);
        seen.add(folded);
        entries.set(entry.fileName, entry);
      }
      return new KerasArchive(path, zip, entries);
    } catch (error) {
      zip.close();
      throw asModelError(error);
    }
  }

  close(): void {
    this.zip.close();
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  /**
   * An entry's bytes.
   * @throws AppError MODEL_CORRUPT when it is not there or damaged, MODEL_TOO_LARGE, or the reason of the signal
   */
  async read(name: string, limit: number, context: EngineContext): Promise<Uint8Array> {
    const entry = this.entries.get(name);
    if (entry === undefined) throw corrupt(`The archive has no ${name}`, { entry: name });
    const { uncompressedSize: size, compressedSize } = entry;
    if (size > limit) throw tooLarge(`Bytes of ${name}`, size, limit);
    if (size > smallBytes && size > maxRatio * compressedSize) {
      throw tooLarge(`Bytes that ${name} unpacks to`, size, maxRatio * compressedSize);
    }
    try {
      return await (entry.compressionMethod === stored
        ? this.readStored(entry, context)
        : this.inflate(entry, context));
    } catch (error) {
      throw asModelError(error);
    }
  }

  /** An entry as it lies in the file: large pieces are quicker than a stream. */
  private async readStored(entry: Entry, context: EngineContext): Promise<Uint8Array> {
    const { fileName: name, uncompressedSize } = entry;
    // Read first: that the bytes are within the file is checked there.
    const { fileDataStart } = await this.zip.readLocalFileHeaderPromise(entry, { minimal: true });
    const bytes = new Uint8Array(uncompressedSize);
    let checksum = 0;
    const pieces = {
      label: `Reading ${name}`,
      ended: () => corrupt(`The entry ${name} is shorter than declared`),
      look: (piece: Uint8Array) => {
        checksum = crc32(piece, checksum);
      },
    };
    const handle = await open(this.path, 'r');
    try {
      await fillFrom(handle, bytes, fileDataStart, pieces, context);
    } finally {
      await handle.close();
    }
    requireChecksum(entry, checksum);
    return bytes;
  }

  private async inflate(entry: Entry, context: EngineContext): Promise<Uint8Array> {
    const { fileName: name, uncompressedSize: total } = entry;
    // Opened first: that the packed bytes are within the file is checked there.
    const stream = await this.zip.openReadStreamPromise(entry);
    const bytes = new Uint8Array(total);
    let done = 0;
    let checksum = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      context.signal.throwIfAborted();
      // A stream that is longer than declared ends with an error of yauzl; this one stays within the array.
      if (done + chunk.length > total) throw corrupt(`The entry ${name} is longer than declared`);
      bytes.set(chunk, done);
      done += chunk.length;
      checksum = crc32(chunk, checksum);
      context.progress({ phase: 'reading', label: `Reading ${name}`, done, total });
    }
    if (done !== total) throw corrupt(`The entry ${name} is shorter than declared`);
    requireChecksum(entry, checksum);
    return bytes;
  }
}

function requireChecksum({ fileName, crc32: declared }: Entry, found: number): void {
  if (found !== declared) throw corrupt(`The entry ${fileName} does not match its checksum`);
}

async function openZip(path: string): Promise<ZipFile> {
  try {
    return await yauzl.openPromise(path, {
      lazyEntries: true,
      autoClose: false,
      // Else backslashes become slashes before anyone has seen them.
      strictFileNames: true,
    });
  } catch (error) {
    throw asModelError(error);
  }
}

/** What yauzl and zlib throw: names that they refuse, and everything that is wrong with an archive. */
function asModelError(error: unknown): unknown {
  if (error instanceof AppError) return error;
  if (error instanceof Error && error.name === 'AbortError') return error;
  const { code, message } = error as { code?: unknown; message: string };
  const refused = /^(?:absolute path|invalid relative path|invalid characters in fileName): (.*)$/s;
  const name = refused.exec(message)?.[1];
  if (name !== undefined) return unsafeName(name);
  const isSystems = typeof code === 'string' && /^E[A-Z]+$/.test(code);
  if (isSystems) return toAppError(error);
  return corrupt(`The archive is damaged: ${message.slice(0, 200)}`, {}, error);
}
