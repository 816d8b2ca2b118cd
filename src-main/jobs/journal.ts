// What a running job tells of itself, on its way into the database: many points, few transactions.

import type { Metric, Progress } from '../engine/context';
import type { Project } from '../project/project';
import type { JobId } from '../project/types';

const flushMs = 1000;
/** Lines of the log that are kept. */
const logLines = 200;

/** A point of a training, or that those behind its first ones will come again. */
type MetricChange =
  | { readonly part: number; readonly metric: Metric }
  | { readonly part: number; readonly points: number };

export class Journal {
  readonly #project: Project;
  readonly #job: JobId;
  /** In the order in which they came. */
  #changes: MetricChange[] = [];
  #log: string[] = [];
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
    this.#changes.push({ part, metric });
    this.#touch();
  }

  /** Takes back the points of a training behind its first `points`. */
  forgetBehind(part: number, points: number): void {
    this.#changes.push({ part, points });
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
    const changes = this.#changes;
    this.#changes = [];
    this.#changed = false;
    try {
      await this.#project.transaction(async (repositories) => {
        const { metrics } = repositories;
        for (const change of changes) {
          if ('metric' in change) await metrics.insert(this.#job, change.part, change.metric);
          else await metrics.removeBehind(this.#job, change.part, change.points);
        }
        await repositories.jobs.saveProgress(this.#job, this.#progress, this.#log);
      });
    } catch {
      // Tried again with the next flush.
      this.#changes = [...changes, ...this.#changes];
      this.#changed = true;
    }
  }
}
