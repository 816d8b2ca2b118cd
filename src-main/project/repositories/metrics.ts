// Time series of jobs: training and validation figures as they came.

import type { Metric } from '../../engine/context';
import type { GammaSample } from '../../engine/train/gammas';
import type { Sql } from '../database';
import type { JobId } from '../types';
import { fromJson, insertRow, toJson, toJsonOrNull } from './rows';

interface Row {
  step: number;
  epoch: number;
  values: string;
  gammas: string | null;
}

export class MetricsRepository {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** In the order in which they came. */
  async list(job: JobId): Promise<Metric[]> {
    const rows = await this.#sql.all<Row>(
      'SELECT step, epoch, "values", gammas FROM metrics WHERE job = ? ORDER BY seq',
      [job],
    );
    return rows.map(({ step, epoch, values, gammas }) => ({
      step,
      epoch,
      values: fromJson<Metric['values']>(values),
      ...(gammas === null ? {} : { gammas: fromJson<GammaSample>(gammas) }),
    }));
  }

  /**
   * Belongs into a transaction: one for many points.
   * @param part outputs that the job had saved before: tells the trainings of one job apart
   */
  async insert(job: JobId, part: number, { step, epoch, values, gammas }: Metric): Promise<void> {
    await insertRow(this.#sql, 'metrics', {
      ...{ job, part, step, epoch },
      values: toJson(values),
      gammas: toJsonOrNull(gammas ?? null),
    });
  }

  /** Removes the points of a part behind its first ones: they will come again. */
  async removeBehind(job: JobId, part: number, points: number): Promise<void> {
    await this.#sql.run(
      `DELETE FROM metrics WHERE seq IN
        (SELECT seq FROM metrics WHERE job = ? AND part = ? ORDER BY seq LIMIT -1 OFFSET ?)`,
      [job, part, points],
    );
  }
}
