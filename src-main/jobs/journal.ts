// What a running job tells of itself, on its way into the database: many points, few transactions.

import type { Metric, Progress } from '../engine/context';
import type { Project } from '../project/project';
import type { JobId } from '../project/types';

const flushMs = 1000;
/** Lines of the log that are kept. */
const logLines = 200;

export class Journal {
  readonly #project: Project;
  readonly #job: JobId;
  #metrics: { readonly part: number; readonly metric: Metric }[] = [];
  #log: string[] = [];
  #forgotten: { readonly part: number; readonly epoch: number }[] = [];
  #progress: Progress | null = null;
  #changed = false;
  #timer: NodeJS.Timeout | null = null;
  #flushing: Promise<void> = Promise.resolve();

  constructor(project: Project, job: JobId) {
    this.#project = project;
    this.#job = job;
  }

  /** @param part outputs that the job had saved before */
  metric(part: number, metric: Metric): void {
    this.#metrics.push({ part, metric });
    this.#touch();
  }

  /** Takes back the points of a training behind an epoch; behind 0, all of them. */
  forgetBehind(part: number, epoch: number): void {
    this.#metrics = this.#metrics.filter(
      (point) => point.part !== part || (epoch > 0 && point.metric.epoch <= epoch),
    );
    this.#forgotten.push({ part, epoch });
    this.#touch();
  }

  progress(progress: Progress): void {
    this.#progress = progress;
    this.#touch();
  }

  log(line: string): void {
    this.#log = [...this.#log, line].slice(-logLines);
    this.#touch();
  }

  /** The last lines of the log. */
  tail(lines: number): readonly string[] {
    return this.#log.slice(-lines);
  }

  /** Writes what is left. Figures that a full disk refuses are lost; the job and its results are not. */
  async close(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#flush();
  }

  #touch(): void {
    this.#changed = true;
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      void this.#flush();
    }, flushMs);
  }

  #flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#write());
    return this.#flushing;
  }

  async #write(): Promise<void> {
    if (!this.#changed) return;
    const metrics = this.#metrics;
    const forgotten = this.#forgotten;
    this.#metrics = [];
    this.#forgotten = [];
    this.#changed = false;
    try {
      await this.#project.transaction(async (repositories) => {
        for (const { part, epoch } of forgotten) {
          await repositories.metrics.removeBehind(this.#job, part, epoch);
        }
        for (const { part, metric } of metrics) {
          await repositories.metrics.insert(this.#job, part, metric);
        }
        await repositories.jobs.saveProgress(this.#job, this.#progress, this.#log);
      });
    } catch {
      // Tried again with the next flush.
      this.#metrics = [...metrics, ...this.#metrics];
      this.#forgotten = [...forgotten, ...this.#forgotten];
      this.#changed = true;
    }
  }
}
