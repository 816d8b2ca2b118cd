// Ends a child process of Node whose parent is gone, also in the middle of a computation that lets no event
// through. Only a thread of its own can do that.

import { Worker } from 'node:worker_threads';

const everyMs = 500;

/** Plain JavaScript, since a thread from text needs no file beside the bundle. */
const watch = `
  const { workerData: parent } = require('node:worker_threads');
  const isGone = () => {
    if (process.ppid !== parent) return true;
    try {
      process.kill(parent, 0);
      return false;
    } catch {
      return true;
    }
  };
  setInterval(() => {
    if (isGone()) process.kill(process.pid, 'SIGKILL');
  }, ${everyMs});
`;

export function endWithParent(): void {
  new Worker(watch, { eval: true, workerData: process.ppid }).unref();
}
