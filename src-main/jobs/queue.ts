// The jobs of a project: one at a time, in the order of asking, each stored with all that it needs to be
// repeated. Jobs of an earlier start are not in the queue; they are interrupted (see Project.open).

import { AppError, toAppError, type ErrorInfo } from '../engine/errors';
import { freeBytes, requireSpace } from '../project/disk-space';
import { newId } from '../project/names';
import type { Project } from '../project/project';
import type { NewJob } from '../project/repositories/jobs';
import type { JobId, JobRecord, JobState } from '../project/types';
import { Deferred } from './deferred';
import type { WorkerHost } from './host';
import { cancelledOutcome, failed, JobRun, pausedOutcome, type Outcome } from './job-run';
import { followUpsOf } from './follow-ups';
import { checkRequest, estimateBytes, resolveSpec } from './resolve';
import { titleFor } from './titles';
import type { JobEvent, JobRequest } from './types';

export interface QueueOptions {
  /** Between asking a worker to stop and killing it. */
  readonly graceMs?: number;
  /** Milliseconds of a clock that never goes back. */
  readonly clock?: () => number;
  /** Free bytes on the disk of a folder. */
  readonly freeBytes?: (folder: string) => Promise<number>;
}

interface Active {
  readonly id: JobId;
  /** Null until its worker is started. */
  run: JobRun | null;
  stopped: Stop | null;
}

/** Why a job is to end early: for good, or to go on later. */
type Stop = 'cancel' | 'pause';

