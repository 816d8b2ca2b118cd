import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { capture, findProgram } from '../../scripts/lib/processes.mjs';
import { environmentWith, temporaryFolder } from './helpers';

const node = (script: string, options = {}): ReturnType<typeof capture> =>
  capture(process.execPath, ['-e', script], options);

/** Whether a process is there and running; one that was killed and not yet waited for counts as gone. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('capture', () => {
  it('keeps both outputs and the exit code', async () => {
    const script = "console.log('out'); console.error('err'); process.exitCode = 7";
    expect(await node(script)).toEqual({ code: 7, stdout: 'out\n', stderr: 'err\n' });
  });

  it('keeps the end of a long output', async () => {
    const { stdout } = await node("process.stdout.write('a'.repeat(50_000) + 'the end')");
    expect(stdout).toHaveLength(16_384);
    expect(stdout).toMatch(/the end$/);
  });

  it('answers 127 for a program that is not there, and 128 + n for a signal', async () => {
    expect((await capture('no-such-program', [])).code).toBe(127);
    expect((await node("process.kill(process.pid, 'SIGKILL')")).code).toBe(137);
  });

  it.runIf(process.platform === 'linux')(
    'ends the program and what it started when the time is over',
    async () => {
      const pidFile = join(temporaryFolder(), 'pid');
      const script =
        "const child = require('node:child_process').spawn('sleep', ['60']);" +
        `require('node:fs').writeFileSync(${JSON.stringify(pidFile)}, String(child.pid));` +
        'setTimeout(() => {}, 60_000);';
      expect((await node(script, { timeoutMs: 700 })).code).toBe(124);
      expect(isRunning(Number(readFileSync(pidFile, 'utf8')))).toBe(false);
    },
  );
});

describe('passThrough', () => {
  it('hands signals on and the exit code back', async () => {
    const module = pathToFileURL(inRoot('scripts', 'lib', 'processes.mjs')).href;
    const inner =
      "process.on('SIGTERM', () => process.exit(5));" +
      "process.stdout.write('ready'); setTimeout(() => {}, 60_000);";
    const outer =
      `import { passThrough } from ${JSON.stringify(module)};` +
      `process.exitCode = await passThrough(process.execPath, ['-e', ${JSON.stringify(inner)}]);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', outer]);
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(5);
  });
});

describe('findProgram', () => {
  it('takes the first name that is on the PATH', () => {
    const env = environmentWith('node');
    expect(findProgram(['no-such-program', 'node'], env)).toBe(join(env.PATH ?? '', 'node'));
    expect(findProgram(['no-such-program'], env)).toBeUndefined();
  });
});
