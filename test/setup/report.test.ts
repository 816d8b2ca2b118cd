import { describe, expect, it } from 'vitest';
import { formatDuration, SetupError } from '../../scripts/lib/report.mjs';
import { recordingReporter } from './helpers';

describe('Reporter', () => {
  it('prints one line per step, with its time and outcome', async () => {
    const { reporter, lines } = recordingReporter();
    await reporter.step('do this', () => 1);
    await expect(reporter.step('do that', () => Promise.reject(new Error('no')))).rejects.toThrow();
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^ {2}ok {2}do this \(0\.0 s\)\n$/);
    expect(lines[1]).toMatch(/^ {2}-- {2}do that \(failed after 0\.0 s\)\n$/);
  });

  it('prints a failure with its code and its hint', () => {
    const { reporter, lines } = recordingReporter();
    reporter.failure(new SetupError('SETUP_X', 'it is broken', 'mend it'));
    expect(lines.join('')).toBe('error: SETUP_X: it is broken\nhint: mend it\n');
  });

  it('tells a full disk from a bug', () => {
    const { reporter, lines } = recordingReporter();
    reporter.failure(Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' }));
    reporter.failure(new TypeError('x is not a function'));
    expect(lines.join('')).toContain('error: SETUP_DISK_FULL: ');
    expect(lines.join('')).toContain('error: SETUP_UNEXPECTED: TypeError: x is not a function');
  });
});

describe('formatDuration', () => {
  it.each([
    [340, '0.3 s'],
    [9_940, '9.9 s'],
    [12_400, '12 s'],
    [87_700, '1 min 28 s'],
  ])('%i ms is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});
