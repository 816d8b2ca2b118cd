// Starts a worker, says its process number, and stays until it is killed. Run by orphan.test.ts.

import { startChildProcess } from '../../../../src-main/jobs/hosts/child-process';

const worker = startChildProcess(process.argv[2] ?? '');
worker.onMessage((message) => process.stdout.write(`${String(message)}\n`));
setInterval(() => undefined, 1000);
