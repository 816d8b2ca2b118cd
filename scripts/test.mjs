// All tests: static checks, build, unit tests, end-to-end tests in a real Electron.
// `npm test -- check`, `-- unit` or `-- e2e` runs one stage. The last line is `N passed, N failed`.
import { existsSync, rmSync } from 'node:fs';
import { ALL_PARTS, buildIfStale } from './lib/build.mjs';
import { inRoot, root } from './lib/paths.mjs';
import { passThrough } from './lib/processes.mjs';
import { Reporter, SetupError } from './lib/report.mjs';
import { readJson } from './lib/state.mjs';
import { displayPrefix } from './lib/system.mjs';
import { addCounts, countPlaywright, countVitest, summary } from './lib/test-counts.mjs';
import { runChecks } from './check.mjs';
import { EVERYTHING, setUp, warnWithoutTensorflow } from './setup.mjs';

/** @typedef {import('./lib/test-counts.mjs').Counts} Counts */

const STAGES = /** @type {const} */ (['check', 'unit', 'e2e']);
const UNIT_RESULTS = inRoot('test-results', 'unit.json');
const E2E_RESULTS = inRoot('test-results', 'e2e.json');

/** Says "test the part that works without native TensorFlow" where it cannot be had. */
const WITHOUT_TENSORFLOW = 'SECATEUR_WITHOUT_TENSORFLOW';

// Everything goes to standard output, so that the order of the lines is kept where it is piped.
const reporter = new Reporter(process.stdout);

/** @type {Counts} */
let counts = { passed: 0, failed: 0, skipped: 0 };
try {
  await runStages(chosenStages(process.argv.slice(2)));
} catch (error) {
  reporter.failure(error);
  counts = addCounts(counts, { passed: 0, failed: 1 });
}
reporter.line(`\n${summary(counts)}`);
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;

/**
 * A stage that fails does not keep the next from running; without a build there is nothing to test.
 * @param {readonly string[]} stages
 */
async function runStages(stages) {
  const state = await setUp(EVERYTHING, reporter);
  requireTensorflow(state);
  if (stages.includes('check')) counts = addCounts(counts, await runChecks(reporter));
  if (stages.some((stage) => stage !== 'check')) await buildIfStale(ALL_PARTS, reporter);
  if (stages.includes('unit')) counts = addCounts(counts, await runUnitTests());
  if (stages.includes('e2e')) {
    counts = addCounts(counts, await runEndToEndTests(state.electron?.executable ?? ''));
  }
}

/**
 * @param {readonly string[]} args
 * @throws {SetupError} TEST_UNKNOWN_STAGE
 */
function chosenStages(args) {
  const unknown = args.find((arg) => !STAGES.some((stage) => stage === arg));
  if (unknown !== undefined) {
    throw new SetupError(
      'TEST_UNKNOWN_STAGE',
      `There is no test stage "${unknown}".`,
      `Stages: ${STAGES.join(', ')}; all of them without an argument. One file: npx vitest run <path>`,
    );
  }
  return args.length > 0 ? args : [...STAGES];
}

/**
 * Tests that would be left out must not look like tests that passed.
 * @param {import('./lib/state.mjs').SetupState} state
 * @throws {SetupError} what kept TensorFlow away
 */
function requireTensorflow(state) {
  if (!state.tensorflow || state.tensorflow.native) return;
  warnWithoutTensorflow(state, reporter);
  if (process.env[WITHOUT_TENSORFLOW]) return;
  throw new SetupError(
    state.tensorflow.code,
    'Without native TensorFlow a part of the tests cannot run.',
    `${state.tensorflow.hint} (To test the rest only, set ${WITHOUT_TENSORFLOW}=1.)`,
  );
}

/** @returns {Promise<Counts>} */
async function runUnitTests() {
  reporter.line('\nUnit tests');
  rmSync(UNIT_RESULTS, { force: true });
  const code = await passThrough(
    process.execPath,
    [
      ...[inRoot('node_modules', 'vitest', 'vitest.mjs'), 'run'],
      ...['--reporter=default', '--reporter=json', `--outputFile.json=${UNIT_RESULTS}`],
    ],
    { cwd: root },
  );
  return countVitest(existsSync(UNIT_RESULTS) ? readJson(UNIT_RESULTS) : undefined, code);
}

/**
 * @param {string} electron
 * @returns {Promise<Counts>}
 */
async function runEndToEndTests(electron) {
  reporter.line('\nEnd-to-end tests');
  rmSync(E2E_RESULTS, { force: true });
  const playwright = inRoot('node_modules', '@playwright', 'test', 'cli.js');
  const [command = '', ...args] = [
    ...(await displayPrefix(reporter)),
    ...[process.execPath, playwright, 'test'],
  ];
  const env = { ...process.env, SECATEUR_ELECTRON: electron };
  const code = await passThrough(command, args, { cwd: root, env });
  return countPlaywright(existsSync(E2E_RESULTS) ? readJson(E2E_RESULTS) : undefined, code);
}
