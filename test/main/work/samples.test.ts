// Sample pictures of data with labels and with values: what is true of each, and what a version says.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../src-main/engine/graph/build';
import { createRng } from '../../../src-main/engine/graph/rng';
import { encodeModel } from '../../../src-main/engine/graph/serialize';
import type { Model } from '../../../src-main/engine/graph/types';
import { runForward } from '../../../src-main/engine/train/executor';
import { sampleImages } from '../../../src-main/jobs/work/samples';
import { decodeAndOpen, put, samplesOf, tempFolder } from '../../engine/data/support';

const folder = tempFolder();
const count = 5;

/** The means of the channels through a dense layer to two numbers. */
const model: Model = (() => {
  const b = new GraphBuilder('net', { rng: createRng(2) });
  b.output(b.dense(b.globalAvgPool(b.input('image', [4, 4, 3])), { units: 2, name: 'last' }));
  return {
    graph: b.build(),
    preprocessing: { scale: 1 / 255, mean: [0.5], std: [0.25], channelOrder: 'rgb' },
    labels: null,
    outputKind: 'logits',
  };
})();

describe.each([
  ['labels', '1,0', '0,1', (z: number): number => 1 / (1 + Math.exp(-z))],
  ['values', '1.5,-2', '0.25,7', (z: number): number => z],
] as const)('pictures of data with %s', (task, even, odd, said) => {
  it('tell both', async () => {
    const root = join(folder, task);
    const lines = ['file,a,b'];
    for (let i = 0; i < count; i++) {
      const background = { r: i * 40, g: 9, b: 200 };
      const image = sharp({ create: { width: 4, height: 4, channels: 3, background } });
      put(join(root, `${i}.png`), await image.png().toBuffer());
      lines.push(`${i}.png,${i % 2 === 0 ? even : odd}`);
    }
    put(join(root, 'labels.csv'), lines.join('\n'));
    const cacheFile = `${root}.cache`;
    const { info, dataset } = await decodeAndOpen(root, cacheFile);
    const pixels = samplesOf(dataset.split('train'));
    dataset.close();
    const file = `${root}.model`;
    await writeFile(file, encodeModel(model));
    const source = { id: task, name: task, cacheFile, info };

    const alone = await sampleImages(source, 'train', 3, null);
    const rows = [even, odd].map((row) => row.split(',').map(Number));
    // Evenly spaced: the images 0, 1 and 3.
    expect(alone.map(({ targets }) => targets)).toEqual([rows[0], rows[1], rows[1]]);
    expect(alone.every(({ label, predicted }) => label === null && predicted === null)).toBe(true);
    expect(alone.map(({ answers }) => answers)).toEqual([null, null, null]);

    const asked = await sampleImages(source, 'train', 3, file);
    const input = [0, 1, 3].flatMap((i) => pixels[i]!.map((value) => (value / 255 - 0.5) / 0.25));
    const [outputs] = await runForward(model, [Float32Array.from(input)], 3);
    asked.forEach(({ answers }, i) => {
      const row = [...outputs!.subarray(i * 2, i * 2 + 2)].map(said);
      expect(answers).toEqual(row.map((value) => expect.closeTo(value, 5) as number));
    });
    expect(await sampleImages(source, 'val', 3, file)).toEqual([]);
  });
});
