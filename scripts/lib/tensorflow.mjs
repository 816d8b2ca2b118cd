// Native TensorFlow for @tensorflow/tfjs-node: the package's own installer where its site can be reached,
// else the library out of TensorFlow's Python wheel and a binding compiled against it.
import { existsSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { compileAddon, placeTree } from './addon.mjs';
import { cached, withScratch } from './cache.mjs';
import { isReachable } from './network.mjs';
import { lastLines } from './npm.mjs';
import { inRoot, machineKey } from './paths.mjs';
import { capture } from './processes.mjs';
import { SetupError } from './report.mjs';
import { readJson } from './state.mjs';
import { findPython, installSystemPackages, noPython } from './system.mjs';
import { unzip } from './unzip.mjs';

const OFFICIAL_SITE = 'https://storage.googleapis.com';
const OFFICIAL_LIMIT_MS = 600_000;
const packageFolder = inRoot('node_modules', '@tensorflow', 'tfjs-node');

/** One wheel for every machine: only its C++ libraries are used, so the Python it is made for does not matter. */
export const WHEEL = {
  requirement: 'tensorflow-cpu==2.21.0',
  sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
  tags: ['--python-version=3.11', '--implementation=cp', '--platform=manylinux_2_27_x86_64'],
};

/** The wheel's libraries and the name that the binding links to each by. */
const LIBRARIES = {
  'libtensorflow_cc.so.2': 'libtensorflow.so',
  'libtensorflow_framework.so.2': 'libtensorflow_framework.so',
};
const LICENCES = ['THIRD_PARTY_NOTICES.txt', 'include/LICENSE'];
/** The parts of the wheel's 11,000 headers that the C interface includes. */
const HEADERS =
  /^include\/(tensorflow\/c|tensorflow\/core\/platform|tsl\/platform|xla\/tsl\/c)\/.*\.h$/;

/**
 * @param {{ cache: string, reporter: import('./report.mjs').Reporter }} context
 * @returns {Promise<import('./state.mjs').TensorflowState>} never throws for want of TensorFlow: the app runs without it
 */
export async function provideTensorflow({ cache, reporter }) {
  try {
    let version = await loadedVersion();
    if (!version) {
      const packageVersion = readJson(join(packageFolder, 'package.json')).version;
      const part = await cached(
        cache,
        `tensorflow/tfjs-node-${packageVersion}-${machineKey}`,
        (scratch) => makeNativeParts(scratch, { cache, reporter }),
        (owner) => reporter.line(`  ... waiting for another set-up to fetch TensorFlow (${owner})`),
      );
      placeTree(part, packageFolder);
      version = await reporter.step('load native TensorFlow', requireLoads);
    }
    return { native: true, version };
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return { native: false, code: error.code, message: error.message, hint: error.hint };
  }
}

/** Loads the binding, calculates, and prints the library's version. Newer Nodes lack a helper that the package calls. */
const LOAD_CHECK =
  "require('node:util').isNullOrUndefined ??= (v) => v == null;" +
  "const tf = require('@tensorflow/tfjs-node');" +
  'if (tf.add([1], [2]).dataSync()[0] !== 3) process.exit(2);' +
  "process.stdout.write('\\n' + tf.backend().binding.TF_Version);";

function loadCheck() {
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' };
  return capture(process.execPath, ['-e', LOAD_CHECK], { cwd: inRoot(), env });
}

/** @returns {Promise<string | undefined>} TensorFlow's version if the binding is there and works */
async function loadedVersion() {
  if (!existsSync(join(packageFolder, 'deps', 'lib'))) return undefined;
  const result = await loadCheck();
  return result.code === 0 ? lastLines(result.stdout, 1) : undefined;
}

/**
 * @returns {Promise<string>} TensorFlow's version
 * @throws {SetupError} SETUP_TENSORFLOW_BROKEN
 */
async function requireLoads() {
  const result = await loadCheck();
  if (result.code === 0) return lastLines(result.stdout, 1);
  throw new SetupError(
    'SETUP_TENSORFLOW_BROKEN',
    `Native TensorFlow is installed but does not load (exit code ${result.code}):\n${lastLines(result.stderr, 8)}`,
    'TensorFlow needs a processor with AVX and glibc 2.27 or newer. Secateur itself runs without it.',
  );
}

/**
 * Fills `scratch` with `deps/lib` and `lib/napi-v*`, laid out as in the package.
 * @param {string} scratch
 * @param {{ cache: string, reporter: import('./report.mjs').Reporter }} context
 */
async function makeNativeParts(scratch, { cache, reporter }) {
  if (!(await fetchOfficial(reporter))) await buildFromWheel(cache, reporter);
  for (const part of [join('deps', 'lib'), 'lib']) {
    placeTree(join(packageFolder, part), join(scratch, part));
  }
}

/**
 * @param {import('./report.mjs').Reporter} reporter
 * @returns {Promise<boolean>} false if this way is closed
 */
async function fetchOfficial(reporter) {
  if (!(await isReachable(OFFICIAL_SITE))) {
    reporter.line(
      `  ... ${new URL(OFFICIAL_SITE).hostname} cannot be reached: no official TensorFlow`,
    );
    return false;
  }
  const tools = inRoot('node_modules', '.bin');
  const env = { ...process.env, PATH: `${tools}${delimiter}${process.env.PATH ?? ''}` };
  const options = { cwd: packageFolder, env, timeoutMs: OFFICIAL_LIMIT_MS };
  const result = await reporter.step(
    'download TensorFlow with its own installer',
    () => capture(process.execPath, [join('scripts', 'install.js')], options),
    { announce: true },
  );
  if (result.code === 0 && (await loadedVersion())) return true;
  reporter.line(`  ... the official TensorFlow is no use here: ${lastLines(result.stderr, 1)}`);
  return false;
}

/**
 * @param {string} cache
 * @param {import('./report.mjs').Reporter} reporter
 * @throws {SetupError} SETUP_NO_TENSORFLOW where there is no such wheel, and what its steps throw
 */
async function buildFromWheel(cache, reporter) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new SetupError(
      'SETUP_NO_TENSORFLOW',
      `Native TensorFlow for ${process.platform} ${process.arch} is only to be had from ${OFFICIAL_SITE}.`,
      'Connect to the internet once and run: npm run setup',
    );
  }
  const deps = join(packageFolder, 'deps');
  rmSync(deps, { recursive: true, force: true });
  await withScratch(cache, async (scratch) => {
    const wheel = await reporter.step(
      `download TensorFlow (${WHEEL.requirement}, 274 MB)`,
      () => downloadWheel(scratch, WHEEL, reporter),
      { announce: true },
    );
    await reporter.step('unpack TensorFlow', () => unzip(wheel, deps, placeWheelMember));
  });
  for (const [library, linkName] of Object.entries(LIBRARIES)) {
    symlinkSync(library, join(deps, 'lib', linkName));
  }
  await reporter.step(
    'build the TensorFlow binding (about 30 s)',
    () =>
      compileAddon(
        packageFolder,
        [
          '--module_name=tfjs_binding',
          `--module_path=${join(packageFolder, 'lib', 'napi-v8')}`,
          '--napi_build_version=8',
        ],
        reporter,
      ),
    { announce: true },
  );
  // Only the linker needed these; the binding asks for the libraries by their own names.
  for (const linkName of Object.values(LIBRARIES)) rmSync(join(deps, 'lib', linkName));
  rmSync(join(deps, 'include'), { recursive: true });
  rmSync(join(packageFolder, 'build'), { recursive: true });
}

