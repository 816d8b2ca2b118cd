// Data with several labels an image: from the folder with its table to the figures of a trained version, in the window.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';

import { chooseInDialog, expect, secateur, test } from './app';
import { expectJobsDone, openVersion, setNumber, step } from './window';

const side = 12;

/** Grey images that are bright above, below or both, in three splits. */
async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder);
  const lines = ['file,labels,split'];
  for (let i = 0; i < 40; i++) {
    const [above, below] = [(i & 1) > 0, (i & 2) > 0];
    const pixels = Uint8Array.from({ length: side * side }, (_, at) =>
      (at < (side * side) / 2 ? above : below) ? 210 : 25,
    );
    const raw = { width: side, height: side, channels: 1 } as const;
    const image = sharp(pixels, { raw }).png();
    await image.toFile(join(folder, `${i}.png`));
    const labels = [above ? 'above' : '', below ? 'below' : ''].filter(Boolean).join(';');
    lines.push(`${i}.png,${labels},${['train', 'train', 'train', 'val', 'test'][(i >> 2) % 5]}`);
  }
  await writeFile(join(folder, 'labels.csv'), `${lines.join('\n')}\n`);
}

test('several labels an image are added, learned and compared', async ({ bench, folder }) => {
  test.setTimeout(300_000);
  const { app, page } = bench;
  const [project, model, images] = [join(folder, 'made'), join(folder, 'net'), join(folder, 'sky')];
  await secateur('create', project);
  await secateur('zoo', 'write', 'lenet5', model, '--input', '12,12,1', '--classes', '2');
  await secateur('import', project, join(model, 'model.json'), '--name', 'net');
  await makeFolder(images);
  await chooseInDialog(app, [project]);
  await page.getByRole('button', { name: 'Open project', exact: true }).click();
  await openVersion(page, 'net');

  await page.keyboard.press('Control+d');
  await expect(page.getByText(/labels\.csv with the columns file and labels/)).toBeVisible();
  await chooseInDialog(app, [images]);
  await page.getByRole('button', { name: 'Choose a folder…' }).click();
  await step(page, 'Run');
  await page.getByRole('button', { name: 'Add the data set' }).click();
  await expectJobsDone(page);
  await page.getByRole('navigation', { name: 'Project' }).getByText('sky', { exact: true }).click();
  const pictures = page.getByRole('listitem').filter({ has: page.locator('img') });
  await expect(pictures).toHaveCount(24);
  await expect(pictures.nth(0)).toHaveText('no label');
  await expect(pictures.nth(3)).toHaveText('above, below');

  await openVersion(page, 'net');
  await page.getByRole('button', { name: 'Fine-tune…' }).click();
  await step(page, 'Options');
  await setNumber(page, 'Epochs', 1);
  await step(page, 'Run');
  await page.getByRole('textbox', { name: 'Name' }).fill('learned');
  await page.getByRole('button', { name: 'Start training' }).click();
  await expectJobsDone(page);

  await openVersion(page, 'learned');
  await page.getByRole('tab', { name: 'Accuracy' }).click();
  const share = /^\d+\.\d\d\s%$/;
  const figures = page.getByRole('tabpanel');
  await expect(figures.getByText('Macro-F1', { exact: true })).toBeVisible();
  await expect(figures.getByText(share).first()).toBeVisible();
  const each = page.getByRole('table', { name: 'Each label' });
  await expect(each.getByRole('rowheader')).toHaveText(['above', 'below']);
  await expect(pictures).toHaveCount(8);
  await expect(pictures.nth(3)).toHaveText(/^\s*above, below\s*(✓|✗ \S.*)$/);

  await page.keyboard.press('Control+k');
  const table = page.getByRole('table', { name: 'Versions compared with the baseline' });
  await expect(table.getByRole('columnheader', { name: 'Macro-F1' })).toBeVisible();
  await expect(table.getByRole('row', { name: /learned/ })).toContainText(/\d+\.\d\s%/);
  expect(bench.errors).toEqual([]);
});
