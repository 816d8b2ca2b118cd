// The worker's side of a job: turns commands and messages into a context for the function that does the job.

import { AppError, toAppError } from '../engine/errors';
import { SavedOutputs } from './saved-outputs';
import type { JobContext, JobSpec, WorkerCommand, WorkerMessage } from './types';

/** Does a job; resolves when all its results are saved. See jobs/work/run.ts. */
export type RunJob = (spec: JobSpec, context: JobContext) => Promise<void>;

interface Saving {
  readonly resolve: (id: string) => void;
  readonly reject: (error: AppError) => void;
}

/** @returns what is called with each command from the parent */
export function serveJob(
  runJob: RunJob,
  tell: (message: WorkerMessage) => void,
): (command: WorkerCommand) => void {
  const abort = new AbortController();
  let pausing = false;
  /** Results on their way to the parent, by reference number. */
  const saving = new Map<number, Saving>();
  let lastRef = 0;

  let outputs = new SavedOutputs([]);

  const context: JobContext = {
    signal: abort.signal,
    progress: (progress) => tell({ type: 'progress', progress }),
    metric: (metric) => tell({ type: 'metric', part: outputs.position, metric }),
    log: (level, text) => tell({ type: 'log', level, text }),
    save: async (output) => {
      const id = await new Promise<string>((resolve, reject) => {
        const ref = ++lastRef;
        saving.set(ref, { resolve, reject });
        tell({ type: 'save', ref, output });
      });
      outputs.add(output.type);
      return id;
    },
    earlier: (type) => outputs.take(type),
    position: () => outputs.position,
    trainingFrom: (points, backend) =>
      tell({ type: 'training-from', part: outputs.position, points, backend }),
    isPausing: () => pausing,
  };

  async function run(spec: JobSpec): Promise<void> {
    outputs = new SavedOutputs(spec.saved);
    try {
      await runJob(spec, context);
      tell({ type: 'done' });
    } catch (error) {
      tell({ type: 'failed', error: toAppError(error).toInfo() });
    }
  }

  function settle(ref: number, how: (waiting: Saving) => void): void {
    const waiting = saving.get(ref);
    saving.delete(ref);
    if (waiting) how(waiting);
  }

  return (command) => {
    switch (command.type) {
      case 'start':
        void run(command.spec);
        break;
      case 'cancel':
        abort.abort(cancelled());
        break;
      case 'pause':
        pausing = true;
        abort.abort(cancelled());
        break;
      case 'saved':
        settle(command.ref, ({ resolve }) => resolve(command.id));
        break;
      case 'save-failed':
        settle(command.ref, ({ reject }) => reject(AppError.fromInfo(command.error)));
        break;
    }
  };
}

export function cancelled(): AppError {
  return new AppError('CANCELLED', 'The job was cancelled.', 'Start it again when you like.');
}
