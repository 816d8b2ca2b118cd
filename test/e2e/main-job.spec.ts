// The main job, as a new user does it: open the sample, prune it to half the MACs, fine-tune, compare, export
// both formats. Real Electron, real images, real runtimes.

import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from './app';
import { expectJobsDone, makeSample, openVersion, setNumber, step } from './window';

interface Version {
  readonly name: string;
  readonly operation: string;
  readonly macs: number;
  readonly bytes: number;
  readonly accuracy: { readonly top1: number } | null;
  readonly latency: readonly { readonly runtime: string; readonly medianMs: number }[];
  readonly equivalence: { readonly maxAbsDiff: number; readonly passed: boolean } | null;
}

test('open, prune, fine-tune, compare, export', async ({ bench }) => {
  test.setTimeout(900_000);
  const { page, projects } = bench;

  const current = (): Promise<readonly Version[]> =>
    page.evaluate(async () => {
      const { secateur } = window as unknown as {
        secateur: {
          invoke(name: string, args: object): Promise<{ value: { versions: Version[] } }>;
        };
      };
      return (await secateur.invoke('project.current', {})).value.versions;
    });

  await test.step('open the sample', async () => {
    await makeSample(page);
    const [baseline] = await current();
    expect(baseline?.accuracy?.top1).toBeGreaterThanOrEqual(0.9);
    expect(baseline?.latency[0]?.runtime).toBe('litert');
  });

  await test.step('prune to half the MACs, watching the preview', async () => {
    await openVersion(page, 'fashion-resnet');
    await page.getByRole('button', { name: 'Prune…' }).click();
    await step(page, 'Target');
    // The consequences follow without a click.
    const preview = page.getByRole('complementary');
    await expect(preview).toContainText('stage1.block1.conv1');
    for (const percent of [70, 50]) {
      const before = await preview.innerText();
      await setNumber(page, 'Keep at most, per cent', percent);
      await expect.poll(() => preview.innerText()).not.toBe(before);
    }
    await step(page, 'Recovery');
    await setNumber(page, 'Epochs', 1);
    await step(page, 'Run');
    await page.getByRole('button', { name: 'Start pruning' }).click();
    await expectJobsDone(page);

    const versions = await current();
    const baseline = versions[0];
    const cut = versions.find(({ operation }) => operation === 'prune');
    const tuned = versions.find(({ operation }) => operation === 'train');
    expect(cut?.macs).toBeLessThanOrEqual((baseline?.macs ?? 0) / 2);
    expect(cut?.equivalence?.passed).toBe(true);
    expect(cut?.equivalence?.maxAbsDiff).toBeLessThanOrEqual(1e-5);
    expect(tuned?.accuracy?.top1).toBeGreaterThan((baseline?.accuracy?.top1 ?? 1) - 0.03);
    expect(tuned?.bytes).toBeLessThan((baseline?.bytes ?? 0) * 0.6);
  });

  await test.step('compare', async () => {
    await page.getByRole('button', { name: 'Compare' }).first().click();
    const table = page.getByRole('table', { name: 'Versions compared with the baseline' });
    await expect(table.getByRole('row')).toHaveCount((await current()).length + 1);
    await expect(table).toContainText('fashion-resnet');
  });

  const tuned = (await current()).find(({ operation }) => operation === 'train')?.name ?? '';
  for (const format of ['TensorFlow Lite', 'TensorFlow.js Layers'] as const) {
    await test.step(`export ${format}`, async () => {
      await openVersion(page, tuned);
      await page.getByRole('button', { name: 'Export…' }).click();
      await page.getByRole('radio', { name: format }).click();
      await step(page, 'Run');
      await page.getByRole('button', { name: 'Export', exact: true }).click();
      await expectJobsDone(page);
    });
  }

  await test.step('what was exported is whole and verified', async () => {
    const folder = join(projects, 'Fashion sample', 'exports');
    const exported = (await readdir(folder)).sort();
    expect(exported).toHaveLength(2);
    for (const name of exported) {
      const card = JSON.parse(await readFile(join(folder, name, 'model-card.json'), 'utf8')) as {
        verification: { top1Agreement: number; maxAbsDiff: number; samples: number };
      };
      expect(card.verification.samples).toBe(200);
      expect(card.verification.top1Agreement).toBe(1);
      expect(card.verification.maxAbsDiff).toBeLessThanOrEqual(1e-4);
      expect(existsSync(join(folder, name, 'README.md'))).toBe(true);
      expect(existsSync(join(folder, name, 'SHA256SUMS'))).toBe(true);
    }
  });
});
