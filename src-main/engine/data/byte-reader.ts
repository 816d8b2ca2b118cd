// Reads exact amounts of bytes from a stream, and says in the user's terms when a file ends too early.

import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { AppError } from '../errors';
import { readFailure } from './read-failure';

/** Pulls bytes from a file, one piece after the other; memory holds one piece and one chunk of the stream. */
export class ByteReader {
  private readonly chunks: AsyncIterator<Buffer>;
  private chunk: Buffer = Buffer.alloc(0);
  private offset = 0;
  private total = 0;

  /** @param name how messages call the stream: a path, or a path and an entry */
  constructor(
    private readonly stream: Readable,
    private readonly name: string,
  ) {
    this.chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** Opens a file; names that end in .gz are unpacked on the way. */
  static open(file: string): ByteReader {
    const source = createReadStream(file, { highWaterMark: 1024 * 1024 });
    if (!file.toLowerCase().endsWith('.gz')) return new ByteReader(source, file);
    const unpacked = createGunzip({ chunkSize: 256 * 1024 });
    // A read error must end the reader too; `pipe` alone would leave it waiting.
    source.once('error', (error) => unpacked.destroy(error));
    unpacked.once('close', () => source.destroy());
    return new ByteReader(source.pipe(unpacked), file);
  }

  /**
   * The next `bytes` bytes.
   * @throws AppError DATA_CORRUPT when the stream ends before or cannot be unpacked, FILE_UNREADABLE
   */
  async read(bytes: number): Promise<Buffer> {
    if (this.offset + bytes <= this.chunk.length) return this.take(bytes);
    const result = Buffer.allocUnsafe(bytes);
    for (let done = 0; done < bytes;) {
      if (this.offset === this.chunk.length && !(await this.pull())) {
        throw this.corrupt(`it ends after ${this.total} bytes, ${bytes - done} more were expected`);
      }
      const part = this.take(Math.min(bytes - done, this.chunk.length - this.offset));
      result.set(part, done);
      done += part.length;
    }
    return result;
  }

  /** @throws AppError DATA_CORRUPT when there are bytes left */
  async expectEnd(): Promise<void> {
    if (this.offset < this.chunk.length || (await this.pull())) {
      throw this.corrupt(`it goes on after the ${this.total} bytes that its header announces`);
    }
  }

  close(): void {
    this.stream.destroy();
  }

  /** An error about this stream's content. */
  corrupt(what: string): AppError {
    return new AppError(
      'DATA_CORRUPT',
      `${this.name} is damaged: ${what}.`,
      'Fetch the file again, or attach a data set without it.',
      { details: { file: this.name } },
    );
  }

  private take(bytes: number): Buffer {
    const part = this.chunk.subarray(this.offset, this.offset + bytes);
    this.offset += bytes;
    this.total += bytes;
    return part;
  }

  private async pull(): Promise<boolean> {
    try {
      const next = await this.chunks.next();
      if (next.done) return false;
      this.chunk = next.value;
      this.offset = 0;
      return true;
    } catch (error) {
      const { code, syscall, message } = error as NodeJS.ErrnoException;
      // Errors of the file system name their call; those of zlib do not.
      if (syscall === undefined) throw this.corrupt(`${message} (${code ?? 'no code'})`);
      throw readFailure(error);
    }
  }
}
