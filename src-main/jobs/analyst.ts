// Client of the analyst process: asks, restarts it after a crash, and ends it with the app.

import type { Progress } from '../engine/context';
import { AppError } from '../engine/errors';
import type { AnalystReply, QuestionName, Questions } from './analyst-protocol';

/** A running worker process, whatever starts it. */
export interface AnalystProcess {
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  onOutput(listener: (line: string) => void): void;
  onExit(listener: (code: number | null) => void): void;
  kill(): void;
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: AppError) => void;
  readonly progress: (progress: Progress) => void;
}

/** Foreign files that hang a parser must not hang the app; what tells of its progress does not hang. */
const timeoutMs = 120_000;
/** Lines of its output that an error about a crash carries. */
const crashLines = 20;

export class Analyst {
  readonly #start: () => AnalystProcess;
  #process: AnalystProcess | null = null;
  readonly #pending = new Map<number, Pending>();
  #nextRef = 1;

  constructor(start: () => AnalystProcess) {
    this.#start = start;
  }

  /** @throws AppError as the answering function does, WORKER_CRASHED when the process ends or hangs */
  async ask<Q extends QuestionName>(
    name: Q,
    args: Questions[Q]['args'],
    onProgress: (progress: Progress) => void = () => undefined,
  ): Promise<Questions[Q]['reply']> {
    const process = this.#running();
    const ref = this.#nextRef++;
    let timer: NodeJS.Timeout | undefined;
    try {
      const value = await new Promise<unknown>((resolve, reject) => {
        const progress = (now: Progress): void => {
          timer?.refresh();
          onProgress(now);
        };
        this.#pending.set(ref, { resolve, reject, progress });
        timer = setTimeout(() => process.kill(), timeoutMs);
        process.send({ type: 'ask', ref, name, args });
      });
      return value as Questions[Q]['reply'];
    } finally {
      clearTimeout(timer);
      this.#pending.delete(ref);
    }
  }

  /** Ends the process; questions under way are refused. */
  stop(): void {
    this.#process?.kill();
    this.#ended(null, []);
  }

  #running(): AnalystProcess {
    if (this.#process) return this.#process;
    const process = this.#start();
    let output: readonly string[] = [];
    process.onOutput((line) => {
      output = [...output, line].slice(-crashLines);
    });
    process.onMessage((message) => this.#settle(message as AnalystReply));
    process.onExit((code) => {
      // One that was stopped has been dealt with, and another may run already.
      if (this.#process === process) this.#ended(code, output);
    });
    this.#process = process;
    return process;
  }

  #settle(reply: AnalystReply): void {
    const pending = this.#pending.get(reply.ref);
    switch (reply.type) {
      case 'progress':
        pending?.progress(reply.progress);
        return;
      case 'answer':
        pending?.resolve(reply.value);
        return;
      case 'refusal':
        pending?.reject(AppError.fromInfo(reply.error));
    }
  }

  #ended(exitCode: number | null, log: readonly string[]): void {
    this.#process = null;
    const error = new AppError(
      'WORKER_CRASHED',
      `The process that reads models ended unexpectedly (exit code ${exitCode ?? 'unknown'}).`,
      'Try again. If it happens with the same file each time, the file is damaged.',
      { details: { exitCode, log } },
    );
    for (const pending of this.#pending.values()) pending.reject(error);
  }
}
