// What the operating system has to bring: a compiler, a display, the libraries that Electron links to.
import { capture, findProgram } from './processes.mjs';
import { SetupError } from './report.mjs';

/** Debian and Ubuntu packages that Electron needs on a bare machine. */
export const ELECTRON_PACKAGES = [
  'libgtk-3-0',
  'libnss3',
  'libasound2',
  'libgbm1',
  'libxss1',
  'libatk-bridge2.0-0',
  'libxtst6',
];

/** A display for tests where there is no screen. */
export const VIRTUAL_DISPLAY_PACKAGES = ['xvfb', 'xauth'];

const isLinux = process.platform === 'linux';

/** Whether this process may do anything: Electron then needs --no-sandbox, and apt-get works. */
export const isRoot = process.getuid?.() === 0;

/**
 * Whether a window can be shown. Only Linux leaves that open.
 * @param {NodeJS.ProcessEnv} [env]
 */
export function hasDisplay(env = process.env) {
  return !isLinux || Boolean(env.DISPLAY || env.WAYLAND_DISPLAY);
}

/**
 * @param {readonly string[]} packages
 */
export const aptCommand = (packages) =>
  `apt-get update && apt-get install -y ${packages.join(' ')}`;

/**
 * Installs system packages where that can be done without asking: root on Debian or Ubuntu.
 * @param {readonly string[]} packages names as on Debian 12; time64 names of later releases are found
 * @param {import('./report.mjs').Reporter} reporter
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<boolean>} whether they are there now
 */
export async function installSystemPackages(packages, reporter, env = process.env) {
  const aptGet = findProgram(['apt-get'], env);
  if (!isLinux || !isRoot || !aptGet) return false;
  return reporter.step(`install system packages: ${packages.join(' ')}`, async () => {
    const quiet = { env: { ...env, DEBIAN_FRONTEND: 'noninteractive' } };
    await capture(aptGet, ['update'], quiet);
    const names = await Promise.all(packages.map((name) => currentName(name, env)));
    const install = ['install', '-y', '--no-install-recommends', ...names];
    return (await capture(aptGet, install, quiet)).code === 0;
  });
}

/**
 * Releases with 64-bit time renamed some libraries; the old name may then be ambiguous.
 * @param {string} name
 * @param {NodeJS.ProcessEnv} env
 */
async function currentName(name, env) {
  const renamed = `${name}t64`;
  return (await capture('apt-cache', ['show', renamed], { env })).code === 0 ? renamed : name;
}

/**
 * Makes sure that native addons can be compiled.
 * @param {import('./report.mjs').Reporter} reporter
 * @param {NodeJS.ProcessEnv} [env]
 * @throws {SetupError} SETUP_NO_PYTHON, SETUP_NO_COMPILER
 */
export async function requireBuildTools(reporter, env = process.env) {
  if (process.platform === 'win32') return; // node-gyp looks into the registry and says what it misses.
  const missing = () => [
    ...(findPython(env) ? [] : ['python3']),
    ...(findProgram(['make', 'gmake'], env) ? [] : ['make']),
    ...(env.CXX || findProgram(['c++', 'g++', 'clang++'], env) ? [] : ['g++']),
  ];
  if (missing().length === 0) return;
  await installSystemPackages(missing(), reporter, env);
  const still = missing();
  if (still.length === 0) return;
  if (still.includes('python3')) throw noPython('The native addons are built with node-gyp, which');
  throw new SetupError(
    'SETUP_NO_COMPILER',
    `The native addons have to be compiled, and this machine has no ${still.join(' and no ')}.`,
    process.platform === 'darwin' ? 'xcode-select --install' : aptCommand(['make', 'g++']),
  );
}

/**
 * @param {string} who the subject of "needs Python 3"
 */
export function noPython(who) {
  return new SetupError(
    'SETUP_NO_PYTHON',
    `${who} needs Python 3, which is not on the PATH.`,
    isLinux
      ? aptCommand(['python3', 'python3-pip'])
      : 'Install Python 3 from https://www.python.org/downloads/ and run: npm run setup',
  );
}

/**
 * @param {NodeJS.ProcessEnv} [env]
 */
export const findPython = (env = process.env) => findProgram(['python3', 'python'], env);

/**
 * Shared libraries that a program links to and this machine lacks.
 * @param {string} executable
 * @returns {Promise<string[]>} their file names
 */
export async function missingLibraries(executable) {
  if (!isLinux || !findProgram(['ldd'])) return [];
  const { stdout } = await capture('ldd', [executable]);
  return stdout
    .split('\n')
    .filter((line) => line.includes('not found'))
    .map((line) => line.trim().split(' ')[0] ?? '');
}

/**
 * Makes sure that Electron finds the libraries that it links to.
 * @param {string} executable
 * @param {import('./report.mjs').Reporter} reporter
 * @throws {SetupError} SETUP_SYSTEM_LIBRARIES
 */
export async function requireElectronLibraries(executable, reporter) {
  if ((await missingLibraries(executable)).length === 0) return;
  await installSystemPackages(ELECTRON_PACKAGES, reporter);
  const missing = await missingLibraries(executable);
  if (missing.length === 0) return;
  throw new SetupError(
    'SETUP_SYSTEM_LIBRARIES',
    `Electron cannot start here: the system lacks ${missing.join(', ')}.`,
    aptCommand(ELECTRON_PACKAGES),
  );
}

/**
 * The words to put in front of a command that opens windows: none where there is a display, else xvfb-run.
 * @param {import('./report.mjs').Reporter} reporter
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<string[]>}
 * @throws {SetupError} SETUP_NO_DISPLAY
 */
export async function displayPrefix(reporter, env = process.env) {
  if (hasDisplay(env)) return [];
  const find = () => findProgram(['xvfb-run'], env);
  if (!find()) await installSystemPackages(VIRTUAL_DISPLAY_PACKAGES, reporter, env);
  const xvfbRun = find();
  if (xvfbRun) return [xvfbRun, '--auto-servernum', '--server-args=-screen 0 1440x900x24'];
  throw new SetupError(
    'SETUP_NO_DISPLAY',
    'There is no display (DISPLAY and WAYLAND_DISPLAY are unset) and no virtual one (xvfb-run).',
    aptCommand(VIRTUAL_DISPLAY_PACKAGES),
  );
}
