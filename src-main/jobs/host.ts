// How the queue reaches a worker, whatever it runs in: a utility process of Electron or a child process of Node.

import type { JobSpec } from './types';

/** A running worker. Nothing is delivered after `onExit`. */
export interface WorkerProcess {
  /** Structured-cloneable messages; one to a worker that has ended is dropped. */
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Lines that it prints; they explain a crash. */
  onOutput(listener: (line: string) => void): void;
  /** Called once. An exit code of 0 proves nothing: a killed worker may have it, too. */
  onExit(listener: (code: number | null, signal: string | null) => void): void;
  /** Ends it at once, also in the middle of a computation. */
  kill(): void;
}

/** Starts one worker per job. It says `ready`, is sent `start` with the spec, and ends with `done` or `failed`. */
export interface WorkerHost {
  start(spec: JobSpec): WorkerProcess;
}
