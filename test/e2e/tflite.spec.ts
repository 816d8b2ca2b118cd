// TFLite in the window: full int8 with the noise of each layer, a file of integers that is only shown, and batch norms that
// are put back on import.

import { join, resolve } from 'node:path';
import type { Page } from '@playwright/test';
import { chooseInDialog, expect, test } from './app';
import { expectJobsDone, openSample, openVersion, step } from './window';

const fixtures = resolve(__dirname, '..', 'fixtures', 'tflite');
const shots = process.env['SECATEUR_SHOTS'];

/** Chooses a segment: its radio button lies unseen under the words. */
async function pick(page: Page, group: string, title: string): Promise<void> {
  await page.getByRole('radiogroup', { name: group }).getByText(title, { exact: true }).click();
}

/** Pictures for the eye, where a folder for them is named. */
async function shoot(page: Page, name: string): Promise<void> {
  if (!shots) return;
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.screenshot({ path: join(shots, `${name}-${colorScheme}.png`) });
  }
}

test('export in full int8, look at an integer model, put batch norms back', async ({
  bench,
  sample,
}) => {
  test.setTimeout(300_000);
  const { app, page } = bench;
  await openSample(bench, sample);
  await openVersion(page, 'fashion-resnet');

  await test.step('int8 needs a data set, and says so', async () => {
    await page.getByRole('button', { name: 'Export…' }).click();
    await pick(page, 'Precision', 'full int8');
    await expect(page.getByText('Ranges are found on images.')).toBeVisible();
    await shoot(page, 'format');
    await step(page, 'Verification and folder');
    await pick(page, 'Inputs and outputs', 'int8');
    await page.getByLabel('Layers that stay float').fill('conv1');
    await shoot(page, 'options');
    await step(page, 'Run');
    await expect(page.getByText('with conv1 in float32')).toBeVisible();
  });

  await test.step('the export shows the noise of each layer, worst first', async () => {
    await page.getByRole('button', { name: 'Export', exact: true }).click();
    await expectJobsDone(page);
    await expect(page.getByText(/^Verified: the file (is as accurate|costs)/)).toBeVisible();
    const rows = page
      .getByRole('table', { name: 'Signal to noise of each layer' })
      .locator('tbody tr');
    await expect(rows).toHaveCount(8);
    const noise = (await rows.locator('td.num').allTextContents()).map(parseFloat);
    expect(noise).toEqual([...noise].sort((a, b) => a - b));
    await expect(page.getByText('conv1 (kept on request)')).toBeVisible();
    await shoot(page, 'result');
  });

  await test.step('a layer that is not there is refused, in red', async () => {
    await openVersion(page, 'fashion-resnet');
    await page.getByRole('button', { name: 'Export…' }).click();
    await pick(page, 'Precision', 'full int8');
    await step(page, 'Verification and folder');
    await page.getByLabel('Layers that stay float').fill('conv77');
    await step(page, 'Run');
    await page.getByRole('button', { name: 'Export', exact: true }).click();
    await expect(page.getByRole('alert')).toContainText('no layer "conv77"', { timeout: 60_000 });
  });

  await test.step('a model of integers is shown, not imported', async () => {
    await chooseInDialog(app, [join(fixtures, 'net-int8.tflite')]);
    await page.keyboard.press('Control+i');
    await page.getByRole('button', { name: 'Choose a file…' }).click();
    await step(page, 'What we found');
    await expect(page.getByText('This model computes with integers')).toBeVisible();
    await expect(page.getByRole('table', { name: 'Quantised tensors' })).toContainText('int8');
    await shoot(page, 'integers');
  });

  await test.step('batch norms are put back', async () => {
    await chooseInDialog(app, [join(fixtures, 'net-fp16.tflite')]);
    await step(page, 'Model');
    await page.getByRole('button', { name: 'Choose a file…' }).click();
    await step(page, 'What we found');
    await page.getByLabel('Put batch norms back').check();
    await shoot(page, 'norms');
    await step(page, 'Run');
    await page.keyboard.press('Control+Enter');
    await expectJobsDone(page);
    await openVersion(page, 'net-fp16');
    await pick(page, 'Layers shown', 'All 27');
    await expect(page.getByRole('rowheader', { name: /_bn batchNorm$/ }).first()).toBeVisible();
  });
});
