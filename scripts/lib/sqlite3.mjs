// The native addon of sqlite3: the published build where it can be had, else compiled from the package's own source.
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { compileAddon, placeTree } from './addon.mjs';
import { cached } from './cache.mjs';
import { isReachable } from './network.mjs';
import { inRoot, machineKey } from './paths.mjs';
import { capture } from './processes.mjs';
import { readJson } from './state.mjs';

const RELEASES = 'https://github.com';
const PREBUILT_LIMIT_MS = 120_000;
const addonPath = join('build', 'Release', 'node_sqlite3.node');
const packageFolder = inRoot('node_modules', 'sqlite3');

/** Where the addon lies in this checkout. */
export const sqlite3Addon = join(packageFolder, addonPath);

/**
 * @param {{ cache: string, reporter: import('./report.mjs').Reporter }} context
 * @throws {import('./report.mjs').SetupError} SETUP_NO_PYTHON, SETUP_NO_COMPILER, SETUP_BUILD_FAILED
 */
export async function provideSqlite3({ cache, reporter }) {
  if (existsSync(sqlite3Addon)) return;
  const { version } = readJson(join(packageFolder, 'package.json'));
  const part = await cached(
    cache,
    `sqlite3/${version}-${machineKey}`,
    (scratch) => makeAddon(scratch, reporter),
    (owner) => reporter.line(`  ... waiting for another set-up to build sqlite3 (${owner})`),
  );
  placeTree(part, packageFolder);
}

/**
 * @param {string} scratch
 * @param {import('./report.mjs').Reporter} reporter
 */
async function makeAddon(scratch, reporter) {
  if (!(await fetchPrebuilt())) {
    await reporter.step(
      'build sqlite3 from its source (about 90 s)',
      () => compileAddon(packageFolder, [], reporter),
      { announce: true },
    );
  }
  mkdirSync(join(scratch, 'build', 'Release'), { recursive: true });
  copyFileSync(sqlite3Addon, join(scratch, addonPath));
  rmSync(join(packageFolder, 'build'), { recursive: true });
}

/** The package's own installer, limited in time; false if it did not bring an addon that loads. */
async function fetchPrebuilt() {
  if (!(await isReachable(RELEASES))) return false;
  const installer = inRoot('node_modules', 'prebuild-install', 'bin.js');
  const options = { cwd: packageFolder, timeoutMs: PREBUILT_LIMIT_MS };
  await capture(process.execPath, [installer, '-r', 'napi'], options);
  return (await capture(process.execPath, ['-e', 'require(".")'], options)).code === 0;
}
