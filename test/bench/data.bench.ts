// How fast images come in: decoding a folder of JPEG files, and making training batches beside a step.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { silentContext } from '../../src-main/engine/context';
import { decodeDataset, openDataset } from '../../src-main/engine/data/decode';
import { defaultDecodeOptions } from '../../src-main/engine/data/defaults';
import { BatchLoader } from '../../src-main/engine/data/loader';
import { normalise } from '../../src-main/engine/data/preprocess';
import { createRng } from '../../src-main/engine/graph/rng';
import type { Preprocessing } from '../../src-main/engine/graph/types';
import type { BenchFigure, BenchResult } from './types';

export const name = 'data';

const images = 6000;
const side = 32;
const batchSize = 128;
const epochs = 5;

const preprocessing: Preprocessing = {
  scale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
  channelOrder: 'rgb',
};

export async function run(): Promise<BenchResult> {
  const folder = mkdtempSync(join(tmpdir(), 'secateur-bench-'));
  try {
    const source = join(folder, 'images');
    await writeJpegs(source);
    const cacheFile = join(folder, 'cache');
    const start = performance.now();
    await decodeDataset(source, cacheFile, defaultDecodeOptions, silentContext);
    const seconds = (performance.now() - start) / 1000;
    return {
      figures: [
        { label: 'decoding 32 x 32 JPEG files', value: images / seconds, unit: 'img/s' },
        await batches('from memory', cacheFile, Infinity),
        await batches('from the file', cacheFile, 0),
      ],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Milliseconds to read, flip, crop and normalise a batch; the best of some epochs. */
async function batches(where: string, cacheFile: string, inMemory: number): Promise<BenchFigure> {
  const dataset = openDataset(cacheFile, inMemory);
  const augment = { flip: true, padCrop: 4 };
  const options = { batchSize, seed: 1, shuffle: true, augment, samplesPerEpoch: null };
  const loader = new BatchLoader(dataset.split('train'), options);
  const target = new Float32Array(batchSize * side * side * 3);
  let best = Infinity;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const start = performance.now();
    for (let batch = await loader.next(); batch; batch = await loader.next()) {
      normalise(batch.images, target, preprocessing, 3);
    }
    best = Math.min(best, (performance.now() - start) / loader.batchesPerEpoch);
  }
  dataset.close();
  const label = `batch of ${batchSize}, augmented and normalised, ${where}`;
  return { label, value: best, unit: 'ms', note: 'beside a training step of 200 ms (ResNet-20)' };
}

/** Noise that is smooth enough to make files as large as those of photographs. */
async function writeJpegs(folder: string): Promise<void> {
  const rng = createRng(1);
  for (let i = 0; i < images; i++) {
    const classFolder = join(folder, `class-${i % 10}`);
    if (i < 10) mkdirSync(classFolder, { recursive: true });
    const coarse = Uint8Array.from({ length: 8 * 8 * 3 }, () => rng.int(256));
    const jpeg = await sharp(coarse, { raw: { width: 8, height: 8, channels: 3 } })
      .resize(side, side)
      .jpeg({ quality: 90 })
      .toBuffer();
    writeFileSync(join(classFolder, `${i}.jpg`), jpeg);
  }
}
