// Builds what is out of date: `npm run build`.
import { ALL_PARTS, buildIfStale } from './lib/build.mjs';
import { runMain } from './lib/report.mjs';
import { setUp } from './setup.mjs';

await runMain(async (reporter) => {
  await setUp({}, reporter);
  await buildIfStale(ALL_PARTS, reporter);
});
