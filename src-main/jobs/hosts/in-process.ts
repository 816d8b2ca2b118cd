// Runs a job in this very process: for the command line, which has nothing else to do meanwhile.

import type { WorkerHost, WorkerProcess } from '../host';
import { serveJob, type RunJob } from '../job-server';
import type { WorkerCommand, WorkerMessage } from '../types';

export function createInProcessHost(runJob: RunJob): WorkerHost {
  return { start: () => startHere(runJob) };
}

function startHere(runJob: RunJob): WorkerProcess {
  let onMessage: (message: unknown) => void = () => undefined;
  let onExit: (code: number | null, signal: string | null) => void = () => undefined;
  let ended = false;
  const later = (deliver: () => void): void => {
    setImmediate(() => {
      if (!ended) deliver();
    });
  };
  const tell = (message: WorkerMessage): void => later(() => onMessage(message));
  const obey = serveJob(runJob, tell);
  tell({ type: 'ready' });
  return {
    send: (command) => later(() => obey(command as WorkerCommand)),
    onMessage: (listener) => {
      onMessage = listener;
    },
    // What the job prints goes to the terminal by itself.
    onOutput: () => undefined,
    onExit: (listener) => {
      onExit = listener;
    },
    kill: () => {
      if (ended) return;
      // The computation goes on until it next looks at the signal, but nobody listens to it any more.
      obey({ type: 'cancel' });
      later(() => {
        ended = true;
        onExit(null, null);
      });
    },
  };
}
