// A worker that computes without end: one batch after the other, or (SECATEUR_TEST_BUSY) without letting anything in
// between. Run by orphan.test.ts.

import { openPort } from '../../../../src-main/jobs/worker/port';

const port = openPort();
port.onClosed(() => process.exit(1));
port.send(process.pid);

const batchMs = process.env['SECATEUR_TEST_BUSY'] === undefined ? 50 : Infinity;

function computeBatch(): void {
  const until = performance.now() + batchMs;
  while (performance.now() < until);
  setImmediate(computeBatch);
}
// The message goes out first.
setTimeout(computeBatch, 200);
