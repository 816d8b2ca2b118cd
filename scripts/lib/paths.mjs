// Where things are: the checkout, and the cache that outlives it.
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout that these scripts belong to. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** @param {string[]} parts */
export const inRoot = (...parts) => join(root, ...parts);

/**
 * The folder for downloads and compiled parts: SECATEUR_CACHE, or the place that the system keeps for caches.
 * @param {NodeJS.ProcessEnv} [env]
 */
export function cacheFolder(env = process.env) {
  if (env.SECATEUR_CACHE) return resolve(env.SECATEUR_CACHE);
  if (process.platform === 'win32') {
    return join(env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'secateur', 'cache');
  }
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'secateur');
  return join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'secateur');
}

/** What a compiled part depends on besides its own version: `linux-x64-abi115`. */
export const machineKey = `${process.platform}-${process.arch}-abi${process.versions.modules}`;
