// Content-addressed files: `blobs/<sha256>`. A blob is complete from the moment that it has its name.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, mkdir, readdir, realpath, rename, rm } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AppError, toAppError } from '../engine/errors';
import type { StagedBlob } from '../jobs/types';
import { syncFile, syncFolder } from './atomic-write';

/** What the database remembers of a blob. */
export interface BlobRow {
  readonly sha256: string;
  readonly bytes: number;
  /** Modification time in milliseconds when the checksum was last found right. */
  readonly modified: number;
}

export type BlobState =
  | { readonly state: 'intact'; readonly modified: number }
  | { readonly state: 'missing' }
  | { readonly state: 'mismatch' };

export class BlobStore {
  readonly #folder: string;
  readonly #tempFolder: string;

  /** @param tempFolder the only place that staged files are accepted from; same disk as `folder` */
  constructor(folder: string, tempFolder: string) {
    this.#folder = folder;
    this.#tempFolder = tempFolder;
  }

  pathOf(sha256: string): string {
    return join(this.#folder, sha256);
  }

  /**
   * Verifies a staged file and moves it into the store; it is on the disk for good when this returns.
   * @throws AppError INVALID_ARGUMENT for a file from elsewhere, PROJECT_CORRUPT when its content is not what
   *   was announced, DISK_FULL, FILE_UNWRITABLE
   */
  async adopt(staged: StagedBlob): Promise<BlobRow> {
    await this.#requireStaged(staged.file);
    const found = await describeFile(staged.file);
    if (found.sha256 !== staged.sha256 || found.bytes !== staged.bytes) {
      throw new AppError(
        'PROJECT_CORRUPT',
        `A result was damaged on its way into the project: its checksum is ${found.sha256}, not ${staged.sha256}.`,
        'Run the job again; if it happens again, check the disk.',
      );
    }
    const target = this.pathOf(staged.sha256);
    try {
      const existing = await this.check({ ...found, modified: Number.NaN });
      if (existing.state === 'intact') {
        await rm(staged.file, { force: true });
        return { ...found, modified: existing.modified };
      }
      await mkdir(this.#folder, { recursive: true });
      await syncFile(staged.file);
      await rename(staged.file, target);
      await syncFolder(this.#folder);
      return { ...found, modified: (await lstat(target)).mtimeMs };
    } catch (error) {
      throw toAppError(error);
    }
  }

  /**
   * Compares a blob with its row. A file of the right size that was not touched since its checksum was last
   * found right is trusted without reading it, as git does; pass `modified: NaN` to read it in any case.
   */
  async check(row: BlobRow): Promise<BlobState> {
    const path = this.pathOf(row.sha256);
    const stats = await lstat(path).catch(() => null);
    if (stats === null) return { state: 'missing' };
    if (!stats.isFile() || stats.size !== row.bytes) return { state: 'mismatch' };
    if (stats.mtimeMs === row.modified) return { state: 'intact', modified: row.modified };
    const found = await describeFile(path).catch(() => null);
    return found?.sha256 === row.sha256
      ? { state: 'intact', modified: stats.mtimeMs }
      : { state: 'mismatch' };
  }

  async remove(sha256: string): Promise<void> {
    await rm(this.pathOf(sha256), { force: true });
  }

  /** Blobs in the store other than those in `known`. Files that are not named as blobs are nobody's business. */
  async strangers(known: ReadonlySet<string>): Promise<string[]> {
    const names = await readdir(this.#folder);
    return names.filter((name) => /^[0-9a-f]{64}$/.test(name) && !known.has(name));
  }

  /** A worker parses foreign files: it must not be able to talk the project into moving any other file. */
  async #requireStaged(file: string): Promise<void> {
    const stats = await lstat(file).catch(() => null);
    const inside =
      stats?.isFile() === true &&
      (await realpath(file)).startsWith((await realpath(this.#tempFolder)) + sep);
    if (inside) return;
    throw new AppError(
      'INVALID_ARGUMENT',
      `A result must be a file in the job's own temp folder, not ${file}.`,
      'This is a bug in Secateur; the log has the details.',
    );
  }
}

async function describeFile(path: string): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), async (chunks) => {
    for await (const chunk of chunks as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  });
  return { sha256: hash.digest('hex'), bytes };
}
