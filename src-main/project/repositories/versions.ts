// Rows of versions. Immutable but for their names and for the trash.

import type { Cost, Shape } from '../../engine/graph/types';
import type { Equivalence, LayerReport } from '../../engine/prune/types';
import type { EpochRecord } from '../../engine/train/types';
import { optionsToday } from '../../jobs/older-requests';
import type { VersionDraft } from '../../jobs/types';
import type { Sql } from '../database';
import type { JobId, Operation, Timestamp, TrashEntry, VersionId } from '../types';
import { fromJson, fromJsonOrNull, insertRow, toJson, toJsonOrNull } from './rows';

/** What identifies a version in lists, trees and lineages. */
export interface VersionHead {
  readonly id: VersionId;
  readonly name: string;
  readonly parent: VersionId | null;
  readonly operation: Operation;
  readonly createdAt: Timestamp;
  /** Null once it has left the trash. */
  readonly blob: string | null;
  /** Null unless it is, or was, in the trash. */
  readonly deletedAt: Timestamp | null;
}

/** The figures of a version that lists show. */
export interface VersionFigures extends VersionHead {
  readonly blob: string;
  readonly cost: Cost;
  readonly bytes: number;
  readonly bytesOf: VersionDraft['bytesOf'];
  readonly inputShape: Shape;
  readonly classes: number;
  readonly equivalence: Equivalence | null;
}

/** Everything that is stored of a version that has not left the trash. */
export interface StoredVersion extends VersionFigures {
  readonly options: unknown;
  readonly engineVersion: string;
  readonly seed: number | null;
  readonly source: VersionDraft['source'];
  readonly layerReports: readonly LayerReport[] | null;
  readonly history: readonly EpochRecord[];
}

export interface NewVersion {
  readonly id: VersionId;
  readonly name: string;
  readonly createdAt: Timestamp;
  readonly engineVersion: string;
  readonly job: JobId;
  readonly draft: VersionDraft;
}

interface HeadRow {
  id: string;
  name: string;
  parent: string | null;
  operation: Operation;
  created_at: string;
  blob: string | null;
  deleted_at: string | null;
}

interface FiguresRow extends HeadRow {
  blob: string;
  params: number;
  macs: number;
  weight_bytes: number;
  activation_bytes: number;
  bytes: number;
  bytes_of: VersionDraft['bytesOf'];
  input_shape: string;
  classes: number;
  equivalence: string | null;
}

interface StoredRow extends FiguresRow {
  options: string;
  engine_version: string;
  seed: number | null;
  source: string;
  layers: string | null;
  history: string;
}

const headColumns = 'id, name, parent, operation, created_at, blob, deleted_at';
const figureColumns = `${headColumns}, params, macs, weight_bytes, activation_bytes, bytes, bytes_of,
  input_shape, classes, equivalence`;

export class VersionsRepository {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Every version that ever was, oldest first: also those in the trash and those that left it. */
  async heads(): Promise<VersionHead[]> {
    const rows = await this.#sql.all<HeadRow>(`SELECT ${headColumns} FROM versions ORDER BY seq`);
    return rows.map(headOf);
  }

