// Entry of the worker process: one job and then the end, or the long-lived analyst. Which one it is, the
// first message says. It knows neither database nor window; results go to the parent, which alone commits them.

import type { Progress } from '../../engine/context';
import { toAppError } from '../../engine/errors';
import type { AnalystReply, AnalystRequest } from '../analyst-protocol';
import { serveJob } from '../job-server';
import type { WorkerCommand, WorkerMessage } from '../types';
import { answers } from '../work/answer';
import { runJob } from '../work/run';
import { openPort } from './port';

const port = openPort();
const tell = (message: WorkerMessage): void => port.send(message);
const obey = serveJob(runJob, tell);

async function reply(request: AnalystRequest): Promise<void> {
  const { ref } = request;
  let message: AnalystReply;
  try {
    const answer = answers[request.name] as (
      args: unknown,
      onProgress: (progress: Progress) => void,
    ) => Promise<unknown>;
    const tellProgress = (progress: Progress): void =>
      port.send({ type: 'progress', ref, progress } satisfies AnalystReply);
    message = { type: 'answer', ref, value: await answer(request.args, tellProgress) };
  } catch (error) {
    message = { type: 'refusal', ref, error: toAppError(error).toInfo() };
  }
  port.send(message);
}

// sharp warns of every Electron on Linux, whether or not its libraries clash; they do not (the images are tested).
process.removeAllListeners('warning');
process.on('warning', (warning: NodeJS.ErrnoException) => {
  if (warning.code === 'SharpElectronLinux') return;
  process.stderr.write(`${warning.name}: ${warning.message}\n`);
});

// Newer Electron only warns here; a job in an unknown state must end visibly.
process.on('unhandledRejection', (reason) => {
  process.stderr.write(`${reason instanceof Error ? reason.stack : String(reason)}\n`);
  process.exit(1);
});

// A terminal sends Ctrl+C to the whole group: the parent hears it, too, and cancels in good order.
process.on('SIGINT', () => undefined);

port.onClosed(() => process.exit(1));
port.onMessage((message) => {
  const received = message as WorkerCommand | AnalystRequest;
  if (received.type === 'ask') void reply(received);
  else obey(received);
});
tell({ type: 'ready' });
