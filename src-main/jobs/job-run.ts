// One run of one job: speaks with its worker, takes its results into the project, and decides how it ended.

import { AppError, toAppError, type ErrorInfo } from '../engine/errors';
import type { Project } from '../project/project';
import type { JobState } from '../project/types';
import type { WorkerProcess } from './host';
import { cancelled } from './job-server';
import { Journal } from './journal';
import { ProgressMeter } from './progress-meter';
import type { JobEvent, JobOutput, JobSpec, WorkerCommand, WorkerMessage } from './types';

export interface Outcome {
  readonly state: Extract<JobState, 'done' | 'failed' | 'cancelled' | 'interrupted'>;
  readonly error: ErrorInfo | null;
}

export interface RunOptions {
  /** How long a worker may take to obey before it is killed. */
  readonly graceMs: number;
  /** Milliseconds of a clock that never goes back. */
  readonly clock: () => number;
}

/** Lines of the log that an error about a crash carries. */
const crashLines = 20;

export class JobRun {
  readonly #project: Project;
  readonly #spec: JobSpec;
  readonly #worker: WorkerProcess;
  readonly #emit: (event: JobEvent) => void;
  readonly #options: RunOptions;
  readonly #journal: Journal;
  readonly #meter: ProgressMeter;
  /** Results and endings are dealt with one after the other, in the order in which they came. */
  #inbox: Promise<void> = Promise.resolve();
  #outcome: Outcome | null = null;
  #cancelling = false;
  #pausing = false;
  #graceTimer: NodeJS.Timeout | null = null;

  constructor(
    project: Project,
    spec: JobSpec,
    worker: WorkerProcess,
    emit: (event: JobEvent) => void,
    options: RunOptions,
  ) {
    this.#project = project;
    this.#spec = spec;
    this.#worker = worker;
    this.#emit = emit;
    this.#options = options;
    this.#journal = new Journal(project, spec.jobId);
    this.#meter = new ProgressMeter((metered) => {
      emit({ type: 'progress', jobId: spec.jobId, ...metered });
    }, options.clock);
  }

  /** Resolves once the worker is gone and everything is written. Never rejects. */
  async outcome(): Promise<Outcome> {
    const exit = await new Promise<AppError>((resolve) => {
      this.#worker.onMessage((message) => this.#receive(message as WorkerMessage));
      this.#worker.onOutput((line) => this.#journal.log(line));
      this.#worker.onExit((code, signal) => resolve(this.#crash(code, signal)));
    });
    await this.#inbox;
    if (this.#graceTimer) clearTimeout(this.#graceTimer);
    this.#meter.stop();
    await this.#journal.close();
    return this.#outcome ?? (this.#cancelling ? this.#stopped() : failed(exit));
  }

  /** Asks the worker to stop; kills it when it does not. What it saves from now on is refused. */
  cancel(): void {
    this.#stop({ type: 'cancel' });
  }

  /** As `cancel`, for a job that will go on from its last checkpoint, which a training writes now. */
  pause(): void {
    this.#pausing ||= !this.#cancelling;
    this.#stop({ type: 'pause' });
  }

  #stop(command: WorkerCommand): void {
    if (this.#cancelling) return;
    this.#cancelling = true;
    this.#tell(command);
    this.#graceTimer = setTimeout(() => this.#worker.kill(), this.#options.graceMs);
  }

  /** Ends the worker at once. */
  kill(): void {
    this.#cancelling = true;
    this.#worker.kill();
  }

  #receive(message: WorkerMessage): void {
    const { jobId } = this.#spec;
    switch (message.type) {
      case 'ready':
        this.#tell({ type: 'start', spec: this.#spec });
        break;
      case 'progress':
        this.#journal.progress(message.progress);
        this.#meter.update(message.progress);
        break;
      case 'metric':
        this.#journal.metric(message.part, message.metric);
        this.#emit({ type: 'metric', jobId, metric: message.metric });
        break;
      case 'training-from':
        this.#journal.forgetBehind(message.part, message.points);
        this.#emit({ type: 'training', jobId, backend: message.backend });
        break;
      case 'log':
        this.#journal.log(message.text);
        this.#emit({ type: 'log', jobId, level: message.level, text: message.text });
        break;
      case 'save':
        this.#inbox = this.#inbox.then(() => this.#save(message.ref, message.output));
        break;
      case 'done':
        this.#inbox = this.#inbox.then(() => this.#end({ state: 'done', error: null }));
        break;
      case 'failed':
        this.#inbox = this.#inbox.then(() =>
          this.#end(this.#cancelling ? this.#stopped() : { state: 'failed', error: message.error }),
        );
        break;
    }
  }

  async #save(ref: number, output: JobOutput): Promise<void> {
    try {
      if (this.#cancelling) throw cancelled();
      const id = await this.#project.commit(output, this.#spec.jobId);
      this.#emit({ type: 'output', jobId: this.#spec.jobId, kind: output.type, id });
      this.#tell({ type: 'saved', ref, id });
    } catch (error) {
      this.#tell({ type: 'save-failed', ref, error: toAppError(error).toInfo() });
    }
  }

  #stopped(): Outcome {
    return this.#pausing ? pausedOutcome() : cancelledOutcome();
  }

  /** The first word counts; the worker has no more to say and is not waited for. */
  #end(outcome: Outcome): void {
    this.#outcome ??= outcome;
    this.#worker.kill();
  }

  #tell(command: WorkerCommand): void {
    this.#worker.send(command);
  }

  #crash(code: number | null, signal: string | null): AppError {
    const how = signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`;
    const log = this.#journal.tail(crashLines);
    return new AppError(
      'WORKER_CRASHED',
      `The worker process ended without a result (${how}).`,
      'Start the job again. If it happens again, less memory may help: a smaller batch, other programs closed.',
      { details: { exitCode: code, signal, log } },
    );
  }
}

export function cancelledOutcome(): Outcome {
  return { state: 'cancelled', error: cancelled().toInfo() };
}

export function pausedOutcome(): Outcome {
  return { state: 'interrupted', error: null };
}

export function failed(error: unknown): Outcome {
  return { state: 'failed', error: toAppError(error).toInfo() };
}
