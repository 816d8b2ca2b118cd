// Thins out the progress of a job to what people can follow, and estimates when it will be done.

import type { Progress } from '../engine/context';

export interface MeteredProgress {
  readonly progress: Progress;
  readonly elapsedMs: number;
  readonly etaMs: number | null;
}

/** Ten a second. */
const intervalMs = 100;
/** The rate is the average over this much of the past. */
const windowMs = 20_000;
/** Samples of the window: enough for an average, few enough to be cheap. */
const sampleEveryMs = 250;
/** Below this share of the work an estimate would jump about. */
const leastShare = 0.05;

interface Sample {
  readonly at: number;
  readonly done: number;
}

export class ProgressMeter {
  readonly #now: () => number;
  readonly #report: (metered: MeteredProgress) => void;
  readonly #startedAt: number;
  #reportedAt = -Infinity;
  #latest: Progress | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** Of the phase at hand, oldest first. */
  #samples: Sample[] = [];
  #phase: Progress['phase'] | null = null;

  /** @param now milliseconds of a clock that never goes back */
  constructor(report: (metered: MeteredProgress) => void, now: () => number) {
    this.#report = report;
    this.#now = now;
    this.#startedAt = now();
  }

  get latest(): Progress | null {
    return this.#latest;
  }

  update(progress: Progress): void {
    this.#latest = progress;
    this.#sample(progress);
    const wait = this.#reportedAt + intervalMs - this.#now();
    if (wait <= 0) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), wait);
  }

  /** No report comes after this. */
  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #send(): void {
    this.stop();
    if (this.#latest === null) return;
    this.#reportedAt = this.#now();
    this.#report({
      progress: this.#latest,
      elapsedMs: this.#reportedAt - this.#startedAt,
      etaMs: this.#eta(this.#latest),
    });
  }

  #sample({ phase, done }: Progress): void {
    const at = this.#now();
    const last = this.#samples.at(-1);
    if (phase !== this.#phase || (last && done < last.done)) this.#samples = [];
    else if (last && at - last.at < sampleEveryMs) return;
    this.#phase = phase;
    this.#samples.push({ at, done });
    while (this.#samples.length > 2 && at - (this.#samples[0]?.at ?? at) > windowMs) {
      this.#samples.shift();
    }
  }

  /** What is left of the phase at hand at the rate of the window; null while that cannot be told. */
  #eta({ done, total }: Progress): number | null {
    const first = this.#samples[0];
    if (total <= 0 || done / total < leastShare || first === undefined) return null;
    const elapsed = this.#now() - first.at;
    const progressed = done - first.done;
    if (elapsed <= 0 || progressed <= 0) return null;
    return ((total - done) * elapsed) / progressed;
  }
}
