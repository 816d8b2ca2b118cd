// Provides what the app and its tests need: npm packages, Electron, native TensorFlow, sqlite3, system libraries.
// Idempotent: says what it does, keeps downloads and builds in a cache, and is over at once when all is there.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { sweepScratch, withLock } from './lib/cache.mjs';
import { provideElectron } from './lib/electron.mjs';
import { installPackages, packagesAreCurrent } from './lib/npm.mjs';
import { cacheFolder, inRoot, machineKey, root } from './lib/paths.mjs';
import { runMain, SetupError } from './lib/report.mjs';
import { provideSqlite3, sqlite3Addon } from './lib/sqlite3.mjs';
import { readState, writeState } from './lib/state.mjs';
import { requireElectronLibraries } from './lib/system.mjs';
import { provideTensorflow } from './lib/tensorflow.mjs';

const OLDEST_NODE = [20, 19];

/**
 * @typedef {object} Needs
 * @property {boolean} [native] sqlite3 and TensorFlow, for whatever runs the main side
 * @property {boolean} [electron] Electron and its system libraries
 * @property {boolean} [retryTensorflow] try again to get a TensorFlow that an earlier run could not get
 */

/** @type {Needs} */
export const EVERYTHING = { native: true, electron: true, retryTensorflow: true };

/**
 * Makes sure that what is asked for is there.
 * @param {Needs} needs the npm packages are always included
 * @param {import('./lib/report.mjs').Reporter} reporter
 * @returns {Promise<import('./lib/state.mjs').SetupState>}
 * @throws {SetupError}
 */
export async function setUp(needs, reporter) {
  requireNode();
  const ready = stateIfReady(needs);
  if (ready) return ready;
  const cache = cacheFolder();
  reporter.line(`Setting up (cache: ${cache})`);
  const checkout = createHash('sha256').update(root).digest('hex').slice(0, 16);
  return withLock(
    join(cache, 'locks', `checkout-${checkout}`),
    () => provide(needs, { cache, reporter }),
    (owner) => reporter.line(`  ... waiting for another set-up of this checkout (${owner})`),
  );
}

/**
 * @param {Needs} needs
 * @param {{ cache: string, reporter: import('./lib/report.mjs').Reporter }} context
 */
async function provide(needs, context) {
  const { cache, reporter } = context;
  sweepScratch(cache);
  await installPackages(root, reporter);
  const state = readState(stateKey());
  const work = /** @type {const} */ ([
    needs.native ? provideTensorflow(context) : state.tensorflow,
    needs.electron ? provideElectron(context) : state.electron,
    needs.native ? provideSqlite3(context) : undefined,
  ]);
  // Nothing is left running behind an error: the others come to their end and stay in the cache.
  await Promise.allSettled(work);
  const [tensorflow, electron] = await Promise.all(work);
  if (electron) state.electron = electron;
  if (tensorflow) state.tensorflow = tensorflow;
  if (needs.electron && state.electron) {
    await requireElectronLibraries(state.electron.executable, reporter);
  }
  writeState(state);
  return state;
}

/**
 * The recorded state, if it answers all needs and what it speaks of still exists.
 * @param {Needs} needs
 */
function stateIfReady(needs) {
  if (!packagesAreCurrent(root)) return undefined;
  const state = readState(stateKey());
  if (needs.electron && !existsSync(state.electron?.executable ?? '')) return undefined;
  if (needs.native) {
    if (!existsSync(sqlite3Addon) || !state.tensorflow) return undefined;
    if (!state.tensorflow.native && needs.retryTensorflow) return undefined;
    if (state.tensorflow.native && !existsSync(tensorflowLibraries)) return undefined;
  }
  return state;
}

const tensorflowLibraries = inRoot('node_modules', '@tensorflow', 'tfjs-node', 'deps', 'lib');

function stateKey() {
  const lock = readFileSync(inRoot('package-lock.json'));
  return `${createHash('sha256').update(lock).digest('hex')} ${machineKey}`;
}

/** @throws {SetupError} SETUP_NODE_TOO_OLD */
function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new SetupError(
    'SETUP_NODE_TOO_OLD',
    `Secateur needs Node.js ${OLDEST_NODE.join('.')} or newer; this is ${process.versions.node}.`,
    'Install a current Node.js from https://nodejs.org',
  );
}

/**
 * Says loudly what does not work without native TensorFlow.
 * @param {import('./lib/state.mjs').SetupState} state
 * @param {import('./lib/report.mjs').Reporter} reporter
 */
export function warnWithoutTensorflow({ tensorflow }, reporter) {
  if (!tensorflow || tensorflow.native) return;
  reporter.warn('native TensorFlow is not there. Inspecting, pruning and exporting work;');
  reporter.warn('training and measuring accuracy are slow. Why, and what would help:');
  reporter.line(`  ${tensorflow.code}: ${tensorflow.message}`);
  reporter.line(`  hint: ${tensorflow.hint}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await runMain(async (reporter) => {
    const state = await setUp(EVERYTHING, reporter);
    const { electron, tensorflow } = state;
    if (electron) reporter.line(`Electron ${electron.version}: ${electron.executable}`);
    if (tensorflow?.native) reporter.line(`TensorFlow ${tensorflow.version}: native`);
    warnWithoutTensorflow(state, reporter);
  });
}
