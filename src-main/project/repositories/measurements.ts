// Rows of latency measurements.

import type { Latency } from '../../engine/measure/types';
import type { Sql } from '../database';
import type { MeasurementRecord, VersionId } from '../types';
import { fromJson, insertRow, toJson } from './rows';

export class MeasurementsRepository {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  async insert({ version, createdAt, latency }: MeasurementRecord): Promise<void> {
    await insertRow(this.#sql, 'measurements', {
      version,
      created_at: createdAt,
      runtime: latency.runtime,
      threads: latency.threads,
      latency: toJson(latency),
    });
  }

  /** Oldest first. */
  async list(version: VersionId): Promise<MeasurementRecord[]> {
    const rows = await this.#sql.all<{ created_at: string; latency: string }>(
      'SELECT created_at, latency FROM measurements WHERE version = ? ORDER BY seq',
      [version],
    );
    return rows.map((row) => ({
      version,
      createdAt: row.created_at,
      latency: fromJson<Latency>(row.latency),
    }));
  }

  /** The newest figure of each version, runtime and thread count. */
  async newest(): Promise<Map<VersionId, Latency[]>> {
    const rows = await this.#sql.all<{ version: VersionId; latency: string }>(
      `SELECT version, latency FROM (
         SELECT *, ROW_NUMBER() OVER (PARTITION BY version, runtime, threads ORDER BY seq DESC) AS place
         FROM measurements)
       WHERE place = 1 ORDER BY version, runtime, threads`,
    );
    const newest = new Map<VersionId, Latency[]>();
    for (const { version, latency } of rows) {
      const figures = newest.get(version) ?? [];
      figures.push(fromJson<Latency>(latency));
      newest.set(version, figures);
    }
    return newest;
  }
}