export class JobQueue {
  readonly #project: Project;
  readonly #host: WorkerHost;
  readonly #options: Required<QueueOptions>;
  readonly #listeners = new Set<(event: JobEvent) => void>();
  readonly #waiting: JobId[] = [];
  /** Whoever waits for the end of a job that has not ended. */
  readonly #endings = new Map<JobId, Deferred<JobRecord>>();
  readonly #followers = new Map<JobId, readonly JobId[]>();
  #active: Active | null = null;
  #performing: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(project: Project, host: WorkerHost, options: QueueOptions = {}) {
    this.#project = project;
    this.#host = host;
    this.#options = {
      graceMs: 5000,
      clock: () => performance.now(),
      freeBytes,
      ...options,
    };
  }

  /** Calls back with each event; returns how to stop. */
  subscribe(listener: (event: JobEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** True while a job runs or waits. */
  get isBusy(): boolean {
    return this.#endings.size > 0;
  }

  /**
   * Puts a job at the end of the queue. Versions and data sets are named by id.
   * @throws AppError INVALID_ARGUMENT, NOT_FOUND, PROJECT_CORRUPT when it can be told now that it would fail
   */
  async start(request: JobRequest): Promise<JobId> {
    const job = await this.#newJob(request);
    await this.#project.repositories.jobs.insert(job);
    this.#enqueue(job.id);
    return job.id;
  }

  /** Jobs that were put into the queue because this one had ended well. */
  followers(id: JobId): readonly JobId[] {
    return this.#followers.get(id) ?? [];
  }

  /**
   * Stops a job: at once when it waits, between two batches when it runs, by force when it does not obey.
   * Nothing happens to one that has ended. @throws AppError NOT_FOUND
   */
  async cancel(id: JobId): Promise<void> {
    await this.#stop(id, 'cancel');
  }

  /** As `cancel`, but the job can be resumed: what it has saved is not made again. @throws AppError NOT_FOUND */
  async pause(id: JobId): Promise<void> {
    await this.#stop(id, 'pause');
  }

  /**
   * Puts a job that was interrupted, paused, or broken off by a crash or for want of room back into the queue: it goes on behind what it had saved,
   * a training behind its last checkpoint, with the same result as if it had not been broken off.
   * @throws AppError NOT_FOUND, INVALID_ARGUMENT when it has not ended or ended otherwise, as `start`
   */
  async resume(id: JobId): Promise<void> {
    const record = await this.#endedRecord(id);
    if (!record.resumable) {
      throw new AppError(
        'INVALID_ARGUMENT',
        `The job "${record.title}" is ${record.state}: there is nothing to go on with.`,
        'Start it again instead.',
      );
    }
    await checkRequest(this.#project, record.request);
    await this.#project.repositories.jobs.markQueued(id);
    this.#enqueue(id);
  }

  async #stop(id: JobId, how: Stop): Promise<void> {
    const place = this.#waiting.indexOf(id);
    if (place >= 0) {
      this.#waiting.splice(place, 1);
      await this.#finish(id, outcomeOf(how));
    } else if (this.#active?.id === id) {
      if (this.#active.stopped) return;
      this.#active.stopped = how;
      if (how === 'pause') this.#active.run?.pause();
      else this.#active.run?.cancel();
      const marked = await this.#project.repositories.jobs.markCancelling(id);
      if (marked) this.#tellState(id, 'cancelling', null);
    } else {
      await this.#record(id);
    }
  }

  /** Starts an ended job again, as a new one with the same request. @throws AppError NOT_FOUND, as `start` */
  async retry(id: JobId): Promise<JobId> {
    const { request } = await this.#endedRecord(id);
    return this.start(request);
  }

  /** Removes an ended job from the list; what it has made stays. @throws AppError NOT_FOUND, INVALID_ARGUMENT */
  async dismiss(id: JobId): Promise<void> {
    await this.#endedRecord(id);
    await this.#project.repositories.jobs.remove(id);
    await this.#project.removeCheckpoints(id);
  }

  /** Waits for the end of a job, however it ends. @throws AppError NOT_FOUND, CANCELLED when the queue is closed */
  async finished(id: JobId): Promise<JobRecord> {
    return this.#endings.get(id)?.promise ?? this.#record(id);
  }

  /**
   * Pauses the job that runs, as quickly as its worker obeys, and forgets those that wait: all of them are interrupted
   * at the next start.
   */
  async close(): Promise<void> {
    this.#closed = true;
    const { run = null, stopped = null } = this.#active ?? {};
    if (stopped === null) run?.pause();
    else run?.kill();
    await this.#performing;
    for (const ending of this.#endings.values()) ending.reject(closedMeanwhile());
  }

  async #newJob(request: JobRequest): Promise<NewJob> {
    await checkRequest(this.#project, request);
    const versions = await this.#project.versions();
    const datasets = await this.#project.datasets();
    return {
      id: newId('j'),
      request,
      title: titleFor(request, { versions, datasets }),
      createdAt: this.#timestamp(),
    };
  }

  #enqueue(id: JobId): void {
    this.#endings.set(id, new Deferred());
    this.#waiting.push(id);
    this.#tellState(id, 'queued', null);
    this.#advance();
  }

  #advance(): void {
    if (this.#active !== null || this.#closed) return;
    const id = this.#waiting.shift();
    if (id === undefined) return;
    const active: Active = { id, run: null, stopped: null };
    this.#active = active;
    this.#performing = this.#perform(active);
  }

  async #perform(active: Active): Promise<void> {
    const { id } = active;
    let outcome: Outcome;
    try {
      outcome = await this.#run(active);
    } catch (error) {
      outcome = failed(error);
    }
    await this.#project.removeTempDir(id).catch(() => undefined);
    if (this.#closed && outcome.state !== 'done') return;
    await this.#finish(id, outcome);
    this.#active = null;
    this.#advance();
  }

  async #run(active: Active): Promise<Outcome> {
    const { id } = active;
    const { jobs } = this.#project.repositories;
    await jobs.markRunning(id, this.#timestamp());
    this.#tellState(id, 'running', null);
    const { request } = await this.#record(id);
    const spec = await resolveSpec(this.#project, id, request);
    await requireSpace(this.#project.folder, await estimateBytes(spec), this.#options.freeBytes);
    if (active.stopped || this.#closed) return outcomeOf(active.stopped ?? 'cancel');
    const run = new JobRun(
      this.#project,
      spec,
      this.#host.start(spec),
      (event) => this.#tell(event),
      this.#options,
    );
    active.run = run;
    return run.outcome();
  }

  async #finish(id: JobId, { state, error }: Outcome): Promise<void> {
    const endedAt = this.#timestamp();
    try {
      const next = state === 'done' ? await this.#followUps(id) : [];
      await this.#project.transaction(async ({ jobs }) => {
        await jobs.markEnded(id, state, endedAt, error);
        for (const job of next) await jobs.insert(job);
      });
      for (const job of next) this.#enqueue(job.id);
      this.#followers.set(
        id,
        next.map((job) => job.id),
      );
      const record = await this.#record(id);
      if (!record.resumable) await this.#project.removeCheckpoints(id);
      if (record.versions.length + record.datasets.length > 0) await this.#project.backUp();
      this.#endings.get(id)?.resolve(record);
    } catch (problem) {
      // The disk is full, say. The results are there; the row will say "interrupted" at the next start.
      this.#endings.get(id)?.reject(toAppError(problem));
    }
    this.#endings.delete(id);
    this.#tellState(id, state, error);
  }

  /** What a job that has ended well asks for. What cannot be done any more is told, and left out. */
  async #followUps(id: JobId): Promise<readonly NewJob[]> {
    const requests = followUpsOf(await this.#record(id), await this.#project.versions());
    const jobs: NewJob[] = [];
    for (const request of requests) {
      try {
        jobs.push(await this.#newJob(request));
      } catch (error) {
        const text = `A job that was to follow is left out: ${toAppError(error).message}`;
        this.#tell({ type: 'log', jobId: id, level: 'warn', text });
      }
    }
    return jobs;
  }

  async #record(id: JobId): Promise<JobRecord> {
    const record = await this.#project.repositories.jobs.find(id);
    if (record) return record;
    throw new AppError('NOT_FOUND', `There is no job "${id}".`, 'It may have been dismissed.');
  }

  async #endedRecord(id: JobId): Promise<JobRecord> {
    const record = await this.#record(id);
    if (record.endedAt !== null) return record;
    throw new AppError(
      'INVALID_ARGUMENT',
      `The job "${record.title}" has not ended yet.`,
      'Cancel it first, or wait for its end.',
    );
  }

  #tellState(jobId: JobId, state: JobState, error: ErrorInfo | null): void {
    this.#tell({ type: 'state', jobId, state, error });
  }

  #tell(event: JobEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #timestamp(): string {
    return this.#project.now().toISOString();
  }
}

const outcomeOf = (how: Stop): Outcome => (how === 'pause' ? pausedOutcome() : cancelledOutcome());

function closedMeanwhile(): AppError {
  return new AppError(
    'CANCELLED',
    'The project was closed before the job had ended.',
    'Open the project and start the job again.',
  );
}
