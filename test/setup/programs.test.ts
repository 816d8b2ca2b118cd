// The scripts as programs, in this checkout, which is set up when tests run.
import { describe, expect, it } from 'vitest';
import { inRoot, root } from '../../scripts/lib/paths.mjs';
import { capture } from '../../scripts/lib/processes.mjs';

const script = (name: string, ...args: string[]): ReturnType<typeof capture> =>
  capture(process.execPath, [inRoot('scripts', name), ...args], { cwd: root });

describe('setup', () => {
  it('has nothing to do a second time', async () => {
    const { code, stderr } = await script('setup.mjs');
    expect(code).toBe(0);
    expect(stderr).toMatch(/^Electron \d+\.\d+\.\d+: /);
    expect(stderr).not.toContain('Setting up');
  });
});

describe('test', () => {
  it('refuses a stage that it does not know, and counts that as a failure', async () => {
    const { code, stdout } = await script('test.mjs', 'nonsense');
    expect(code).toBe(1);
    expect(stdout).toContain('error: TEST_UNKNOWN_STAGE: ');
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('0 passed, 1 failed');
  });
});

describe('bench', () => {
  it('refuses a benchmark that it does not know', async () => {
    const { code, stdout, stderr } = await script('bench.mjs', 'nonsense');
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain('error: BENCH_UNKNOWN: ');
  });
});

describe('cli', () => {
  it('hands output and exit code through, and adds nothing to standard output', async () => {
    const good = await script('cli.mjs', '--version');
    expect(good).toMatchObject({ code: 0, stdout: '0.1.0\n' });

    const bad = await script('cli.mjs', 'inspect', 'no-such-file', '--json');
    expect(bad.code).not.toBe(0);
    expect(JSON.parse(bad.stdout)).toHaveProperty('error.code');
  }, 120_000);
});
