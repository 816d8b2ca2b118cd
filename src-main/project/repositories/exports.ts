// Rows of exports: which files were written where, and how they were verified.

import type { Precision, WriteFormat } from '../../engine/formats/types';
import type { Verification } from '../../engine/measure/types';
import type { Sql } from '../database';
import type { ExportedFile, ExportId, ExportRecord, JobId, VersionId } from '../types';
import { fromJson, fromJsonOrNull, insertRow, toJson, toJsonOrNull } from './rows';

interface Row {
  id: string;
  version: string;
  format: WriteFormat;
  precision: Precision;
  folder: string;
  files: string;
  verification: string | null;
  created_at: string;
}

export class ExportsRepository {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  async insert(record: ExportRecord, job: JobId): Promise<void> {
    await insertRow(this.#sql, 'exports', {
      id: record.id,
      version: record.version,
      format: record.format,
      precision: record.precision,
      folder: record.folder,
      files: toJson(record.files),
      verification: toJsonOrNull(record.verification),
      created_at: record.createdAt,
      job,
    });
  }

  async find(id: ExportId): Promise<ExportRecord | undefined> {
    const row = await this.#sql.get<Row>('SELECT * FROM exports WHERE id = ?', [id]);
    return row === undefined ? undefined : recordOf(row);
  }

  /** Oldest first. */
  async list(version: VersionId): Promise<ExportRecord[]> {
    const rows = await this.#sql.all<Row>('SELECT * FROM exports WHERE version = ? ORDER BY seq', [
      version,
    ]);
    return rows.map(recordOf);
  }
}

const recordOf = (row: Row): ExportRecord => ({
  id: row.id,
  version: row.version,
  format: row.format,
  precision: row.precision,
  folder: row.folder,
  files: fromJson<ExportedFile[]>(row.files),
  verification: fromJsonOrNull<Verification>(row.verification),
  createdAt: row.created_at,
});
