// What happens when processes die: nothing is lost, and the window stays usable.

import { execFileSync } from 'node:child_process';
import type { ElectronApplication, Page } from '@playwright/test';

import { expect, launch, quit, test } from './app';
import { expectJobsDone, expectJobState, openSample, openVersion, setNumber, step } from './window';

/** Starts a fine-tuning of the sample that would take minutes, and waits until it trains. */
async function startLongTraining(page: Page): Promise<void> {
  await openVersion(page, 'fashion-resnet');
  await page.getByRole('button', { name: 'Fine-tune…' }).click();
  await step(page, 'Options');
  await setNumber(page, 'Epochs', 50);
  await step(page, 'Run');
  await page.getByRole('button', { name: 'Start training' }).click();
  await expectJobState(page, 'running');
  // A metric has come: the worker is in the step loop.
  await expect(page.getByRole('region', { name: 'Training curves' })).toContainText(/loss/i, {
    timeout: 120_000,
  });
}

/** Process ids of the running job workers; the analyst and the probe of the backend are none. */
function workers(app: ElectronApplication): Promise<number[]> {
  return app.evaluate(({ app: electron }) =>
    electron
      .getAppMetrics()
      .filter(({ name, serviceName }) => /secateur-train-/.test(`${name} ${serviceName}`))
      .map(({ pid }) => pid),
  );
}

function isAlive(pid: number): boolean {
  try {
    // A zombie is gone as far as anyone is concerned.
    return !/\bZ/.test(execFileSync('ps', ['-o', 'stat=', '-p', String(pid)]).toString());
  } catch {
    return false;
  }
}

test('a worker that is killed fails its job; the next job runs', async ({ bench, sample }) => {
  test.setTimeout(600_000);
  const { page, app } = bench;
  await openSample(bench, sample);
  await startLongTraining(page);
  const [pid] = await workers(app);
  expect(pid).toBeDefined();
  process.kill(pid ?? 0, 'SIGKILL');
  await expectJobState(page, 'failed');
  await expect(page.getByText('WORKER_CRASHED')).toBeVisible();
  await expect(page.getByRole('treeitem')).toHaveCount(1);

  await openVersion(page, 'fashion-resnet');
  await page.getByRole('button', { name: 'Measure' }).click();
  await page.getByRole('menuitem').first().click();
  await expectJobsDone(page);
});

test('an app that is killed leaves no worker behind; the job is shown as interrupted', async ({
  folder,
  sample,
}) => {
  test.setTimeout(600_000);
  const first = await launch({ folder });
  await openSample(first, sample);
  await startLongTraining(first.page);
  const orphans = await workers(first.app);
  expect(orphans).toHaveLength(1);
  first.app.process().kill('SIGKILL');
  await expect.poll(() => orphans.filter(isAlive), { timeout: 5_000 }).toEqual([]);

  const second = await launch({ folder });
  try {
    await second.page.getByRole('button', { name: /Fashion sample/ }).click();
    await expectJobState(second.page, 'interrupted');
    await expect(second.page.getByText('Interrupted').first()).toBeVisible();
    // It goes on (from which epoch, resume.test.ts looks at), and can be paused.
    await second.page.getByRole('button', { name: 'Resume' }).first().click();
    await expectJobState(second.page, 'running');
    await second.page.getByRole('button', { name: 'Pause' }).click();
    await expectJobState(second.page, 'interrupted');
    // What was there is whole.
    await openVersion(second.page, 'fashion-resnet');
    await expect(second.page.getByText('Damaged')).toHaveCount(0);
  } finally {
    await quit(second);
  }
});
