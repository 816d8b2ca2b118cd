// Builds one bundle: `node build-part.mjs main|preload|renderer`.
import { buildBundle, loadPartConfig } from './part-config.mjs';

const part = /** @type {import('./build.mjs').Part} */ (process.argv[2]);
await buildBundle(await loadPartConfig(part));
