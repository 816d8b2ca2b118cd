// The packages of node_modules, and how to call npm without a shell.
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { capture, findProgram } from './processes.mjs';
import { SetupError } from './report.mjs';

/**
 * npm as a program and its first arguments. The JavaScript entry is preferred: Windows starts no .cmd without a shell.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {[string, ...string[]]}
 */
export function npmCommand(env = process.env) {
  const started = env.npm_execpath;
  if (started && basename(started) === 'npm-cli.js' && existsSync(started)) {
    return [process.execPath, started];
  }
  const prefix = dirname(process.execPath);
  const installed = [
    join(prefix, 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    join(prefix, '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
  ].find((file) => existsSync(file));
  if (installed) return [process.execPath, installed];
  return [findProgram(['npm'], env) ?? 'npm'];
}

/**
 * Whether node_modules holds what package-lock.json asks for. npm writes the list of what it installed
 * last, so an interrupted installation has none.
 * @param {string} folder the checkout
 */
export function packagesAreCurrent(folder) {
  const wanted = readLock(join(folder, 'package-lock.json'));
  const installed = readLock(join(folder, 'node_modules', '.package-lock.json'));
  if (!wanted || !installed) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true;
    const found = installed[path];
    return found ? found.version === entry.version : entry.optional === true;
  });
}

/**
 * @param {string} file
 * @returns {Record<string, { version?: string, optional?: boolean }> | undefined}
 */
function readLock(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/**
 * Brings node_modules to what package-lock.json says, if it is not there yet.
 * @param {string} folder the checkout
 * @param {import('./report.mjs').Reporter} reporter
 * @throws {SetupError} SETUP_NPM_FAILED
 */
export async function installPackages(folder, reporter) {
  if (packagesAreCurrent(folder)) return;
  await reporter.step(
    'install packages (npm ci --ignore-scripts)',
    async () => {
      const [npm, ...first] = npmCommand();
      const result = await capture(
        npm,
        [...first, 'ci', '--ignore-scripts', '--no-audit', '--no-fund'],
        {
          cwd: folder,
        },
      );
      if (result.code !== 0) throw npmFailure(result);
    },
    { announce: true },
  );
}

/** @param {import('./processes.mjs').Outcome} result */
function npmFailure(result) {
  const reason = lastLines(result.stderr || result.stdout, 12);
  return new SetupError(
    'SETUP_NPM_FAILED',
    `npm could not install the packages (exit code ${result.code}):\n${reason}`,
    'Check the network or the npm registry that is set (npm config get registry), then: npm ci --ignore-scripts',
  );
}

/**
 * The end of a program's output, for a message.
 * @param {string} text
 * @param {number} count
 */
export function lastLines(text, count) {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
