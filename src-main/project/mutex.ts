// Lets one asynchronous task run at a time, in the order of asking.

export class Mutex {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs the task once every earlier one has settled; settles as the task does. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    // A failure belongs to whoever asked for it, not to the next in line.
    this.#last = result.catch(() => undefined);
    return result;
  }
}
