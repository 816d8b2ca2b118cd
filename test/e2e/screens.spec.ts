// Every screen, light and dark, at the smallest supported size: no serious accessibility problem, nothing that
// hangs over the window's edge, and the keyboard gets through the main wizard.

import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import { expect, test } from './app';
import { expectJobState, openSample, openVersion, step, versionRow } from './window';

/** What axe holds against the page as it is, in light and in dark. */
async function expectAccessible(page: Page, screen: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const { violations } = await new AxeBuilder({ page })
      .setLegacyMode()
      .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'])
      .analyze();
    const grave = violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html.slice(0, 160)) }));
    expect(grave, `${screen}, ${colorScheme}`).toEqual([]);
  }
  const wide = await page.evaluate(() => {
    const parts = Array.from(document.querySelectorAll('body, main, header, section'));
    const rights = parts.map((part) => part.getBoundingClientRect().right);
    return Math.max(...rights) - innerWidth;
  });
  expect(wide, `${screen}: wider than the window by`).toBeLessThanOrEqual(0);
}

test('every screen can be read and reached', async ({ bench }) => {
  test.setTimeout(600_000);
  const { app, page } = bench;
  await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.setSize(1000, 700));
  await expectAccessible(page, 'start page');

  await page.getByRole('button', { name: 'New project' }).click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await expectAccessible(page, 'new project');
  await page.keyboard.press('Escape');

  await openSample(page);
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
  await page.getByRole('button', { name: 'what changed' }).click();
  await expect(page.getByRole('table', { name: 'Layers of both versions' })).toBeVisible();
  await expectAccessible(page, 'what changed');
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

test('the prune wizard works by keyboard alone', async ({ bench }) => {
  const { page } = bench;
  await openSample(page);
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
});
