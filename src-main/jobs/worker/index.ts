// Entry of the worker process: one job and then the end, or the long-lived analyst. Which one it is, the
// first message says. It knows neither database nor window; results go to the parent, which alone commits them.

import { AppError, toAppError } from '../../engine/errors';
import type { AnalystReply, AnalystRequest } from '../analyst-protocol';
import type { JobContext, JobSpec, WorkerCommand, WorkerMessage } from '../types';
import { answers } from '../work/answer';
import { runJob } from '../work/run';
import { openPort } from './port';

const port = openPort();
const abort = new AbortController();

/** Results on their way to the parent, by reference number. */
const saving = new Map<
  number,
  { readonly resolve: (id: string) => void; readonly reject: (error: AppError) => void }
>();
let nextRef = 1;

const tell = (message: WorkerMessage): void => port.send(message);

const context: JobContext = {
  signal: abort.signal,
  progress: (progress) => tell({ type: 'progress', progress }),
  metric: (metric) => tell({ type: 'metric', metric }),
  log: (level, text) => tell({ type: 'log', level, text }),
  save: (output) =>
    new Promise((resolve, reject) => {
      const ref = nextRef++;
      saving.set(ref, { resolve, reject });
      tell({ type: 'save', ref, output });
    }),
};

async function startJob(spec: JobSpec): Promise<void> {
  try {
    await runJob(spec, context);
    tell({ type: 'done' });
  } catch (error) {
    tell({ type: 'failed', error: toAppError(error).toInfo() });
  }
}

function obey(command: WorkerCommand): void {
  switch (command.type) {
    case 'start':
      void startJob(command.spec);
      break;
    case 'cancel':
      abort.abort(
        new AppError('CANCELLED', 'The job was cancelled.', 'Start it again when you like.'),
      );
      break;
    case 'saved':
      saving.get(command.ref)?.resolve(command.id);
      saving.delete(command.ref);
      break;
    case 'save-failed':
      saving.get(command.ref)?.reject(AppError.fromInfo(command.error));
      saving.delete(command.ref);
      break;
  }
}

async function reply(request: AnalystRequest): Promise<void> {
  const { ref } = request;
  let message: AnalystReply;
  try {
    const answer = answers[request.name] as (args: unknown) => Promise<unknown>;
    message = { type: 'answer', ref, value: await answer(request.args) };
  } catch (error) {
    message = { type: 'refusal', ref, error: toAppError(error).toInfo() };
  }
  port.send(message);
}

// Newer Electron only warns here; a job in an unknown state must end visibly.
process.on('unhandledRejection', (reason) => {
  console.error(reason);
  process.exit(1);
});

port.onClosed(() => process.exit(1));
port.onMessage((message) => {
  const received = message as WorkerCommand | AnalystRequest;
  if (received.type === 'ask') void reply(received);
  else obey(received);
});
tell({ type: 'ready' });
