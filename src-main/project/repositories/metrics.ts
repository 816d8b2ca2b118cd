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

  /**
   * Belongs into a transaction: one for many points.
   * @param part outputs that the job had saved before: tells the trainings of one job apart
   */
  async insert(job: JobId, part: number, { step, epoch, values }: Metric): Promise<void> {
    await insertRow(this.#sql, 'metrics', { job, part, step, epoch, values: toJson(values) });
  }

  /** Removes the points behind an epoch, which will come again. */
  async removeBehind(job: JobId, part: number, epoch: number): Promise<void> {
    await this.#sql.run('DELETE FROM metrics WHERE job = ? AND part = ? AND epoch > ?', [
      job,
      part,
      epoch,
    ]);
  }
}
