import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { bundle, childEnvironment } from '../bundle';

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

it.each([
  ['from batch to batch', {}],
  ['without a pause', { SECATEUR_TEST_BUSY: '1' }],
])('ends a worker that computes %s when its parent was killed', async (_, settings) => {
  const programs = join(import.meta.dirname, 'programs');
  const parentScript = await bundle(join(programs, 'parent.ts'));
  const workerScript = await bundle(join(programs, 'worker.ts'));
  const parent = spawn(process.execPath, [parentScript, workerScript], {
    env: { ...childEnvironment, ...settings },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void parent.kill('SIGKILL'));
  const pid = await new Promise<number>((resolve) => {
    createInterface({ input: parent.stdout }).once('line', (line) => resolve(Number(line)));
  });
  await sleep(500);
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 10_000 });
});
