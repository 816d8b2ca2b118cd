// The bundles of electron.vite.config.ts: their resolved configuration, and building one of them.
import { stripVTControlCharacters } from 'node:util';

/** How many lines of a build's complaint are shown: the first error, without those that follow from it. */
const COMPLAINT_LINES = 24;

/**
 * @param {'main' | 'preload' | 'renderer'} part
 * @returns {Promise<import('vite').InlineConfig>}
 */
export async function loadPartConfig(part) {
  // The oldest Electron that the code has to run on: bundles are made for its Node and its Chrome.
  process.env.ELECTRON_MAJOR_VER = '33';
  process.env.NODE_ENV_ELECTRON_VITE = 'production';
  const { resolveConfig } = await import('electron-vite');
  const { config } = await resolveConfig({ logLevel: 'warn' }, 'build', 'production');
  const partConfig = config?.[part];
  if (!partConfig) throw new Error(`electron.vite.config.ts describes no ${part}`);
  return partConfig;
}

/**
 * Builds a bundle in this process; a failure is printed on standard error and sets the exit code.
 * @param {import('vite').InlineConfig} config
 * @returns {Promise<string[]>} the files that it was made of
 */
export async function buildBundle(config) {
  const { build } = await import('vite');
  try {
    const built = await build(config);
    const outputs = Array.isArray(built) ? built : 'output' in built ? [built] : [];
    return outputs.flatMap(({ output }) =>
      output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : [])),
    );
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const lines = stripVTControlCharacters(text).split('\n').slice(0, COMPLAINT_LINES);
    process.stderr.write(`${lines.join('\n')}\n`);
    process.exitCode = 1;
    return [];
  }
}
