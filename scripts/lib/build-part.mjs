// Builds one bundle with electron-vite: `node build-part.mjs main|preload|renderer`.
import process from 'node:process';

// The oldest Electron that the code has to run on: bundles are made for its Node and its Chrome.
process.env.ELECTRON_MAJOR_VER = '33';
process.env.NODE_ENV_ELECTRON_VITE = 'production';

const { resolveConfig } = await import('electron-vite');
const { build } = await import('vite');

const part = /** @type {import('./build.mjs').Part} */ (process.argv[2]);
const { config } = await resolveConfig({ logLevel: 'warn' }, 'build', 'production');
const partConfig = config?.[part];
if (!partConfig) throw new Error(`electron.vite.config.ts describes no ${part}`);
await build(partConfig);
