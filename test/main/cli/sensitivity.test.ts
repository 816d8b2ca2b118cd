import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer, makeImages, secateur } from './program';

interface MapAnswer {
  readonly id: string;
  readonly split: string;
  readonly samples: number;
  readonly baseline: { readonly top1: number; readonly loss: number };
  readonly groups: readonly {
    readonly layers: readonly string[];
    readonly channels: number;
    readonly points: readonly {
      readonly kept: number;
      readonly share: number;
      readonly top1: number;
      readonly drop: number;
    }[];
  }[];
}

describe('sensitivity on the command line', { timeout: 180_000 }, () => {
  let folder: string;
  let project: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'secateur-cli-'));
    project = join(folder, 'project');
    await makeImages(join(folder, 'images'));
    await answer('create', project);
    const model = join(folder, 'model');
    await answer('zoo', 'write', 'lenet5', model, '--input', '12,12,1', '--classes', '3');
    await answer('import', project, join(model, 'model.json'), '--name', 'lenet');
    const images = join(folder, 'images');
    await answer('data', 'add', project, images, '--name', 'shapes', '--channels', '1');
  }, 180_000);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('gives a curve a group, takes up what is measured, and cuts to a budget by it', async () => {
    const words = ['sensitivity', project, 'lenet', '--data', 'shapes', '--grid', '0.5,0.25'];
    const map = await answer<MapAnswer>(...words, '--samples', '20');
    expect(map.groups.map(({ layers, channels }) => [layers, channels])).toEqual([
      [['conv1'], 6],
      [['conv2'], 16],
      [['fc1'], 120],
      [['fc2'], 84],
    ]);
    expect(map.groups[1]!.points.map(({ kept, share }) => [kept, share])).toEqual([
      [8, 0.5],
      [4, 0.25],
    ]);
    for (const { top1, drop } of map.groups.flatMap(({ points }) => points)) {
      expect(drop).toBeCloseTo(map.baseline.top1 - top1, 12);
    }

    const again = await secateur(...words, '--samples', '20');
    expect(again.code).toBe(0);
    expect(again.stderr).toContain('8 points of an earlier run are used.');
    expect(again.stdout).toMatch(/^layers +channels +50 % +25 %\n/);
    expect(again.stdout).toMatch(/\nconv2 +16 +[-\d.]+ +[-\d.]+\n/);

    const cut = await answer<{ macs: number; layers: { name: string; to: number }[] }>(
      ...['prune', project, 'lenet', '--method', 'l1', '--macs', '0.7', '--scope', 'sensitivity'],
    );
    const { versions } = await answer<{ versions: { macs: number }[] }>('list', project);
    expect(cut.macs).toBeLessThanOrEqual(0.7 * versions[0]!.macs);
    // No group goes below the narrowest width that was measured.
    const to = Object.fromEntries(cut.layers.map((layer) => [layer.name, layer.to]));
    expect(to['conv2']).toBeGreaterThanOrEqual(4);
  });
});
