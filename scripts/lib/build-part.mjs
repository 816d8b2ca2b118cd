// Builds one bundle: `node build-part.mjs main|preload|renderer`.
import { loadPartConfig } from './part-config.mjs';

const part = /** @type {import('./build.mjs').Part} */ (process.argv[2]);
const config = await loadPartConfig(part);
const { build } = await import('vite');
await build(config);
