// A worker that computes without end, one batch after the other. Run by orphan.test.ts.

import { openPort } from '../../../../src-main/jobs/worker/port';

const port = openPort();
port.onClosed(() => process.exit(1));
port.send(process.pid);

function computeBatch(): void {
  const until = performance.now() + 50;
  while (performance.now() < until);
  setImmediate(computeBatch);
}
computeBatch();
