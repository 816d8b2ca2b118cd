// The window as tests speak of it: what a user does, in the user's words.

import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, type Locator, type Page } from '@playwright/test';
import { chooseInDialog, type Workbench } from './app';

/** Jobs train and measure on two cores that may be busy with other things. */
const jobTimeout = 240_000;

/** First-run screen to a sample project whose model is imported, evaluated and measured. */
export async function makeSample(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Open the sample' }).click();
  await expectJobsDone(page);
  await expect(versionRow(page, 'fashion-resnet')).toBeVisible();
}

/** Opens a copy of a sample project that was made before. */
export async function openSample({ app, page, folder }: Workbench, sample: string): Promise<void> {
  const project = join(folder, 'sample');
  await cp(sample, project, { recursive: true });
  await chooseInDialog(app, [project]);
  await page.getByRole('button', { name: 'Open project', exact: true }).click();
  await expect(versionRow(page, 'fashion-resnet')).toBeVisible();
}

/** A version in the tree. */
export function versionRow(page: Page, name: string): Locator {
  return page.getByRole('treeitem', { name: new RegExp(`^${name}\\b`) }).first();
}

export async function openVersion(page: Page, name: string): Promise<void> {
  await versionRow(page, name).click();
  await expect(page.getByRole('heading', { level: 1, name, exact: true })).toBeVisible();
}

/** Clicks through a wizard's step list. */
export async function step(page: Page, title: string): Promise<void> {
  await page
    .getByRole('navigation', { name: 'Steps' })
    .getByRole('button', { name: new RegExp(title) })
    .click();
  await expect(page.getByRole('heading', { level: 2, name: title })).toBeVisible();
}

export async function setNumber(page: Page, label: string, value: number): Promise<void> {
  const field = page.getByRole('spinbutton', { name: label });
  await field.fill(String(value));
  await field.press('Tab');
}

/** The state of the newest job of the open project, as the main process stores it. */
async function newestJob(page: Page): Promise<{ state: string; error: unknown } | null> {
  return page.evaluate(async () => {
    const { secateur } = window as unknown as {
      secateur: {
        invoke(
          name: string,
          args: object,
        ): Promise<{ value: { jobs: { state: string; error: unknown; createdAt: string }[] } }>;
      };
    };
    const { value } = await secateur.invoke('project.current', {});
    const jobs = [...(value?.jobs ?? [])].sort((a, b) => a.createdAt.localeCompare(b.createdAt));
    const unended = jobs.find((job) => ['queued', 'running', 'cancelling'].includes(job.state));
    return unended ?? jobs.at(-1) ?? null;
  });
}

/** Waits until every job has ended, and the last of them well. */
export async function expectJobsDone(page: Page): Promise<void> {
  // A sample project starts its second job when the first has ended.
  await expect(async () => {
    for (let i = 0; i < 3; i++) {
      expect(await newestJob(page)).toMatchObject({ state: 'done' });
      await page.waitForTimeout(300);
    }
  }).toPass({ timeout: jobTimeout });
}

/** Waits until the newest job is in a state. */
export async function expectJobState(page: Page, state: string): Promise<void> {
  await expect
    .poll(async () => (await newestJob(page))?.state, { timeout: jobTimeout })
    .toBe(state);
}
