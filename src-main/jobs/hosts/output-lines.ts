// Lines that a process prints. They are read in any case: a full pipe would stop the process.

import { createInterface } from 'node:readline';

export class OutputLines {
  /** Resolves after the last line. */
  readonly ended: Promise<unknown>;
  #listener: (line: string) => void = () => undefined;

  constructor(streams: readonly (NodeJS.ReadableStream | null)[]) {
    const ends = streams
      .filter((stream) => stream !== null)
      .map((input) => {
        const lines = createInterface({ input });
        lines.on('line', (line) => this.#listener(line));
        return new Promise((resolve) => lines.once('close', resolve));
      });
    this.ended = Promise.all(ends);
  }

  onLine(listener: (line: string) => void): void {
    this.#listener = listener;
  }
}
