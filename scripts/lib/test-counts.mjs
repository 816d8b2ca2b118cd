// Sums up what the test runners report. A runner that ends badly counts as a failure even if no test says so.

/**
 * @typedef {object} Counts
 * @property {number} passed
 * @property {number} failed
 * @property {number} [skipped]
 */

/**
 * @param {Counts} a
 * @param {Counts} b
 * @returns {Counts}
 */
export const addCounts = (a, b) => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: (a.skipped ?? 0) + (b.skipped ?? 0),
});

/**
 * The closing line of a test run.
 * @param {Counts} counts
 */
export const summary = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`;

/**
 * Counts single tests, and one failure for each file that could not even be loaded.
 * @param {{ testResults: { status: string, assertionResults: { status: string }[] }[] } | undefined} report
 *   Vitest's JSON report, undefined if it wrote none
 * @param {number} exitCode
 * @returns {Counts}
 */
export function countVitest(report, exitCode) {
  const files = report?.testResults ?? [];
  const tests = files.flatMap((file) => file.assertionResults);
  const is = (/** @type {string} */ status) =>
    tests.filter((test) => test.status === status).length;
  const unloadable = files.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((t) => t.status === 'failed'),
  );
  const failed = is('failed') + unloadable.length;
  const counts = {
    passed: is('passed'),
    failed,
    skipped: tests.length - is('passed') - is('failed'),
  };
  return withRunnerVerdict(counts, exitCode);
}

/**
 * @param {{ stats: { expected: number, unexpected: number, flaky: number, skipped: number }, errors: unknown[] } | undefined} report
 *   Playwright's JSON report, undefined if it wrote none
 * @param {number} exitCode
 * @returns {Counts}
 */
export function countPlaywright(report, exitCode) {
  if (!report) return withRunnerVerdict({ passed: 0, failed: 0 }, exitCode);
  const { expected, unexpected, flaky, skipped } = report.stats;
  const failed = unexpected + flaky + report.errors.length;
  return withRunnerVerdict({ passed: expected, failed, skipped }, exitCode);
}

/**
 * @param {Counts} counts
 * @param {number} exitCode
 */
function withRunnerVerdict(counts, exitCode) {
  const silent = counts.failed === 0 && (exitCode !== 0 || counts.passed === 0);
  return silent ? { ...counts, failed: 1 } : counts;
}
