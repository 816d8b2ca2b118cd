// Rows of evaluations: the accuracy of a version on a split of a data set.

import { macroF1 } from '../../engine/measure/macro-f1';
import type { Accuracy } from '../../engine/measure/types';
import type { Sql } from '../database';
import type { AccuracyFigure, EvaluationRecord, VersionId } from '../types';
import { fromJson, insertRow, toJson } from './rows';

export class EvaluationsRepository {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  async insert({ version, data, createdAt, accuracy }: EvaluationRecord): Promise<void> {
    await insertRow(this.#sql, 'evaluations', {
      version,
      data,
      created_at: createdAt,
      split: accuracy.split,
      samples: accuracy.samples,
      top1: accuracy.top1,
      accuracy: toJson(accuracy),
    });
  }

  /** Oldest first. */
  async list(version: VersionId): Promise<EvaluationRecord[]> {
    const rows = await this.#sql.all<{ data: string; created_at: string; accuracy: string }>(
      'SELECT data, created_at, accuracy FROM evaluations WHERE version = ? ORDER BY seq',
      [version],
    );
    return rows.map((row) => ({
      version,
      data: row.data,
      createdAt: row.created_at,
      accuracy: accuracyOf(row.accuracy),
    }));
  }

  /** The newest figure of each version, from the test split where there is one, else validation, else training. */
  async newest(): Promise<Map<VersionId, AccuracyFigure>> {
    const rows = await this.#sql.all<NewestRow>(
      `SELECT version, data, dataName, split, samples, top1,
         json_extract(accuracy, '$.top5') AS top5,
         json_extract(accuracy, '$.macroF1') AS macroF1,
         CASE WHEN json_extract(accuracy, '$.macroF1') IS NULL THEN accuracy END AS older
       FROM (
         SELECT evaluations.*, datasets.name AS dataName, ROW_NUMBER() OVER (
           PARTITION BY version
           ORDER BY CASE split WHEN 'test' THEN 0 WHEN 'val' THEN 1 ELSE 2 END, evaluations.seq DESC
         ) AS place
         FROM evaluations JOIN datasets ON datasets.id = evaluations.data)
       WHERE place = 1`,
    );
    return new Map(
      rows.map(({ version, older, ...figure }) => [
        version,
        older === null ? figure : { ...figure, macroF1: accuracyOf(older).macroF1 },
      ]),
    );
  }
}

interface NewestRow extends AccuracyFigure {
  readonly version: VersionId;
  /** The whole evaluation, where an older Secateur stored it without what is known of it today. */
  readonly older: string | null;
}

/** An evaluation; macro-F1 is in the confusion of those that were stored without it. */
function accuracyOf(json: string): Accuracy {
  const stored = fromJson<Accuracy>(json);
  return { ...stored, macroF1: stored.macroF1 ?? macroF1(stored.confusion) };
}
