// The Prune wizard beyond weights and MACs: ranking by images, limits on latency and on bytes of a precision,
// ceilings, schedules, and the table of a cut.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, saveInDialog, test } from './app';
import { openSample, openVersion, setNumber, step } from './window';

/** Chooses a segment: its radio button lies unseen under the words. */
async function pick(page: Page, group: string, title: string): Promise<void> {
  await page.getByRole('radiogroup', { name: group }).getByText(title, { exact: true }).click();
}

test('rank by images, limit latency and bytes, save the table', async ({
  bench,
  folder,
  sample,
}) => {
  test.setTimeout(300_000);
  const { app, page } = bench;
  await openSample(bench, sample);
  await openVersion(page, 'fashion-resnet');
  await page.getByRole('button', { name: 'Prune…' }).click();
  const preview = page.getByRole('complementary');

  await test.step('a measured method measures first, then previews', async () => {
    await page.getByRole('radio', { name: 'Taylor, first order' }).check();
    await expect(page.getByText(/Measuring channels on 512 images: \d+ of 512/)).toBeVisible();
    await expect(page.getByText(/Measuring channels/)).toBeHidden({ timeout: 60_000 });
    await expect(preview).toContainText('prunable layers cut');
    // Without data there is nothing to rank by, and the step says so.
    await page.getByLabel('Ranked on').selectOption({ label: 'Choose a data set' });
    await expect(page.getByText('needs a data set').first()).toBeVisible();
    await page.getByLabel('Ranked on').selectOption({ index: 1 });
    await expect(preview).toContainText('prunable layers cut');
  });

  await test.step('latency is guessed and said to be', async () => {
    await step(page, 'Target');
    await pick(page, 'Limit on', 'Latency');
    await expect(preview).toContainText('A guess that takes MACs for time');
  });

  await test.step('bytes are those of a precision', async () => {
    await pick(page, 'Limit on', 'Size');
    await pick(page, 'Stored as', 'int8');
    await expect(page.getByText('at most 142 kB of 283 kB of weights')).toBeVisible();
  });

  await test.step('steps go down as the schedule says', async () => {
    await pick(page, 'Limit on', 'MACs');
    await setNumber(page, 'In steps', 3);
    const steps = page.getByRole('list', { name: 'Left after each step' });
    await expect(steps).toContainText('Step 1: 83.3 %');
    await pick(page, 'Schedule', 'Cubic');
    await expect(steps).toContainText('Step 1: 64.8 %');
    await expect(steps).toContainText('Step 3: 50.0 %');
  });

  await test.step('a ceiling holds', async () => {
    const layer = 'stage1.block1.conv1';
    await page.getByLabel('Layer to limit').selectOption(layer);
    await page.getByRole('button', { name: 'Add ceiling' }).click();
    await setNumber(page, `Cut at most, per cent of ${layer}`, 0);
    await expect(preview).toContainText('at its ceiling');
  });

  await test.step('the table of the cut is saved', async () => {
    const file = join(folder, 'table.json');
    await saveInDialog(app, file);
    await page.getByRole('button', { name: 'Save table…' }).click();
    await expect(page.getByText('The table was saved')).toBeVisible();
    const table = JSON.parse(await readFile(file, 'utf8')) as Record<string, number>;
    expect(Object.keys(table).length).toBeGreaterThan(3);
    expect(Object.keys(table)).not.toContain('stage1.block1.conv1');
  });

  await test.step('the command says it all', async () => {
    await step(page, 'Run');
    await expect(
      page.getByText(/--method taylor .*--ceilings .*--steps 3 --schedule cubic --data fashion/),
    ).toBeVisible();
  });
});
