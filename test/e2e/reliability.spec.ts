// What happens when processes die and when files are bad: nothing is lost, and the window stays usable.

import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ElectronApplication, Page } from '@playwright/test';
import sharp from 'sharp';

import { chooseInDialog, expect, launch, quit, saveInDialog, test } from './app';
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

test('a worker that is killed fails its job; the next job runs', async ({ bench }) => {
  test.setTimeout(600_000);
  const { page, app } = bench;
  await openSample(page);
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
}) => {
  test.setTimeout(600_000);
  const first = await launch({ folder });
  await openSample(first.page);
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
    // What was there is whole.
    await openVersion(second.page, 'fashion-resnet');
    await expect(second.page.getByText('Damaged')).toHaveCount(0);
  } finally {
    await quit(second);
  }
});

async function pngNamedJson(folder: string): Promise<string> {
  const file = join(folder, 'picture', 'model.json');
  await mkdir(join(folder, 'picture'), { recursive: true });
  const image = sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } });
  await writeFile(file, await image.png().toBuffer());
  return file;
}

async function escapingModel(folder: string): Promise<string> {
  const file = join(folder, 'escape', 'model.json');
  await mkdir(join(folder, 'escape'), { recursive: true });
  const layer = {
    class_name: 'Dense',
    config: { name: 'fc', units: 2, batch_input_shape: [null, 3], use_bias: false },
  };
  const manifest = {
    format: 'layers-model',
    modelTopology: {
      model_config: { class_name: 'Sequential', config: { name: 'm', layers: [layer] } },
    },
    weightsManifest: [
      { paths: ['../x.bin'], weights: [{ name: 'fc/kernel', shape: [3, 2], dtype: 'float32' }] },
    ],
  };
  await writeFile(file, JSON.stringify(manifest));
  return file;
}

test('bad files are explained, and the window stays usable', async ({ bench, folder }) => {
  test.setTimeout(300_000);
  const { page, app } = bench;
  await saveInDialog(app, join(folder, 'projects', 'mine'));
  await page.getByRole('button', { name: 'New project' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('mine');
  await page.getByRole('dialog').getByRole('button', { name: 'Choose a folder…' }).click();
  await expect(page.getByText('mine').first()).toBeVisible();

  for (const [make, code] of [
    [pngNamedJson, 'MODEL_FORMAT_UNKNOWN'],
    [escapingModel, 'MODEL_UNSAFE_PATH'],
  ] as const) {
    await chooseInDialog(app, [await make(folder)]);
    await page.keyboard.press('Control+i');
    await page.getByRole('button', { name: 'Choose a file…' }).click();
    await expect(page.getByText(code)).toBeVisible({ timeout: 60_000 });
    await page.keyboard.press('Escape');
  }
});

test('a project in a folder that cannot be written is refused in words', async ({
  bench,
  folder,
}) => {
  const { page, app } = bench;
  // Below a file there can be no folder, not even for root.
  await writeFile(join(folder, 'file'), '');
  await saveInDialog(app, join(folder, 'file', 'project'));
  await page.getByRole('button', { name: 'New project' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('nowhere');
  await page.getByRole('dialog').getByRole('button', { name: 'Choose a folder…' }).click();
  await expect(page.getByText(/FILE_UN(READ|WRIT)ABLE|ALREADY_EXISTS/)).toBeVisible();
});
