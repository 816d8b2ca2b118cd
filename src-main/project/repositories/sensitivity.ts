// Rows of sensitivity maps: one for each version, data set and way of measuring, and one for each group and width.

import { defaultStructure, structureOf } from '../../engine/prune';
import type {
  SensitivityHead,
  SensitivityMap,
  SensitivityOptions,
  SensitivityPoint,
} from '../../engine/prune/sensitivity/types';
import type { Sql } from '../database';
import type { DatasetId, SensitivityId, SensitivityRecord, Timestamp, VersionId } from '../types';
import { fromJson, insertRow, toJson } from './rows';

export interface NewSensitivity {
  readonly id: SensitivityId;
  readonly version: VersionId;
  readonly data: DatasetId;
  readonly createdAt: Timestamp;
  readonly head: SensitivityHead;
}

interface Row {
  id: string;
  version: string;
  data: string;
  created_at: string;
  options: string;
  split: SensitivityHead['split'];
  samples: number;
  top1: number;
  loss: number;
  groups: string;
}

interface PointRow {
  group_id: number;
  kept: number;
  top1: number;
  loss: number;
}

/** Equal options are equal text: the grid falls and has each share once. */
function optionsText(options: SensitivityOptions): string {
  const { criterion, grid, samples, recalibrate, seed } = options;
  const shares = [...new Set(grid)].sort((a, b) => b - a);
  const { trunk, grouped } = structureOf(options);
  return toJson({
    criterion,
    grid: shares,
    samples,
    recalibrate,
    seed,
    // Maps of old were measured with the default structure and do not name it.
    ...(trunk === defaultStructure.trunk ? {} : { trunk }),
    ...(grouped === defaultStructure.grouped ? {} : { grouped }),
  });
}

export class SensitivityRepository {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Maps of a version with their points so far, oldest first. */
  async list(version: VersionId): Promise<SensitivityRecord[]> {
    const rows = await this.#sql.all<Row>(
      'SELECT * FROM sensitivity_maps WHERE version = ? ORDER BY seq',
      [version],
    );
    return Promise.all(rows.map((row) => this.#recordOf(row)));
  }

  /** The map that is measured in exactly this way, as far as it has come. */
  async find(
    version: VersionId,
    data: DatasetId,
    options: SensitivityOptions,
  ): Promise<SensitivityRecord | undefined> {
    const row = await this.#sql.get<Row>(
      'SELECT * FROM sensitivity_maps WHERE version = ? AND data = ? AND options = ?',
      [version, data, optionsText(options)],
    );
    return row === undefined ? undefined : this.#recordOf(row);
  }

  async insert({ id, version, data, createdAt, head }: NewSensitivity): Promise<void> {
    await insertRow(this.#sql, 'sensitivity_maps', {
      id,
      version,
      data,
      created_at: createdAt,
      options: optionsText(head.options),
      split: head.split,
      samples: head.samples,
      top1: head.baseline.top1,
      loss: head.baseline.loss,
      groups: toJson(head.groups),
    });
  }

  async insertPoint(map: SensitivityId, point: SensitivityPoint): Promise<void> {
    const { group, kept, top1, loss } = point;
    await insertRow(this.#sql, 'sensitivity_points', { map, group_id: group, kept, top1, loss });
  }

  async #recordOf(row: Row): Promise<SensitivityRecord> {
    const points = await this.#sql.all<PointRow>(
      `SELECT group_id, kept, top1, loss FROM sensitivity_points
       WHERE map = ? ORDER BY group_id, kept DESC`,
      [row.id],
    );
    const map: SensitivityMap = {
      options: fromJson<SensitivityOptions>(row.options),
      split: row.split,
      samples: row.samples,
      baseline: { top1: row.top1, loss: row.loss },
      groups: fromJson<SensitivityMap['groups']>(row.groups),
      points: points.map(({ group_id, ...point }) => ({ group: group_id, ...point })),
    };
    return { id: row.id, version: row.version, data: row.data, createdAt: row.created_at, map };
  }
}
