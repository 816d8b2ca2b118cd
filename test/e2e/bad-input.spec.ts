// Bad files, bad folders and a full disk, in the window: each is explained with its code, nothing is left half
// written, and the window goes on.

import { chmod, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Page } from '@playwright/test';
import sharp from 'sharp';

import { chooseInDialog, expect, launch, quit, saveInDialog, test, type Workbench } from './app';
import { expectJobsDone, expectJobState, step } from './window';

const corrupt = resolve(__dirname, '..', 'fixtures', 'corrupt');

async function newProject({ app, page, projects }: Workbench, name: string): Promise<void> {
  await saveInDialog(app, join(projects, name));
  await page.getByRole('button', { name: 'New project' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill(name);
  await page.getByRole('dialog').getByRole('button', { name: 'Choose a folder…' }).click();
  await expect(
    page.getByRole('heading', { level: 1, name: 'Import your first model' }),
  ).toBeVisible();
}

async function chooseModel({ app, page }: Workbench, file: string): Promise<void> {
  await chooseInDialog(app, [file]);
  await page.keyboard.press('Control+i');
  await page.getByRole('button', { name: 'Choose a file…' }).click();
}

/** Two classes of grey images, `spoilt` of them no image at all. */
async function makeImages(folder: string, spoilt: number): Promise<string> {
  for (const [level, name] of ['dark', 'light'].entries()) {
    await mkdir(join(folder, name), { recursive: true });
    for (let i = 0; i < 10; i++) {
      const image = sharp({
        create: { width: 8, height: 8, channels: 3, background: { r: level * 200, g: i, b: 0 } },
      });
      await image.png().toFile(join(folder, name, `${i}.png`));
    }
  }
  for (let i = 0; i < spoilt; i++) await writeFile(join(folder, 'light', `${i}.png`), 'no image');
  return folder;
}

async function addData({ app, page }: Workbench, folder: string): Promise<void> {
  await chooseInDialog(app, [folder]);
  await page.keyboard.press('Control+d');
  await page.getByRole('button', { name: /^Choose( a folder)?…$/ }).click();
  await step(page, 'Run');
  await page.getByRole('button', { name: 'Add the data set' }).click();
}

/** Files below the project that hold content: versions, exports, and what is on its way. */
async function contentOf(project: string): Promise<string[]> {
  const files = await readdir(project, { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile() && !/project\.db|lock|backups/.test(join(file.path, file.name)))
    .map((file) => join(file.path, file.name))
    .sort();
}

async function expectUsable(page: Page): Promise<void> {
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+,');
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.keyboard.press('Escape');
}

test('bad model files are explained, and nothing of them stays', async ({ bench, folder }) => {
  const { page, projects } = bench;
  await newProject(bench, 'mine');
  const before = await contentOf(join(projects, 'mine'));

  const picture = join(folder, 'picture', 'model.json');
  await mkdir(join(folder, 'picture'), { recursive: true });
  await cp(join(corrupt, 'picture.json'), picture);
  for (const [file, code, words] of [
    [picture, 'MODEL_FORMAT_UNKNOWN', 'a PNG image'],
    [join(corrupt, 'parent-path', 'model.json'), 'MODEL_UNSAFE_PATH', 'not in its own folder'],
    [join(corrupt, 'short-weights', 'model.json'), 'MODEL_CORRUPT', 'hold 70 bytes'],
    [join(corrupt, 'nan', 'model.json'), 'MODEL_NOT_FINITE', 'holds NaN'],
  ] as const) {
    await chooseModel(bench, file);
    const alert = page.getByRole('alert').filter({ hasText: code });
    await expect(alert).toContainText(words, { timeout: 60_000 });
    await page.keyboard.press('Escape');
  }
  expect(await contentOf(join(projects, 'mine'))).toEqual(before);
  await expect(page.getByRole('treeitem')).toHaveCount(0);
  await expectUsable(page);
});

test('labels that do not match the classes keep the import from starting', async ({
  bench,
  folder,
}) => {
  const { page } = bench;
  await newProject(bench, 'mine');
  const model = join(folder, 'net');
  await cp(join(corrupt, 'nan'), model, { recursive: true });
  const weights = await readFile(join(model, 'weights.bin'));
  await writeFile(join(model, 'weights.bin'), Buffer.alloc(weights.length));

  await chooseModel(bench, join(model, 'model.json'));
  await expect(page.getByRole('heading', { level: 2, name: 'What we found' })).toBeVisible();
  await step(page, 'Preprocessing and labels');
  await page
    .getByRole('textbox', { name: 'Labels' })
    .fill('one\ntwo\nthree\nfour\nfive\nsix\nseven');
  await expect(page.getByRole('alert').filter({ hasText: '7 labels for 2 outputs' })).toBeVisible();
  await step(page, 'Run');
  const start = page.getByRole('main').getByRole('button', { name: 'Import', exact: true });
  await expect(start).toBeDisabled();
  await step(page, 'Preprocessing and labels');
  await page.getByRole('textbox', { name: 'Labels' }).fill('');
  await step(page, 'Run');
  await start.click();
  await expectJobsDone(page);
  await expect(page.getByRole('treeitem')).toHaveCount(1);
});

test('an image that cannot be read is named, and may be left out', async ({ bench, folder }) => {
  const { page, projects } = bench;
  await newProject(bench, 'mine');
  const before = await contentOf(join(projects, 'mine'));
  await addData(bench, await makeImages(join(folder, 'images'), 1));
  await expectJobState(page, 'failed');
  const error = page.getByRole('alert').filter({ hasText: 'DATA_' });
  await expect(error.first()).toContainText('0.png');
  expect(await contentOf(join(projects, 'mine'))).toEqual(before);

  await addData(bench, await makeImages(join(folder, 'whole'), 0));
  await expectJobsDone(page);
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

test('a disk that fills up fails the job, not the project', async ({ folder }) => {
  test.skip(process.platform === 'win32', 'limits by the shell');
  // No file of the app may grow beyond 24 MiB: enough for its profile and database, too little for these images.
  const limited = join(folder, 'limited.sh');
  const electron = process.env['SECATEUR_ELECTRON'] ?? '';
  await writeFile(limited, `#!/bin/bash\ntrap '' XFSZ\nulimit -f 24576\nexec '${electron}' "$@"\n`);
  await chmod(limited, 0o755);
  const images = join(folder, 'many');
  await makeIdx(images, 40_000);

  const bench = await launch({ folder, executable: limited });
  try {
    const { page, projects } = bench;
    await newProject(bench, 'mine');
    const before = await contentOf(join(projects, 'mine'));
    await addData(bench, images);
    await expectJobState(page, 'failed');
    const alert = page.getByRole('alert').filter({ hasText: 'DISK_FULL' });
    await expect(alert.first()).toBeVisible();
    expect(await contentOf(join(projects, 'mine'))).toEqual(before);
    // The next job runs.
    await addData(bench, await makeImages(join(folder, 'images'), 0));
    await expectJobsDone(page);
  } finally {
    await quit(bench);
  }
});

/** MNIST's format: 28 x 28 grey images, all black. */
async function makeIdx(folder: string, count: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const images = Buffer.alloc(16 + count * 784);
  [0x803, count, 28, 28].forEach((value, i) => images.writeUInt32BE(value, i * 4));
  const labels = Buffer.alloc(8 + count);
  [0x801, count].forEach((value, i) => labels.writeUInt32BE(value, i * 4));
  for (let i = 0; i < count; i++) labels[8 + i] = i % 10;
  await writeFile(join(folder, 'train-images-idx3-ubyte'), images);
  await writeFile(join(folder, 'train-labels-idx1-ubyte'), labels);
}
