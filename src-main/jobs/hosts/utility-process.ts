// Runs each job in a utility process of Electron. Chromium ends it when the main process is gone, even in a busy
// loop, so that no orphan goes on computing.

import { setTimeout as sleep } from 'node:timers/promises';
import { utilityProcess } from 'electron';
import type { WorkerHost, WorkerProcess } from '../host';
import { isGpuRequest } from '../gpu-protocol';
import { workerEnvironment } from './environment';
import { GpuRequests, type OpenGpu } from './gpu-requests';
import { OutputLines } from './output-lines';

/** Between the polite signal and the one that no process can ignore. */
const politeMs = 1000;
/** How long the last lines of a process that has ended may take to arrive. */
const drainMs = 500;

/**
 * @param script the built worker (src-main/jobs/worker/index.ts)
 * @param openGpu opens the window that a worker asks for
 */
export function utilityProcessHost(script: string, openGpu: OpenGpu): WorkerHost {
  return {
    start: ({ jobId, request }) =>
      startUtilityProcess(script, `secateur-${request.kind}-${jobId}`, openGpu),
  };
}

/** @param serviceName how the process is called in task managers and crash reports */
export function startUtilityProcess(
  script: string,
  serviceName: string,
  openGpu: OpenGpu,
): WorkerProcess {
  const child = utilityProcess.fork(script, [], {
    serviceName,
    env: workerEnvironment(),
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = new OutputLines([child.stdout, child.stderr]);
  const gpu = new GpuRequests(child, openGpu);
  let running = true;
  child.once('exit', () => {
    running = false;
  });
  return {
    send: (message) => {
      if (running) child.postMessage(message);
    },
    onMessage: (listener) => {
      child.on('message', (message: unknown) => {
        if (isGpuRequest(message)) gpu.handle(message);
        else listener(message);
      });
    },
    onOutput: (listener) => output.onLine(listener),
    onExit: (listener) => {
      child.once('exit', (code) => {
        // 'exit' overtakes the last lines, which tell of a crash.
        void Promise.race([output.ended, sleep(drainMs)]).then(() => listener(code, null));
      });
    },
    kill: () => {
      const { pid } = child;
      child.kill();
      if (pid === undefined) return;
      const timer = setTimeout(() => {
        if (running) process.kill(pid, 'SIGKILL');
      }, politeMs);
      child.once('exit', () => clearTimeout(timer));
    },
  };
}
