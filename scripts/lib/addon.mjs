// Compiling a package's native addon, and putting finished parts from the cache into node_modules.
import {
  copyFileSync,
  constants,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { lastLines } from './npm.mjs';
import { inRoot } from './paths.mjs';
import { capture } from './processes.mjs';
import { SetupError } from './report.mjs';
import { requireBuildTools } from './system.mjs';

/**
 * Runs `node-gyp rebuild` in a package's folder.
 * @param {string} folder
 * @param {readonly string[]} options
 * @param {import('./report.mjs').Reporter} reporter
 * @throws {SetupError} SETUP_NO_PYTHON, SETUP_NO_COMPILER, SETUP_BUILD_FAILED
 */
export async function compileAddon(folder, options, reporter) {
  await requireBuildTools(reporter);
  const nodeGyp = inRoot('node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  const args = [nodeGyp, 'rebuild', ...headersOption(), ...options];
  const result = await capture(process.execPath, args, { cwd: folder });
  if (result.code === 0) return;
  throw new SetupError(
    'SETUP_BUILD_FAILED',
    `node-gyp could not build ${folder} (exit code ${result.code}):\n${lastLines(result.stderr, 15)}`,
    process.platform === 'win32'
      ? 'Install "Desktop development with C++" of the Visual Studio Build Tools, then: npm run setup'
      : `See the whole output: cd ${folder} && node ${nodeGyp} rebuild ${[...headersOption(), ...options].join(' ')}`,
  );
}

/** The running Node's own headers, where they are installed, save a download of them. */
function headersOption() {
  const prefix = dirname(dirname(realpathSync(process.execPath)));
  return existsSync(join(prefix, 'include', 'node', 'node.h')) ? [`--nodedir=${prefix}`] : [];
}

/**
 * Puts a folder's content below another one: hard links where both are on one disk, else copies.
 * What is there under the same name is replaced.
 * @param {string} from
 * @param {string} to
 */
export function placeTree(from, to) {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) {
      placeTree(source, target);
      continue;
    }
    rmSync(target, { force: true });
    if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else linkOrCopy(source, target);
  }
}

/**
 * @param {string} source
 * @param {string} target
 */
function linkOrCopy(source, target) {
  try {
    linkSync(source, target);
  } catch {
    copyFileSync(source, target, constants.COPYFILE_FICLONE);
  }
}
