// The options of a training: a learning rate found by trying, a teacher, and an optimizer of its own.

import { expect, test } from './app';
import { openSample, openVersion, setNumber, step } from './window';

test('a learning rate is found, and a teacher chosen', async ({ bench, sample }) => {
  test.setTimeout(300_000);
  const { page } = bench;
  await openSample(bench, sample);
  await openVersion(page, 'fashion-resnet');
  await page.getByRole('button', { name: 'Fine-tune…' }).click();
  await step(page, 'Options');

  const find = page.getByRole('button', { name: 'Find a learning rate' });
  await find.click();
  await expect(page.getByText(/^Step \d+ of at most 200$/)).toBeVisible({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await expect(find).toBeVisible();
  await expect(page.getByRole('alert')).toHaveCount(0);

  await find.click();
  const chart = page.getByRole('img', { name: /^Loss against the learning rate/ });
  await expect(chart).toBeVisible({ timeout: 120_000 });
  const take = page.getByRole('button', { name: /^Take / });
  const rate = (await take.textContent())!.trim().replace('Take ', '');
  await take.click();
  await expect(page.getByRole('spinbutton', { name: 'Learning rate' })).toHaveValue(rate);

  await page.getByRole('combobox', { name: 'Learn from' }).selectOption({ index: 1 });
  await page.getByRole('button', { name: 'More options' }).click();
  await setNumber(page, 'Temperature', 3);
  await setNumber(page, 'Hints', 20);
  await setNumber(page, 'Label smoothing', 0.1);
  await page.getByText('One cycle', { exact: true }).click();
  await step(page, 'Run');
  const words = `--lr ${rate} --schedule one-cycle --label-smoothing 0.1 --temperature 3 --hints 20 --teacher`;
  await expect(page.getByText(words)).toBeVisible();

  await step(page, 'Options');
  await page.getByRole('button', { name: 'More options' }).click();
  await page.getByText('AdamW', { exact: true }).click();
  await page.getByRole('combobox', { name: 'Learn from' }).selectOption({ index: 0 });
  await expect(page.getByRole('spinbutton', { name: 'Temperature' })).toHaveCount(0);
  await expect(page.getByRole('spinbutton', { name: 'Beta 1' })).toHaveValue('0.9');
  await step(page, 'Run');
  await expect(page.getByText(/--optimizer adamw --schedule one-cycle --label/)).toBeVisible();
  expect(bench.errors).toEqual([]);
});
