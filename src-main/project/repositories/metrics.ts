// Time series of jobs: training and validation figures as they came.

import type { Metric } from '../../engine/context';
import type { Sql } from '../database';
import type { JobId } from '../types';
import { fromJson, insertRow, toJson } from './rows';

export class MetricsRepository {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** In the order in which they came. */
  async list(job: JobId): Promise<Metric[]> {
    const rows = await this.#sql.all<{ step: number; epoch: number; values: string }>(
      'SELECT step, epoch, "values" FROM metrics WHERE job = ? ORDER BY seq',
      [job],
    );
    return rows.map(({ step, epoch, values }) => ({
      step,
      epoch,
      values: fromJson<Metric['values']>(values),
    }));
  }

  /** Belongs into a transaction: one for many points. */
  async insert(job: JobId, metrics: readonly Metric[]): Promise<void> {
    for (const { step, epoch, values } of metrics) {
      await insertRow(this.#sql, 'metrics', { job, step, epoch, values: toJson(values) });
    }
  }
}