/**
 * Downloads the pinned wheel with pip.
 * @param {string} folder
 * @param {typeof WHEEL} wheel
 * @param {import('./report.mjs').Reporter} reporter
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<string>} its path
 * @throws {SetupError} SETUP_NO_PYTHON, SETUP_CHECKSUM, SETUP_DOWNLOAD_CUT, SETUP_DOWNLOAD_FAILED
 */
export async function downloadWheel(folder, wheel, reporter, env = process.env) {
  const python = await requirePip(reporter, env);
  const requirements = join(folder, 'requirements.txt');
  writeFileSync(requirements, `${wheel.requirement} --hash=sha256:${wheel.sha256}\n`);
  const result = await capture(
    python,
    [
      ...['-m', 'pip', 'download', '--disable-pip-version-check', '--retries=0', '--no-deps'],
      ...['--only-binary=:all:', '--require-hashes', ...wheel.tags],
      ...['--dest', folder, '--requirement', requirements],
    ],
    { env },
  );
  if (result.code !== 0) throw pipFailure(wheel, result);
  const file = readdirSync(folder).find((name) => name.endsWith('.whl'));
  if (!file) throw new Error('pip reported success and left no wheel');
  return join(folder, file);
}

/**
 * @param {import('./report.mjs').Reporter} reporter
 * @param {NodeJS.ProcessEnv} env
 */
async function requirePip(reporter, env) {
  const find = async () => {
    const python = findPython(env);
    if (!python) return undefined;
    return (await capture(python, ['-m', 'pip', '--version'], { env })).code === 0
      ? python
      : undefined;
  };
  const found = await find();
  if (found) return found;
  await installSystemPackages(['python3', 'python3-pip'], reporter, env);
  const python = await find();
  if (!python) throw noPython('TensorFlow is fetched with pip, which');
  return python;
}

/**
 * @param {typeof WHEEL} wheel
 * @param {import('./processes.mjs').Outcome} result
 */
function pipFailure(wheel, result) {
  const output = `${result.stdout}\n${result.stderr}`;
  const reason = lastLines(result.stderr, 6);
  const again = 'Try again, it goes on where it stopped: npm run setup';
  if (/DO NOT MATCH THE HASHES/.test(output)) {
    return new SetupError(
      'SETUP_CHECKSUM',
      `The download of ${wheel.requirement} was cut off (older pips do not notice), or it is not the file that Secateur was tested with:\n${reason}`,
      'Try again with an empty cache of pip: python3 -m pip cache purge && npm run setup',
    );
  }
  if (
    /IncompleteRead|Connection broken|ConnectionReset|Read timed out|not enough bytes|incomplete-download/.test(
      output,
    )
  ) {
    return new SetupError(
      'SETUP_DOWNLOAD_CUT',
      `The download of ${wheel.requirement} was cut off:\n${reason}`,
      again,
    );
  }
  return new SetupError(
    'SETUP_DOWNLOAD_FAILED',
    `pip could not download ${wheel.requirement}:\n${reason}`,
    `Check the network and the index that pip uses (python3 -m pip config list). ${again}`,
  );
}

/**
 * Where a member of the wheel goes inside `deps`.
 * @param {string} member
 */
function placeWheelMember(member) {
  if (!member.startsWith('tensorflow/')) return undefined;
  const path = member.slice('tensorflow/'.length);
  if (path in LIBRARIES) return join('lib', path);
  if (LICENCES.includes(path)) return join('lib', basename(path));
  return HEADERS.test(path) ? path : undefined;
}
