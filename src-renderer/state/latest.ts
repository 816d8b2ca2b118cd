// Calls a function with the newest argument only: waits until arguments stop coming, keeps one call in flight,
// and drops answers that a newer argument has overtaken.

export interface LatestOptions<A, R> {
  readonly delayMs: number;
  run(argument: A): Promise<R>;
  onResult(result: R, argument: A): void;
  onError(error: unknown, argument: A): void;
  /** True from the first waiting argument until its answer is there. */
  onBusy(busy: boolean): void;
}

export class Latest<A, R> {
  readonly #options: LatestOptions<A, R>;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #waiting: { readonly argument: A } | null = null;
  #inFlight = false;
  #closed = false;

  constructor(options: LatestOptions<A, R>) {
    this.#options = options;
  }

  /** Asks for an answer to this argument, in place of all earlier ones. */
  ask(argument: A): void {
    if (this.#closed) return;
    this.#waiting = { argument };
    this.#options.onBusy(true);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (!this.#inFlight) void this.#next();
    }, this.#options.delayMs);
  }

  /** Drops everything that is waiting or under way. */
  close(): void {
    this.#closed = true;
    this.#waiting = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  async #next(): Promise<void> {
    const waiting = this.#waiting;
    if (waiting === null) return;
    this.#waiting = null;
    this.#inFlight = true;
    try {
      const result = await this.#options.run(waiting.argument);
      if (this.#isNewest()) this.#options.onResult(result, waiting.argument);
    } catch (error) {
      if (this.#isNewest()) this.#options.onError(error, waiting.argument);
    } finally {
      this.#inFlight = false;
      if (this.#waiting === null) {
        if (!this.#closed) this.#options.onBusy(false);
      } else if (this.#timer === null) {
        void this.#next();
      }
    }
  }

  #isNewest(): boolean {
    return this.#waiting === null && !this.#closed;
  }
}
