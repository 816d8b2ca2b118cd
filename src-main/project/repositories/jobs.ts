// Rows of jobs: what was asked for, how it went and the last lines of the log.

import type { Progress } from '../../engine/context';
import type { ErrorInfo } from '../../engine/errors';
import { asToday } from '../../jobs/older-requests';
import type { SavedOutput } from '../../jobs/saved-outputs';
import type { JobRequest } from '../../jobs/types';
import type { Sql } from '../database';
import type { JobId, JobRecord, JobState, Timestamp } from '../types';
import { fromJson, fromJsonOrNull, insertRow, toJson, toJsonOrNull } from './rows';

export type NewJob = Pick<JobRecord, 'id' | 'request' | 'title' | 'createdAt'>;

interface Row {
  id: string;
  request: string;
  title: string;
  state: JobState;
  created_at: string;
  started_at: string | null;
  ended_at: string | null;
  error: string | null;
  progress: string | null;
  log: string;
  versions: string;
  exports: string;
  datasets: string;
}

/** The ids of what a job has made, as a JSON list in the order of making. */
const madeIn = (table: string): string =>
  `(SELECT json_group_array(id) FROM (SELECT id FROM ${table} WHERE job = jobs.id ORDER BY seq)) AS ${table}`;

const select = `SELECT jobs.*, ${madeIn('versions')}, ${madeIn('exports')}, ${madeIn('datasets')}
  FROM jobs`;

export class JobsRepository {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Oldest first. */
  async list(): Promise<JobRecord[]> {
    const rows = await this.#sql.all<Row>(`${select} ORDER BY seq`);
    return rows.map(recordOf);
  }

  async find(id: JobId): Promise<JobRecord | undefined> {
    const row = await this.#sql.get<Row>(`${select} WHERE id = ?`, [id]);
    return row === undefined ? undefined : recordOf(row);
  }

  async insert(job: NewJob): Promise<void> {
    await insertRow(this.#sql, 'jobs', {
      id: job.id,
      request: toJson(job.request),
      title: job.title,
      state: 'queued',
      created_at: job.createdAt,
    });
  }

  async markRunning(id: JobId, startedAt: Timestamp): Promise<void> {
    await this.#sql.run("UPDATE jobs SET state = 'running', started_at = ? WHERE id = ?", [
      startedAt,
      id,
    ]);
  }

  /** Puts an ended job back into the queue. */
  async markQueued(id: JobId): Promise<void> {
    await this.#sql.run(
      "UPDATE jobs SET state = 'queued', ended_at = NULL, error = NULL WHERE id = ?",
      [id],
    );
  }

  /** What a job has given to the project, in order: what it need not do again. */
  async outputs(id: JobId): Promise<SavedOutput[]> {
    return this.#sql.all<{ type: SavedOutput['type']; id: string }>(
      'SELECT type, id FROM job_outputs WHERE job = ? ORDER BY ordinal',
      [id],
    );
  }

  /** Belongs into the transaction of the output itself. */
  async addOutput(job: JobId, { type, id }: SavedOutput): Promise<void> {
    await this.#sql.run(
      `INSERT INTO job_outputs (job, ordinal, type, id)
       SELECT ?, count(*), ?, ? FROM job_outputs WHERE job = ?`,
      [job, type, id, job],
    );
  }

  /** False for a job that has ended meanwhile. */
  async markCancelling(id: JobId): Promise<boolean> {
    const changes = await this.#sql.run(
      "UPDATE jobs SET state = 'cancelling' WHERE id = ? AND ended_at IS NULL",
      [id],
    );
    return changes > 0;
  }

  async markEnded(
    id: JobId,
    state: JobState,
    endedAt: Timestamp,
    error: ErrorInfo | null,
  ): Promise<void> {
    await this.#sql.run('UPDATE jobs SET state = ?, ended_at = ?, error = ? WHERE id = ?', [
      state,
      endedAt,
      toJsonOrNull(error),
      id,
    ]);
  }

  /**
   * After a start: no job that had begun or was waiting is under way any more. Waiting ones do not go on by
   * themselves, since opening a project, for a look or on the command line, must not start hours of work.
   */
  async interruptUnended(endedAt: Timestamp): Promise<void> {
    const unended = (await this.list()).filter((job) => job.endedAt === null);
    for (const { id, startedAt } of unended) {
      const error = interruption(startedAt === null ? null : await this.#place(id));
      await this.markEnded(id, 'interrupted', endedAt, error);
    }
  }

  async saveProgress(id: JobId, progress: Progress | null, log: readonly string[]): Promise<void> {
    await this.#sql.run('UPDATE jobs SET progress = ?, log = ? WHERE id = ?', [
      toJsonOrNull(progress),
      toJson(log),
      id,
    ]);
  }

  async remove(id: JobId): Promise<void> {
    await this.#sql.run('DELETE FROM jobs WHERE id = ?', [id]);
  }

  /** Where a job was when its progress was last saved: "Training epoch 7 of 20". */
  async #place(id: JobId): Promise<string> {
    const row = await this.#sql.get<Pick<Row, 'progress'>>(
      'SELECT progress FROM jobs WHERE id = ?',
      [id],
    );
    const progress = fromJsonOrNull<Progress>(row?.progress ?? null);
    if (progress === null) return 'at its beginning';
    const { label, done, total } = progress;
    return total > 0 ? `at "${label}" (${done} of ${total})` : `at "${label}"`;
  }
}

function interruption(place: string | null): ErrorInfo {
  return {
    code: 'WORKER_CRASHED',
    message:
      place === null
        ? 'Secateur ended before this job had begun.'
        : `Secateur ended while this job was running, ${place}.`,
    hint: 'Resume it: it goes on where it stood. Versions that it had finished are kept.',
  };
}

/** Ends that have to do with the machine, not with what was asked for: the same would happen again. */
const mishaps: readonly ErrorInfo['code'][] = [
  'WORKER_CRASHED',
  'GPU_LOST',
  'DISK_FULL',
  'OUT_OF_MEMORY',
];

function canResume(state: JobState, error: ErrorInfo | null): boolean {
  if (state === 'interrupted') return true;
  return state === 'failed' && error !== null && mishaps.includes(error.code);
}

const recordOf = (row: Row): JobRecord => ({
  id: row.id,
  request: asToday(fromJson<JobRequest>(row.request)),
  title: row.title,
  state: row.state,
  createdAt: row.created_at,
  startedAt: row.started_at,
  endedAt: row.ended_at,
  error: fromJsonOrNull<ErrorInfo>(row.error),
  resumable: canResume(row.state, fromJsonOrNull<ErrorInfo>(row.error)),
  versions: fromJson<string[]>(row.versions),
  exports: fromJson<string[]>(row.exports),
  datasets: fromJson<string[]>(row.datasets),
  log: fromJson<string[]>(row.log),
});