  /** Those that are not in the trash, oldest first. */
  async figures(): Promise<VersionFigures[]> {
    const rows = await this.#sql.all<FiguresRow>(
      `SELECT ${figureColumns} FROM versions WHERE deleted_at IS NULL ORDER BY seq`,
    );
    return rows.map(figuresOf);
  }

  /** Also one that is in the trash, as long as its content is there. */
  async find(id: VersionId): Promise<StoredVersion | undefined> {
    const row = await this.#sql.get<StoredRow>(
      'SELECT * FROM versions WHERE id = ? AND blob IS NOT NULL',
      [id],
    );
    return row === undefined ? undefined : storedOf(row);
  }

  /** The options of those that were trained and are not in the trash. */
  async trainedOptions(): Promise<ReadonlyMap<VersionId, unknown>> {
    const rows = await this.#sql.all<{ id: string; options: string }>(
      `SELECT id, options FROM versions
       WHERE deleted_at IS NULL AND operation IN ('train', 'scratch')`,
    );
    return new Map(rows.map(({ id, options }) => [id, optionsToday(fromJson<unknown>(options))]));
  }

  async names(): Promise<string[]> {
    const rows = await this.#sql.all<{ name: string }>(
      'SELECT name FROM versions WHERE deleted_at IS NULL',
    );
    return rows.map(({ name }) => name);
  }

  async insert({ id, name, createdAt, engineVersion, job, draft }: NewVersion): Promise<void> {
    await insertRow(this.#sql, 'versions', {
      id,
      name,
      parent: draft.parent,
      operation: draft.operation,
      options: toJson(draft.options),
      engine_version: engineVersion,
      seed: draft.seed,
      created_at: createdAt,
      job,
      blob: draft.blob.sha256,
      params: draft.cost.params,
      macs: draft.cost.macs,
      weight_bytes: draft.cost.weightBytes,
      activation_bytes: draft.cost.activationBytes,
      bytes: draft.bytes,
      bytes_of: draft.bytesOf,
      input_shape: toJson(draft.inputShape),
      classes: draft.classes,
      source: toJson(draft.source),
      equivalence: toJsonOrNull(draft.equivalence),
      layers: toJsonOrNull(draft.layers),
      history: toJson(draft.history),
    });
  }

  async rename(id: VersionId, name: string): Promise<void> {
    await this.#sql.run('UPDATE versions SET name = ? WHERE id = ?', [name, id]);
  }

  async trash(id: VersionId, deletedAt: Timestamp): Promise<void> {
    await this.#sql.run('UPDATE versions SET deleted_at = ? WHERE id = ?', [deletedAt, id]);
  }

  async restore(id: VersionId, name: string): Promise<void> {
    await this.#sql.run('UPDATE versions SET deleted_at = NULL, name = ? WHERE id = ?', [name, id]);
  }

  async trashEntries(): Promise<TrashEntry[]> {
    const rows = await this.#sql.all<HeadRow & { deleted_at: string }>(
      `SELECT ${headColumns} FROM versions
       WHERE deleted_at IS NOT NULL AND blob IS NOT NULL ORDER BY deleted_at, seq`,
    );
    return rows.map((row) => ({
      kind: 'version',
      id: row.id,
      name: row.name,
      deletedAt: row.deleted_at,
    }));
  }

  /** Lets go of the content of what was put into the trash before a time; the lineage stays. */
  async emptyTrash(before: Timestamp): Promise<void> {
    await this.#sql.run(
      `UPDATE versions SET blob = NULL, layers = NULL, history = '[]'
       WHERE deleted_at < ? AND blob IS NOT NULL`,
      [before],
    );
  }
}

const headOf = (row: HeadRow): VersionHead => ({
  id: row.id,
  name: row.name,
  parent: row.parent,
  operation: row.operation,
  createdAt: row.created_at,
  blob: row.blob,
  deletedAt: row.deleted_at,
});

const figuresOf = (row: FiguresRow): VersionFigures => ({
  ...headOf(row),
  blob: row.blob,
  cost: {
    params: row.params,
    macs: row.macs,
    weightBytes: row.weight_bytes,
    activationBytes: row.activation_bytes,
  },
  bytes: row.bytes,
  bytesOf: row.bytes_of,
  inputShape: fromJson<Shape>(row.input_shape),
  classes: row.classes,
  equivalence: fromJsonOrNull<Equivalence>(row.equivalence),
});

const storedOf = (row: StoredRow): StoredVersion => ({
  ...figuresOf(row),
  options: optionsToday(fromJson<unknown>(row.options)),
  engineVersion: row.engine_version,
  seed: row.seed,
  source: fromJson<VersionDraft['source']>(row.source),
  layerReports: fromJsonOrNull<LayerReport[]>(row.layers),
  history: fromJson<EpochRecord[]>(row.history),
});
