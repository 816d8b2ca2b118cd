// A promise that is settled from outside, and that nobody has to wait for.

export class Deferred<T> {
  readonly promise: Promise<T>;
  resolve!: (value: T) => void;
  reject!: (error: Error) => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Whoever waits sees the rejection; without a waiter it is not an unhandled one.
    this.promise.catch(() => undefined);
  }
}
