// Runs one bundled benchmark and writes its result: `node run-bench.mjs <bundle> <report>`.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [bundle = '', report = ''] = process.argv.slice(2);
const bench = createRequire(import.meta.url)(bundle);
const { figures } = await bench.run();
writeFileSync(report, JSON.stringify({ name: bench.name, figures }));
process.exit(0); // Do not wait for what a backend keeps alive.
