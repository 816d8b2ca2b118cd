import { describe, expect, it } from 'vitest';
import {
  addCounts,
  countPlaywright,
  countVitest,
  summary,
} from '../../scripts/lib/test-counts.mjs';

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((test) => ({ status: test })),
});

describe('countVitest', () => {
  it('counts tests', () => {
    const report = { testResults: [file('passed', 'passed', 'passed', 'pending')] };
    expect(countVitest(report, 0)).toEqual({ passed: 2, failed: 0, skipped: 1 });
  });

  it('counts a file that could not be loaded', () => {
    const report = { testResults: [file('passed', 'passed'), file('failed')] };
    expect(countVitest(report, 1)).toEqual({ passed: 1, failed: 1, skipped: 0 });
  });

  it.each([
    ['an error outside of any test', { testResults: [file('passed', 'passed')] }, 1],
    ['no test at all', { testResults: [] }, 0],
    ['no report', undefined, 137],
  ])('counts %s as a failure', (_, report, exitCode) => {
    expect(countVitest(report, exitCode).failed).toBe(1);
  });
});

describe('countPlaywright', () => {
  const stats = { expected: 3, unexpected: 0, flaky: 0, skipped: 0 };

  it('counts tests; a flaky one has failed', () => {
    expect(countPlaywright({ stats, errors: [] }, 0)).toEqual({ passed: 3, failed: 0, skipped: 0 });
    const shaky = { stats: { ...stats, unexpected: 1, flaky: 1, skipped: 2 }, errors: [] };
    expect(countPlaywright(shaky, 1)).toEqual({ passed: 3, failed: 2, skipped: 2 });
  });

  it('counts errors outside of any test, and a missing report', () => {
    expect(countPlaywright({ stats, errors: ['boom'] }, 1).failed).toBe(1);
    expect(countPlaywright(undefined, 0).failed).toBe(1);
  });
});

describe('summary', () => {
  it('names skipped tests only if there are any', () => {
    const counts = addCounts({ passed: 5, failed: 0 }, { passed: 7, failed: 1, skipped: 0 });
    expect(summary(counts)).toBe('12 passed, 1 failed');
    expect(summary({ passed: 1, failed: 0, skipped: 2 })).toBe('1 passed, 0 failed, 2 skipped');
  });
});
