// Runs the benchmarks in test/bench: `npm run bench -- [name ...]`.
// Prints a table on standard error and the results as JSON on standard output (also out/bench/results.json).
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { basename } from 'node:path';
import { inRoot, root } from './lib/paths.mjs';
import { capture, passThrough } from './lib/processes.mjs';
import { lastLines } from './lib/npm.mjs';
import { runMain, SetupError } from './lib/report.mjs';
import { readJson } from './lib/state.mjs';
import { setUp, warnWithoutTensorflow } from './setup.mjs';

const ENDING = '.bench.ts';

/**
 * @typedef {{ label: string, value: number | null, unit: string, note?: string }} Figure
 * @typedef {{ name: string, figures: Figure[] }} Result
 */

await runMain(async (reporter) => {
  warnWithoutTensorflow(await setUp({ native: true }, reporter), reporter);
  const names = chosenBenches(process.argv.slice(2));
  await reporter.step('build the benchmarks', () => build(names));
  mkdirSync(inRoot('out', 'bench'), { recursive: true });
  /** @type {Result[]} */
  const results = [];
  let failures = 0;
  for (const name of names) {
    reporter.line(`\n${name}`);
    const result = await runBench(name);
    if (!result) {
      failures++;
      reporter.line('  failed');
      continue;
    }
    results.push(result);
    for (const figure of result.figures) reporter.line(row(figure));
  }
  const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: availableParallelism() };
  const json = JSON.stringify({ machine, node: process.version, results }, null, 2);
  writeFileSync(inRoot('out', 'bench', 'results.json'), `${json}\n`);
  process.stdout.write(`${json}\n`);
  return failures === 0 ? 0 : 1;
});

/**
 * @param {readonly string[]} asked
 * @returns {string[]}
 * @throws {SetupError} BENCH_UNKNOWN
 */
function chosenBenches(asked) {
  const all = readdirSync(inRoot('test', 'bench'))
    .filter((file) => file.endsWith(ENDING))
    .map((file) => basename(file, ENDING));
  const unknown = asked.find((name) => !all.includes(name));
  if (unknown !== undefined) {
    throw new SetupError(
      'BENCH_UNKNOWN',
      `There is no benchmark "${unknown}".`,
      `Benchmarks: ${all.join(', ')}`,
    );
  }
  return asked.length > 0 ? [...asked] : all;
}

/** @param {readonly string[]} names */
async function build(names) {
  const script = inRoot('scripts', 'lib', 'build-bench.mjs');
  const files = names.map((name) => inRoot('test', 'bench', name + ENDING));
  const result = await capture(process.execPath, [script, ...files], { cwd: root });
  if (result.code === 0) return;
  throw new SetupError(
    'BUILD_FAILED',
    `The benchmarks do not build:\n${lastLines(result.stderr, 30)}`,
    'npm run check says more about what is wrong in the sources.',
  );
}

/**
 * Runs one benchmark in its own process: a backend keeps threads and memory for as long as its process lives.
 * @param {string} name
 * @returns {Promise<Result | undefined>} undefined if it failed; its own words are on standard error
 */
async function runBench(name) {
  const bundle = inRoot('out', 'bench-bundles', `${name}.js`);
  const report = inRoot('out', 'bench', `${name}.json`);
  const script = inRoot('scripts', 'lib', 'run-bench.mjs');
  const code = await passThrough(process.execPath, [script, bundle, report], { stdout: 2 });
  return code === 0 ? readJson(report) : undefined;
}

/** @param {Figure} figure */
function row({ label, value, unit, note }) {
  const figures = (value === null ? '-' : digits(value)).padStart(12);
  return `  ${label.padEnd(52)} ${figures} ${unit.padEnd(8)} ${note ?? ''}`.trimEnd();
}

/** @param {number} value */
function digits(value) {
  return value.toFixed(Math.abs(value) >= 100 ? 0 : 2);
}
