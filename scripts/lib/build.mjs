// Builds the app's bundles, each only if its sources have changed since it was built.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { withLock } from './cache.mjs';
import { inRoot, root } from './paths.mjs';
import { capture } from './processes.mjs';
import { lastLines } from './npm.mjs';
import { SetupError } from './report.mjs';

/** @typedef {'main' | 'preload' | 'renderer'} Part */

/** What each bundle is made of, besides the files that all of them depend on. */
const SOURCES = {
  main: ['src-main'],
  preload: ['src-main/preload', 'src-main/ipc'],
  // The page that trains on the GPU runs the engine's steps.
  renderer: [
    ...['src-renderer', 'src-main/ipc', 'src-main/engine/data', 'src-main/engine/graph'],
    ...['src-main/engine/measure', 'src-main/engine/runtime', 'src-main/engine/train'],
  ],
};
const SHARED_SOURCES = ['electron.vite.config.ts', 'package-lock.json', 'tsconfig.base.json'];

/** @type {Part[]} */
export const ALL_PARTS = ['main', 'preload', 'renderer'];

/**
 * @param {readonly Part[]} parts
 * @param {import('./report.mjs').Reporter} reporter
 * @throws {SetupError} BUILD_FAILED
 */
export async function buildIfStale(parts, reporter) {
  if (parts.every(isFresh)) return;
  await withBundles(reporter, async () => {
    for (const part of parts) {
      if (!isFresh(part)) await reporter.step(`build ${part}`, () => build(part));
    }
  });
}

/**
 * Runs `work` while no other script builds: a build empties the folder of its bundle first.
 * @template T
 * @param {import('./report.mjs').Reporter} reporter
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export function withBundles(reporter, work) {
  return withLock(inRoot('out', '.build-lock'), work, (owner) =>
    reporter.line(`  ... waiting for another build (${owner})`),
  );
}

/** @param {Part} part */
async function build(part) {
  const stamp = fingerprint(part); // Taken first: an edit during the build makes it stale again.
  rmSync(stampFile(part), { force: true });
  mkdirSync(dirname(stampFile(part)), { recursive: true });
  const script = inRoot('scripts', 'lib', 'build-part.mjs');
  const result = await capture(process.execPath, [script, part, moduleList(part)], { cwd: root });
  if (result.code !== 0) {
    throw new SetupError(
      'BUILD_FAILED',
      `The ${part} bundle does not build:\n${lastLines(result.stderr, 30)}`,
      'npm run check says more about what is wrong in the sources.',
    );
  }
  writeFileSync(stampFile(part), stamp);
}

/** @param {Part} part */
function isFresh(part) {
  const file = stampFile(part);
  return existsSync(file) && readFileSync(file, 'utf8') === fingerprint(part);
}

/**
 * The file that names the modules in a built bundle.
 * @param {Part} part
 */
export const moduleList = (part) => inRoot('out', '.stamps', `${part}.modules.json`);

/** @param {Part} part */
const stampFile = (part) => inRoot('out', '.stamps', part);

/**
 * A digest of the names and contents of a bundle's sources.
 * @param {Part} part
 */
function fingerprint(part) {
  const hash = createHash('sha256');
  const files = [...SHARED_SOURCES, ...SOURCES[part]].flatMap((path) => filesBelow(inRoot(path)));
  for (const file of files.sort()) {
    hash
      .update(`${relative(root, file)}\n`)
      .update(readFileSync(file))
      .update('\n');
  }
  return hash.digest('hex');
}

/**
 * @param {string} path a file or a folder
 * @returns {string[]}
 */
function filesBelow(path) {
  if (!existsSync(path)) return [];
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? filesBelow(join(path, entry.name)) : [join(path, entry.name)],
    );
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOTDIR') return [path];
    throw error;
  }
}
