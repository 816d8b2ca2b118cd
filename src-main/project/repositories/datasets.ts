// Rows of data sets: what was found in them and which blob is their cache of decoded images.

import type { DatasetInfo } from '../../engine/data/types';
import type { Sql } from '../database';
import type { DatasetId, DatasetRecord, JobId, Timestamp, TrashEntry } from '../types';
import { fromJson, insertRow, toJson } from './rows';

export interface StoredDataset {
  readonly record: DatasetRecord;
  readonly info: DatasetInfo;
  readonly blob: string;
}

export interface NewDataset {
  readonly id: DatasetId;
  readonly name: string;
  readonly sourcePath: string;
  readonly info: DatasetInfo;
  readonly createdAt: Timestamp;
  readonly job: JobId;
  readonly blob: string;
}

interface Row {
  id: string;
  name: string;
  source_path: string;
  info: string;
  created_at: string;
  blob: string;
  cache_bytes: number;
}

export class DatasetsRepository {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Those that are not in the trash, oldest first. */
  async list(): Promise<StoredDataset[]> {
    const rows = await this.#sql.all<Row>(
      `SELECT datasets.*, blobs.bytes AS cache_bytes
       FROM datasets JOIN blobs ON blobs.sha256 = datasets.blob
       WHERE deleted_at IS NULL ORDER BY seq`,
    );
    return rows.map(storedOf);
  }

  /** Names of all that ever were: figures outlive the data that they were measured on. */
  async namesById(): Promise<Map<DatasetId, string>> {
    const rows = await this.#sql.all<{ id: string; name: string }>('SELECT id, name FROM datasets');
    return new Map(rows.map(({ id, name }) => [id, name]));
  }

  async insert(dataset: NewDataset): Promise<void> {
    await insertRow(this.#sql, 'datasets', {
      id: dataset.id,
      name: dataset.name,
      source_path: dataset.sourcePath,
      info: toJson(dataset.info),
      created_at: dataset.createdAt,
      job: dataset.job,
      blob: dataset.blob,
    });
  }

  async trash(id: DatasetId, deletedAt: Timestamp): Promise<void> {
    await this.#sql.run('UPDATE datasets SET deleted_at = ? WHERE id = ?', [deletedAt, id]);
  }

  async restore(id: DatasetId, name: string): Promise<void> {
    await this.#sql.run('UPDATE datasets SET deleted_at = NULL, name = ? WHERE id = ?', [name, id]);
  }

  async trashEntries(): Promise<TrashEntry[]> {
    const rows = await this.#sql.all<{ id: string; name: string; deleted_at: string }>(
      `SELECT id, name, deleted_at FROM datasets
       WHERE deleted_at IS NOT NULL AND blob IS NOT NULL ORDER BY deleted_at, seq`,
    );
    return rows.map(({ id, name, deleted_at }) => ({
      kind: 'dataset',
      id,
      name,
      deletedAt: deleted_at,
    }));
  }

  async emptyTrash(before: Timestamp): Promise<void> {
    await this.#sql.run(
      'UPDATE datasets SET blob = NULL WHERE deleted_at < ? AND blob IS NOT NULL',
      [before],
    );
  }
}

function storedOf(row: Row): StoredDataset {
  const stored = fromJson<DatasetInfo>(row.info);
  // Those that were attached before there were other tasks.
  const info: DatasetInfo = { ...stored, task: stored.task ?? 'classes' };
  return {
    record: {
      ...info,
      id: row.id,
      name: row.name,
      sourcePath: row.source_path,
      cacheBytes: row.cache_bytes,
      createdAt: row.created_at,
    },
    info,
    blob: row.blob,
  };
}
