// Static checks: types of both sides, Svelte components, lint, formatting.
import { pathToFileURL } from 'node:url';
import { inRoot, root } from './lib/paths.mjs';
import { capture } from './lib/processes.mjs';
import { runMain } from './lib/report.mjs';
import { setUp } from './setup.mjs';

const tool = (/** @type {string[]} */ ...path) => inRoot('node_modules', ...path);
const tsc = tool('typescript', 'bin', 'tsc');

/** Each runs on Node alone: a program and its arguments. The longest come first. */
const CHECKS = {
  lint: [tool('eslint', 'bin', 'eslint.js'), '--max-warnings', '0', '.'],
  'types of the main side': [tsc, '--noEmit', '-p', 'tsconfig.node.json'],
  'types of the renderer': [tsc, '--noEmit', '-p', 'tsconfig.web.json'],
  'types of the end-to-end tests': [tsc, '--noEmit', '-p', 'tsconfig.e2e.json'],
  'svelte components': [
    tool('svelte-check', 'bin', 'svelte-check'),
    ...['--tsconfig', 'tsconfig.web.json', '--fail-on-warnings', '--output', 'human'],
  ],
  formatting: [tool('prettier', 'bin', 'prettier.cjs'), '--check', '--log-level', 'warn', '.'],
};
const AT_ONCE = 2;

/**
 * Runs all checks, two at a time, and prints the output of those that fail.
 * @param {import('./lib/report.mjs').Reporter} reporter
 * @returns {Promise<{ passed: number, failed: number }>}
 */
export async function runChecks(reporter) {
  const waiting = Object.entries(CHECKS);
  const counts = { passed: 0, failed: 0 };
  const lane = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [name, args] = next;
      if (await runCheck(name, args, reporter)) counts.passed++;
      else counts.failed++;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return counts;
}

/**
 * @param {string} name
 * @param {readonly string[]} args
 * @param {import('./lib/report.mjs').Reporter} reporter
 */
async function runCheck(name, args, reporter) {
  let output = '';
  try {
    await reporter.step(`check ${name}`, async () => {
      const result = await capture(process.execPath, args, { cwd: root });
      output = `${result.stdout}${result.stderr}`;
      if (result.code !== 0) throw new Error(name);
    });
    return true;
  } catch {
    reporter.line(output.trimEnd());
    return false;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await runMain(async (reporter) => {
    await setUp({}, reporter);
    const { passed, failed } = await runChecks(reporter);
    reporter.line(`${passed} checks passed, ${failed} failed`);
    return failed === 0 ? 0 : 1;
  });
}
