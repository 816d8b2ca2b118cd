// Bundles benchmark files exactly as the main side is bundled: `node build-bench.mjs <file> ...`.
import { basename } from 'node:path';
import { buildBundle, loadPartConfig } from './part-config.mjs';

const config = await loadPartConfig('main');
const files = process.argv.slice(2);
config.build = {
  ...config.build,
  // Not the folder of results: what is built anew is emptied first.
  outDir: 'out/bench-bundles',
  rolldownOptions: {
    ...config.build?.rolldownOptions,
    input: Object.fromEntries(files.map((file) => [basename(file, '.bench.ts'), file])),
  },
};
await buildBundle(config);
