// Runs each job in a child process of Node.

import { fork, type Serializable } from 'node:child_process';
import type { WorkerHost, WorkerProcess } from '../host';
import { workerEnvironment } from './environment';
import { OutputLines } from './output-lines';

/** @param script the built worker (src-main/jobs/worker/index.ts) */
export function childProcessHost(script: string): WorkerHost {
  return { start: () => startChildProcess(script) };
}

export function startChildProcess(script: string): WorkerProcess {
  const child = fork(script, [], {
    env: workerEnvironment(),
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Structured clone, as in Electron: JSON would turn NaN into null.
    serialization: 'advanced',
  });
  const output = new OutputLines([child.stdout, child.stderr]);
  return {
    send: (message) => {
      if (child.connected) child.send(message as Serializable, () => undefined);
    },
    onMessage: (listener) => {
      child.on('message', listener);
    },
    onOutput: (listener) => output.onLine(listener),
    onExit: (listener) => {
      // 'close' comes after the last message and the last line, unlike 'exit'.
      child.once('close', listener);
    },
    kill: () => {
      child.kill('SIGKILL');
    },
  };
}
