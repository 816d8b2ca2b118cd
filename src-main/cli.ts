// Headless entry: the same engine, jobs and project folders as the window, without Electron.

import { join } from 'node:path';

import { runCommandLine } from './cli/main';

// A reader that has seen enough, such as `head`, closes the pipe.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

void runCommandLine(process.argv.slice(2), join(__dirname, 'worker.js')).then((code) => {
  process.exitCode = code;
});
