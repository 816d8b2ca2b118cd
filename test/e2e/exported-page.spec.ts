// The page beside a TensorFlow.js export, in a real browser: served from the exported folder, given a picture.

import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { _electron, expect } from '@playwright/test';
import sharp from 'sharp';
import { secateur, test } from './app';

const root = resolve(__dirname, '..', '..');
const images = join(root, 'resources', 'sample', 'images');

/** The files of one folder. */
async function serve(folder: string): Promise<Server> {
  const server = createServer((request, response) => {
    const path = basename(new URL(request.url ?? '/', 'http://localhost').pathname);
    readFile(join(folder, path || 'index.html')).then(
      (content) =>
        response
          .setHeader('content-type', path === '' ? 'text/html' : 'application/octet-stream')
          .end(content),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return server;
}

/** The first test picture of the sample as a PNG, and its class. */
async function firstPicture(): Promise<{ readonly png: Buffer; readonly label: number }> {
  const pixels = gunzipSync(await readFile(join(images, 't10k-images-idx3-ubyte.gz')));
  const labels = gunzipSync(await readFile(join(images, 't10k-labels-idx1-ubyte.gz')));
  const raw = { width: 28, height: 28, channels: 1 } as const;
  const first = pixels.subarray(16, 16 + 28 * 28);
  return { png: await sharp(first, { raw }).png().toBuffer(), label: labels[8]! };
}

test('names the class of a picture', async ({ folder, sample }) => {
  test.setTimeout(180_000);
  const [project, exported] = [join(folder, 'project'), join(folder, 'exported')];
  await cp(sample, project, { recursive: true });
  const names = ['fashion-resnet', '--format', 'tfjs-layers', '--out', exported];
  await secateur('export', project, ...names);
  const { png, label } = await firstPicture();
  await writeFile(join(folder, 'picture.png'), png);
  const browser = join(folder, 'browser');
  await mkdir(browser);
  await writeFile(
    join(browser, 'package.json'),
    '{ "name": "browser", "version": "1.0.0", "main": "main.js" }',
  );
  await writeFile(
    join(browser, 'main.js'),
    `const { app, BrowserWindow } = require('electron');
    app.whenReady().then(() => new BrowserWindow({ width: 700, height: 700 }).loadURL(process.argv.at(-1)));`,
  );
  const server = await serve(exported);
  const { port } = server.address() as AddressInfo;
  const app = await _electron.launch({
    executablePath: process.env['SECATEUR_ELECTRON']!,
    args: [browser, `--user-data-dir=${join(folder, 'profile')}`, `http://127.0.0.1:${port}/`],
  });
  try {
    const page = await app.firstWindow();
    await expect(page.getByRole('status')).toContainText('Ready', { timeout: 60_000 });
    await page.getByLabel('Choose a picture').setInputFiles(join(folder, 'picture.png'));
    await expect(page.getByRole('row')).toHaveCount(5);
    const names = (await readFile(join(exported, 'labels.txt'), 'utf8')).trimEnd().split('\n');
    const best = page.getByRole('row').first().getByRole('cell');
    await expect(best.nth(1)).toHaveText(names[label]!);
    expect(Number(await best.nth(0).textContent())).toBeGreaterThan(0.5);
    await expect(page.getByRole('alert')).toBeEmpty();
    await page.screenshot({ path: join(root, 'test-results', 'exported-page.png') });
  } finally {
    await app.close();
    server.close();
  }
});
