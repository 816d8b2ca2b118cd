// Rows of evaluations: what a version is worth on a split of a data set.

import { macroF1 } from '../../engine/measure/macro-f1';
import { scoreOf } from '../../engine/measure/score';
import type { Evaluation } from '../../engine/measure/types';
import type { SplitName, Task } from '../../engine/data/types';
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
      score: scoreOf(accuracy),
      task: accuracy.task,
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
      accuracy: evaluationOf(row.accuracy),
    }));
  }

  /** The newest figure of each version, from the test split where there is one, else validation, else training. */
  async newest(): Promise<Map<VersionId, AccuracyFigure>> {
    const rows = await this.#sql.all<NewestRow>(
      `SELECT version, data, dataName, split, samples,
         ${figureNames.map((name) => `json_extract(accuracy, '$.${name}') AS ${name}`).join(', ')},
         CASE WHEN task = 'classes' AND json_extract(accuracy, '$.macroF1') IS NULL
           THEN accuracy END AS older
       FROM (
         SELECT evaluations.*, datasets.name AS dataName, ROW_NUMBER() OVER (
           PARTITION BY version
           ORDER BY CASE split WHEN 'test' THEN 0 WHEN 'val' THEN 1 ELSE 2 END, evaluations.seq DESC
         ) AS place
         FROM evaluations JOIN datasets ON datasets.id = evaluations.data)
       WHERE place = 1`,
    );
    return new Map(rows.map((row) => [row.version, figureOf(row)]));
  }
}

/** Figures of evaluations that lists show, of all tasks. */
const figureNames = [
  ...['task', 'top1', 'top5', 'macroF1', 'accuracy', 'microF1', 'mae', 'rmse'],
] as const;

interface NewestRow {
  readonly version: VersionId;
  readonly data: string;
  readonly dataName: string;
  readonly split: SplitName;
  readonly samples: number;
  readonly task: Task | null;
  readonly top1: number;
  readonly top5: number | null;
  readonly macroF1: number;
  readonly accuracy: number;
  readonly microF1: number;
  readonly mae: number;
  readonly rmse: number;
  /** The whole evaluation, where an older Secateur stored it without what is known of it today. */
  readonly older: string | null;
}

function figureOf(row: NewestRow): AccuracyFigure {
  const { data, dataName, split, samples, task } = row;
  const on = { data, dataName, split, samples };
  switch (task) {
    case 'labels':
      return { ...on, task, accuracy: row.accuracy, microF1: row.microF1, macroF1: row.macroF1 };
    case 'values':
      return { ...on, task, mae: row.mae, rmse: row.rmse };
    default: {
      const { top1, top5 } = row;
      const older = row.older === null ? null : evaluationOf(row.older);
      const known = older?.task === 'classes' ? older.macroF1 : row.macroF1;
      return { ...on, task: 'classes', top1, top5, macroF1: known };
    }
  }
}

/** An evaluation; of those that were stored without their task or macro-F1, the latter is in their confusion. */
function evaluationOf(json: string): Evaluation {
  const stored = fromJson<Evaluation>(json);
  const evaluation: Evaluation = { ...stored, task: stored.task ?? 'classes' } as Evaluation;
  if (evaluation.task !== 'classes') return evaluation;
  return { ...evaluation, macroF1: evaluation.macroF1 ?? macroF1(evaluation.confusion) };
}
