// Sensitivity in the window: measured, cancelled, gone on with, read off, and pruned by.

import { expect, test } from './app';
import { expectJobsDone, expectJobState, openSample, openVersion, setNumber } from './window';

test('a sensitivity map grows on its tab, survives a cancel, and prunes', async ({
  bench,
  sample,
}) => {
  test.setTimeout(300_000);
  const { page } = bench;
  await openSample(bench, sample);
  await openVersion(page, 'fashion-resnet');

  await page.getByRole('button', { name: 'Prune…' }).click();
  await page
    .getByRole('navigation', { name: 'Steps' })
    .getByRole('button', { name: /Target/ })
    .click();
  await expect(page.getByRole('radio', { name: 'By sensitivity' })).toBeDisabled();
  await page.getByRole('button', { name: 'Measure sensitivity…' }).click();

  await expect(page.getByRole('heading', { name: 'Sensitivity not measured yet' })).toBeVisible();
  await setNumber(page, 'Images', 60);
  await page.getByRole('checkbox', { name: 'Recalibrate batch norm' }).uncheck();
  await expect(page.getByText(/108 candidates, in the order of/)).toBeVisible();
  await page.getByRole('button', { name: 'Measure sensitivity' }).click();
  const progress = page.getByRole('region', { name: 'Progress' });
  await expect(progress.getByText(/1\d of 109/)).toBeVisible({ timeout: 60_000 });
  await progress.getByRole('button', { name: 'Cancel' }).click();
  await expectJobState(page, 'cancelled');

  const remark = page.getByText(/\d+ of 108 points are measured/);
  await expect(remark).toBeVisible();
  const measured = Number(/\d+/.exec((await remark.textContent()) ?? '')?.[0]);
  expect(measured).toBeGreaterThan(5);
  await expect(page.getByRole('button', { name: 'Prune by sensitivity…' })).toBeDisabled();
  await page.getByRole('button', { name: 'Go on' }).click();
  await expectJobsDone(page);
  await expect(page.getByText(/points are measured/)).toBeHidden();

  const cells = page.getByRole('gridcell');
  await expect(cells).toHaveCount(12 * 9);
  await cells.first().focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowRight');
  await expect(cells.nth(10)).toBeFocused();
  const name = (await cells.nth(10).getAttribute('aria-label')) ?? '';
  expect(name).toMatch(
    /^stage1\.block1\.conv1 at 13 of 16 channels: [−+]?\d+\.\d pt, [\d.]+\s%, loss/,
  );
  await expect(page.getByText(name)).toBeVisible();

  await page.getByRole('button', { name: 'Prune by sensitivity…' }).click();
  await expect(page.getByRole('radio', { name: 'By sensitivity' })).toBeChecked();
  await expect(page.getByText(/layers cut$/)).toBeVisible();
  await expect(page.getByText(/60 images of fashion/)).toBeVisible();
});
