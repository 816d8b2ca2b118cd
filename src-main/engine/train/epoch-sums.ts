// What an epoch of training has seen so far: sums over its steps, and the time that they took.

import { startStopwatch } from '../measure/stopwatch';
import type { StepResult } from './compute';

/** Plain data, for a checkpoint within an epoch. */
export interface EpochSumsState {
  /** Batches done. */
  readonly step: number;
  readonly seconds: number;
  readonly total: StepResult;
  /** Since the last point of the live curves. */
  readonly recent: StepResult;
}

const nothing: StepResult = { loss: 0, score: 0, samples: 0 };

export class EpochSums {
  /** Batches done. */
  step: number;
  #total: StepResult;
  #recent: StepResult;
  /** Seconds before the clock ran. */
  readonly #before: number;
  readonly #clock = startStopwatch();
  #stopped: number | null = null;

  /** Goes on, with the clock running. */
  constructor({ step, seconds, total, recent }: EpochSumsState) {
    this.step = step;
    this.#before = seconds;
    this.#total = total;
    this.#recent = recent;
  }

  static begin(): EpochSums {
    return new EpochSums({ step: 0, seconds: 0, total: nothing, recent: nothing });
  }

  get total(): StepResult {
    return this.#total;
  }

  get imagesPerSecond(): number {
    return this.#total.samples / this.#seconds;
  }

  get state(): EpochSumsState {
    return {
      step: this.step,
      seconds: this.#seconds,
      total: this.#total,
      recent: this.#recent,
    };
  }

  add(result: StepResult): void {
    this.#total = sum(this.#total, result);
    this.#recent = sum(this.#recent, result);
  }

  /** What came since it was last taken. */
  takeRecent(): StepResult {
    const recent = this.#recent;
    this.#recent = nothing;
    return recent;
  }

  /** What follows the steps does not count as their time. */
  stopClock(): void {
    this.#stopped ??= this.#seconds;
  }

  get #seconds(): number {
    return this.#stopped ?? this.#before + this.#clock();
  }
}

const sum = (a: StepResult, b: StepResult): StepResult => ({
  loss: a.loss + b.loss,
  score: a.score + b.score,
  samples: a.samples + b.samples,
});
