// A pruning with its controls: from one tick in the wizard to the verdict, and what the Compare page shows of it all.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ElectronApplication, Page } from '@playwright/test';
import sharp from 'sharp';

import { expectAccessible } from './accessible';
import { expect, saveInDialog, test } from './app';
import { expectJobsDone, openSample, openVersion, setNumber, step } from './window';

/** Saves a chart in a format and reads the file. */
async function saved(
  app: ElectronApplication,
  page: Page,
  { title, format, folder }: { title: string; format: 'CSV' | 'SVG' | 'PNG'; folder: string },
): Promise<Buffer> {
  const path = join(folder, `${title}.${format.toLowerCase()}`);
  await saveInDialog(app, path);
  await page.getByRole('button', { name: `Save ${title}` }).click();
  await page.getByRole('menuitem', { name: `Save as ${format}` }).click();
  await expect(page.getByText(`${title} was saved`).last()).toBeVisible();
  // The words may be those of a save before; the file is put in its place whole.
  await expect.poll(() => existsSync(path)).toBe(true);
  return readFile(path);
}

/** What every saved picture must be: whole by itself. */
async function expectPicture(svg: string, png: Buffer, title: string): Promise<void> {
  expect(svg).toContain(`>${title}</text>`);
  expect(svg).not.toMatch(/var\(|class=|light-dark|NaN/);
  const { width = 0, height = 0 } = await sharp(png).metadata();
  const [, w, h] = /^<svg [^>]*?width="(\d+)" height="(\d+)"/.exec(svg) ?? [];
  expect([width, height]).toEqual([2 * Number(w), 2 * Number(h)]);
  // Drawn with more than a background: many colours, and text where the title is.
  const { channels } = await sharp(png).extract({ left: 0, top: 0, width, height: 80 }).stats();
  expect(Math.max(...channels.slice(0, 3).map(({ stdev }) => stdev))).toBeGreaterThan(2);
}

test('controls lead to a verdict, and versions are compared in every way', async ({
  bench,
  folder,
  sample,
}) => {
  test.setTimeout(600_000);
  const { app, page } = bench;
  await openSample(bench, sample);
  await openVersion(page, 'fashion-resnet');

  await page.getByRole('button', { name: 'Prune…' }).click();
  await step(page, 'Recovery');
  await setNumber(page, 'Epochs', 1);
  await page.getByRole('button', { name: 'More options' }).click();
  await setNumber(page, 'Images an epoch', 384);
  await page.getByRole('checkbox', { name: /from scratch as a control/ }).check();
  // How long the original was trained is not known of an imported one: the wizard asks.
  const steps = page.getByRole('navigation', { name: 'Steps' });
  await expect(steps.getByText('say how long the original was trained')).toBeVisible();
  await page.getByText('Both', { exact: true }).click();
  await setNumber(page, 'Epochs of the original', 1);
  await expect(page.getByText(/^Scratch-B 2 epochs, about/)).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText(/^Scratch-E 1 epoch, about/)).toBeVisible();
  await step(page, 'Run');
  await expect(page.getByText(/--scratch e,b --scratch-epochs 1/)).toBeVisible();
  await page.getByRole('button', { name: 'Start pruning' }).click();
  await expectJobsDone(page);

  await openVersion(page, 'fashion-resnet-l1-macs50-tuned');
  const verdict = page.getByRole('note', { name: 'Verdict' });
  await expect(verdict).toContainText('Scratch-B, 2 epochs');
  await expect(verdict).toContainText('that chance explains on 2,000 images');
  await expectAccessible(page, 'version with a verdict');
  await verdict.getByRole('button', { name: 'All stages' }).click();
  const table = page.getByRole('table', { name: 'Stages of fashion-resnet-l1-macs50' });
  await expect(table.getByRole('rowheader')).toHaveText([
    ...['Raw cut', 'BN recalibrated', 'Fine-tuned', 'Scratch-E', 'Scratch-B'],
  ]);
  await expectAccessible(page, 'recovery');

  const title = 'Accuracy of fashion-resnet-l1-macs50 by stage';
  const svg = (await saved(app, page, { title, format: 'SVG', folder })).toString();
  const png = await saved(app, page, { title, format: 'PNG', folder });
  await expectPicture(svg, png, title);
  expect(svg).toContain('Within chance of fine-tuned');
  const csv = (await saved(app, page, { title, format: 'CSV', folder })).toString();
  const lines = csv.trim().split('\r\n');
  expect(lines[0]).toBe('stage,versions,epochs,top-1,spread,runs');
  expect(lines.map((line) => line.split(',')[0])).toContain('Scratch-B');

  await page.getByRole('tab', { name: 'Learning curves' }).click();
  for (const name of ['tuned', 'scratch-e', 'scratch-b']) {
    const chip = page.getByRole('button', { name: `fashion-resnet-l1-macs50-${name}` });
    await expect(chip).toHaveAttribute('aria-pressed', 'true');
  }
  const curves = { title: 'Validation accuracy', folder };
  await expectPicture(
    (await saved(app, page, { ...curves, format: 'SVG' })).toString(),
    await saved(app, page, { ...curves, format: 'PNG' }),
    curves.title,
  );
  await expectAccessible(page, 'learning curves');

  await page.getByRole('tab', { name: 'Trajectory' }).click();
  await page.getByRole('button', { name: /^fashion-resnet-l1-macs50-tuned: / }).focus();
  await expect(page.getByText(/Fine-tuned, 15\.\d\sM MACs/)).toBeVisible();

  await page.getByRole('tab', { name: 'Gammas' }).click();
  await expect(page.getByRole('img', { name: 'Histograms of gammas by version' })).toBeVisible();
  await page.getByRole('button', { name: 'Show Gammas of batch norm as a table' }).click();
  await expect(page.getByRole('columnheader', { name: 'gamma from' })).toBeVisible();

  await page.getByRole('tab', { name: 'Classes' }).click();
  await page
    .getByRole('combobox', { name: 'to' })
    .selectOption({ label: 'fashion-resnet-l1-macs50' });
  await expect(page.getByRole('img', { name: /^Recall of each class/ })).toBeVisible();

  await page.getByRole('tab', { name: 'Images' }).click();
  const images = page.getByRole('list', { name: 'Images' }).getByRole('listitem');
  await expect(images).toHaveCount(48, { timeout: 120_000 });
  await expect(images.first()).toContainText(/was\s+✓\s+\d+\s%.*now\s+✗\s+\d+\s%/s);
  const lost = Number((await page.getByText(/Lost [\d,]+/).innerText()).replace(/\D/g, ''));
  await page.getByRole('button', { name: 'Next', exact: true }).click();
  await expect(page.getByText(`49 to ${Math.min(96, lost)} of `)).toBeVisible();
  await page.getByRole('combobox', { name: 'Class' }).selectOption({ label: 'Bag' });
  await expect(images.first()).toContainText('Bag');
  await expect(images.first()).toContainText(/was\s+✓/);
  await expectAccessible(page, 'flipped images');
  await page.getByText(/Gained [\d,]+/).click();
  await expect(images.first().or(page.getByText('No image of this kind.')).first()).toBeVisible();

  await page.getByRole('button', { name: 'All jobs' }).click();
  await page
    .getByText(/from scratch for 2 epochs \(Scratch-B\)/)
    .last()
    .click();
  const slider = page.getByRole('slider', { name: 'Epoch of the histogram' });
  await slider.press('Home');
  await expect(page.getByRole('img', { name: /gammas before the first epoch$/ })).toBeVisible();
  await expectAccessible(page, 'job with gammas');
  expect(bench.errors).toEqual([]);
});

test('recalibration is a step of its own', async ({ bench, sample }) => {
  test.setTimeout(300_000);
  const { page } = bench;
  await openSample(bench, sample);
  await openVersion(page, 'fashion-resnet');
  await page.getByRole('button', { name: 'More', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Recalibrate BN on fashion' }).click();
  await expectJobsDone(page);
  await openVersion(page, 'fashion-resnet-recalibrated');
  await expect(page.getByText(/^BN recalibrated from/)).toBeVisible();
  await expect(page.getByRole('main').getByText('fashion, test, 2,000 images')).toBeVisible();
});
