// Choices of structure in the Prune wizard: only where the model has them, with what each comes to.

import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { chooseInDialog, expect, secateur, test } from './app';
import { openVersion, step } from './window';

async function openPrune(page: Page, version: string): Promise<void> {
  await openVersion(page, version);
  await page.getByRole('button', { name: 'Prune…' }).click();
  await step(page, 'Target');
}

test('a trunk that batch norms read can be selected from', async ({ bench, folder }) => {
  test.setTimeout(180_000);
  const { app, page } = bench;
  const project = join(folder, 'made');
  await secateur('create', project);
  for (const id of ['densenet40-cifar', 'lenet5']) {
    const model = join(folder, id);
    await secateur('zoo', 'write', id, model);
    await secateur('import', project, join(model, 'model.json'), '--name', id);
  }
  await chooseInDialog(app, [project]);
  await page.getByRole('button', { name: 'Open project', exact: true }).click();

  await openPrune(page, 'lenet5');
  await expect(page.getByText(/layers cut$/)).toBeVisible();
  await expect(page.getByRole('radiogroup', { name: 'Shared trunk' })).toBeHidden();

  await page.keyboard.press('Escape');
  await openPrune(page, 'densenet40-cifar');
  const trunk = page.getByRole('radiogroup', { name: 'Shared trunk' });
  await expect(trunk.getByText(/MACs, .* parameters\./)).toHaveCount(2);
  await expect(page.getByRole('radiogroup', { name: 'Grouped convolutions' })).toBeHidden();
  await trunk.getByRole('radio', { name: 'Select for each reader' }).check();
  await expect(page.getByText('trunk stays').first()).toBeVisible();
  await step(page, 'Run');
  await expect(page.getByText(/--trunk select/)).toBeVisible();
});
