// Rows of the blob store: which contents are meant to be there, and who refers to them.

import type { BlobRow } from '../blob-store';
import type { Sql } from '../database';

export class BlobsRepository {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  list(): Promise<BlobRow[]> {
    return this.#sql.all<BlobRow>('SELECT sha256, bytes, modified FROM blobs');
  }

  find(sha256: string): Promise<BlobRow | undefined> {
    return this.#sql.get<BlobRow>('SELECT sha256, bytes, modified FROM blobs WHERE sha256 = ?', [
      sha256,
    ]);
  }

  async put(row: BlobRow): Promise<void> {
    await this.#sql.run(
      `INSERT INTO blobs (sha256, bytes, modified) VALUES (?, ?, ?)
       ON CONFLICT (sha256) DO UPDATE SET modified = excluded.modified`,
      [row.sha256, row.bytes, row.modified],
    );
  }

  /** Removes the rows that no version and no data set refers to; in the trash counts as referring. */
  async removeUnreferenced(): Promise<void> {
    await this.#sql.run(
      `DELETE FROM blobs WHERE sha256 NOT IN (
         SELECT blob FROM versions WHERE blob IS NOT NULL
         UNION SELECT blob FROM datasets WHERE blob IS NOT NULL)`,
    );
  }
}
