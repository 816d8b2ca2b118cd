// Builds one bundle: `node build-part.mjs main|preload|renderer <list>`. The list gets the names of the files
// that the bundle was made of, from which the licences of what it contains are found.
import { writeFileSync } from 'node:fs';
import { buildBundle, loadPartConfig } from './part-config.mjs';

const [part, list = ''] = process.argv.slice(2);
const files = await buildBundle(
  await loadPartConfig(/** @type {import('./build.mjs').Part} */ (part)),
);
writeFileSync(list, JSON.stringify(files));
