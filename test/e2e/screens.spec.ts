// Every screen, light and dark, at the smallest supported size: no serious accessibility problem, nothing that
// hangs over the window's edge, and the keyboard gets through the main wizard.

import type { Page } from '@playwright/test';

import { expectAccessible } from './accessible';
import { expect, test } from './app';
import { expectJobState, makeSample, openSample, openVersion, step, versionRow } from './window';

test('every screen can be read and reached', async ({ bench }) => {
  test.setTimeout(600_000);
  const { app, page } = bench;
  await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.setSize(1000, 700));
  await expectAccessible(page, 'start page');

  await page.getByRole('button', { name: 'New project' }).click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await expectAccessible(page, 'new project');
  await page.keyboard.press('Escape');

  await makeSample(page);
  await expectAccessible(page, 'project');
  for (const [keys, name] of [
    ['Control+,', 'settings'],
    ['Control+/', 'keys'],
  ] as const) {
    await page.keyboard.press(keys);
    await expect(page.getByRole('dialog')).toBeVisible();
    await expectAccessible(page, name);
    await page.keyboard.press('Escape');
  }

  await openVersion(page, 'fashion-resnet');
  const tabs = await page.getByRole('tab').allInnerTexts();
  expect(tabs.length).toBeGreaterThanOrEqual(5);
  for (const [index, title] of tabs.entries()) {
    await page.getByRole('tab').nth(index).click();
    await expectAccessible(page, `version, ${title}`);
  }

  for (const [button, screen] of [
    ['Prune…', 'prune'],
    ['Fine-tune…', 'fine-tune'],
    ['Export…', 'export'],
  ] as const) {
    await openVersion(page, 'fashion-resnet');
    await page.getByRole('button', { name: button }).click();
    await eachStep(page, screen);
  }
  for (const [keys, screen] of [
    ['Control+i', 'import'],
    ['Control+d', 'add data'],
  ] as const) {
    await page.keyboard.press(keys);
    await eachStep(page, screen);
  }

  await page.keyboard.press('Control+k');
  await expect(page.getByRole('heading', { level: 1, name: 'Compare' })).toBeVisible();
  await expectAccessible(page, 'compare');

  // While a job runs, which tells what it does in the bars above and below, and once it has made something.
  await openVersion(page, 'fashion-resnet');
  await page.getByRole('button', { name: 'Prune…' }).click();
  await step(page, 'Run');
  await page.getByRole('button', { name: 'Start pruning' }).click();
  await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible();
  await expectAccessible(page, 'running job');
  await expect(page.getByRole('treeitem')).toHaveCount(2, { timeout: 60_000 });
  await page.getByRole('button', { name: 'Pause' }).click();
  await expectJobState(page, 'interrupted');
  await expectAccessible(page, 'paused job');
  await openVersion(page, 'fashion-resnet-l1-macs50');
  await page.getByRole('button', { name: 'More', exact: true }).click();
  await expectAccessible(page, 'menu of a version');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'what changed' }).click();
  await expect(page.getByRole('table', { name: 'Layers of both versions' })).toBeVisible();
  await expectAccessible(page, 'what changed');

  await page.keyboard.press('Control+k');
  for (const [title, ready] of [
    ['Figures', page.getByRole('table', { name: 'Versions compared with the baseline' })],
    ['Recovery', page.getByRole('heading', { name: 'fashion-resnet-l1-macs50', exact: true })],
    ['Learning curves', page.getByText('No curves yet')],
    ['Trajectory', page.getByText(/Pruning trajectory|No way to draw yet/)],
    ['Gammas', page.getByRole('img', { name: 'Histograms of gammas by version' })],
    ['Classes', page.getByText(/Change of each class|Not evaluated on the same images/)],
    ['Images', page.getByRole('list', { name: 'Images' })],
  ] as const) {
    await page.getByRole('tab', { name: title, exact: true }).click();
    await expect(ready.first()).toBeVisible({ timeout: 120_000 });
    await expectAccessible(page, `compare, ${title}`);
  }
});

async function eachStep(page: Page, screen: string): Promise<void> {
  const steps = page.getByRole('navigation', { name: 'Steps' }).getByRole('button');
  for (let index = 0; index < (await steps.count()); index++) {
    if (await steps.nth(index).isDisabled()) continue;
    await steps.nth(index).click();
    await expectAccessible(page, `${screen}, step ${index + 1}`);
  }
  await page.keyboard.press('Escape');
}

test('the prune wizard works by keyboard alone', async ({ bench, sample }) => {
  const { page } = bench;
  await openSample(bench, sample);
  await versionRow(page, 'fashion-resnet').focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'fashion-resnet' })).toBeVisible();
  await page.keyboard.press('Control+p');
  for (const title of ['Method', 'Target', 'Recovery', 'Run']) {
    await expect(page.getByRole('heading', { level: 2, name: title })).toBeVisible();
    if (title !== 'Run') await page.keyboard.press('Control+Enter');
  }
  await step(page, 'Recovery');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('heading', { level: 1, name: 'fashion-resnet' })).toBeVisible();

  // What was entered is still there, and still makes a request.
  await page.keyboard.press('Control+p');
  await step(page, 'Target');
  await page.getByRole('slider', { name: 'Keep at most' }).fill('30');
  await step(page, 'Run');
  await expect(page.getByText(/--method l1 --macs 0\.3 /)).toBeVisible();
});
