// The command line in this checkout: set-up and build if needed, then the program with its own output untouched.
import { buildIfStale } from './lib/build.mjs';
import { inRoot } from './lib/paths.mjs';
import { passThrough } from './lib/processes.mjs';
import { runMain } from './lib/report.mjs';
import { setUp, warnWithoutTensorflow } from './setup.mjs';

await runMain(async (reporter) => {
  const state = await setUp({ native: true }, reporter);
  warnWithoutTensorflow(state, reporter);
  await buildIfStale(['main'], reporter);
  return passThrough(process.execPath, [inRoot('out', 'main', 'cli.js'), ...process.argv.slice(2)]);
});
