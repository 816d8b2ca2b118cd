// Starts the app: `npm start -- [options and files for the app]`.
// Without a display the main job runs in the terminal instead, on the bundled sample.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ALL_PARTS, buildIfStale } from './lib/build.mjs';
import { inRoot, root } from './lib/paths.mjs';
import { passThrough } from './lib/processes.mjs';
import { runMain } from './lib/report.mjs';
import { hasDisplay, isRoot } from './lib/system.mjs';
import { setUp, warnWithoutTensorflow } from './setup.mjs';

await runMain(async (reporter) => {
  const display = hasDisplay();
  const state = await setUp({ native: true, electron: display }, reporter);
  warnWithoutTensorflow(state, reporter);
  if (!display || !state.electron) {
    await buildIfStale(['main'], reporter);
    return runInTerminal(reporter);
  }
  await buildIfStale(ALL_PARTS, reporter);
  return openWindow(state.electron.executable);
});

/** @param {string} executable */
function openWindow(executable) {
  // Chromium's sandbox refuses to start as root on Linux.
  const flags = process.platform === 'linux' && isRoot ? ['--no-sandbox'] : [];
  const env = { ...process.env };
  delete env.ELECTRON_RUN_AS_NODE; // Set in some editors' terminals; it would start a plain Node.
  return passThrough(executable, [root, ...flags, ...process.argv.slice(2)], { env });
}

/** @param {import('./lib/report.mjs').Reporter} reporter */
async function runInTerminal(reporter) {
  const folder = join(mkdtempSync(join(tmpdir(), 'secateur-')), 'sample');
  reporter.line(
    'There is no display for the window (DISPLAY is not set): running the sample here.',
  );
  const code = await passThrough(process.execPath, [
    inRoot('out', 'main', 'cli.js'),
    'demo',
    folder,
  ]);
  if (code === 0) reporter.line(`The project of this run is in ${folder}`);
  return code;
}
