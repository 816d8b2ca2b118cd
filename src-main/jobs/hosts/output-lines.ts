// Lines that a process prints, but for the remarks that TensorFlow begins with. They are read in any case: a full pipe would stop the process.

import { createInterface } from 'node:readline';

/** What TensorFlow says at every start, whatever its log level: nothing that a log of a job needs. */
const remarks =
  /^WARNING: All log messages before absl::InitializeLog|oneDNN custom operations are on/;

export class OutputLines {
  /** Resolves after the last line. */
  readonly ended: Promise<unknown>;
  #listener: (line: string) => void = () => undefined;

  constructor(streams: readonly (NodeJS.ReadableStream | null)[]) {
    const ends = streams
      .filter((stream) => stream !== null)
      .map((input) => {
        const lines = createInterface({ input });
        lines.on('line', (line) => {
          if (!remarks.test(line)) this.#listener(line);
        });
        return new Promise((resolve) => lines.once('close', resolve));
      });
    this.ended = Promise.all(ends);
  }

  onLine(listener: (line: string) => void): void {
    this.#listener = listener;
  }
}
