// A few images of a data set as small pictures, with what a version says of them.

import sharp from 'sharp';

import { checkFit } from '../../engine/data/fit';
import { openDataset } from '../../engine/data/decode';
import type { ImageSplit, SplitName } from '../../engine/data/types';
import { indexOfLargest } from '../../engine/measure/largest';
import { runForward } from '../../engine/train/executor';
import type { Model } from '../../engine/graph/types';
import type { SampleImage } from '../../ipc/contract';
import type { DatasetSource } from '../types';
import { loadModel } from './files';
import { modelInputs, pickPictures } from './pictures';

async function pngUrl(pixels: Uint8Array, split: ImageSplit): Promise<string> {
  const { height, width, channels } = split;
  const png = await sharp(pixels, { raw: { height, width, channels } }).png().toBuffer();
  return `data:image/png;base64,${png.toString('base64')}`;
}

function softmax(logits: Float32Array): Float32Array {
  const max = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const exponentials = logits.map((x) => Math.exp(x - max));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((x) => x / sum);
}

async function predict(
  model: Model,
  pixels: Uint8Array,
  split: ImageSplit,
  count: number,
): Promise<readonly NonNullable<SampleImage['predicted']>[]> {
  const inputs = modelInputs(pixels, split, model.preprocessing);
  const [outputs] = await runForward(model, [inputs], count);
  const classes = (outputs?.length ?? 0) / count;
  return Array.from({ length: count }, (_, i) => {
    const row = (outputs ?? new Float32Array()).subarray(i * classes, (i + 1) * classes);
    const scores = model.outputKind === 'logits' ? softmax(row) : row;
    const label = indexOfLargest(scores);
    return { label, probability: scores[label] ?? 0 };
  });
}

/** Evenly spaced images of a split. @throws AppError DATA_MISMATCH when the version does not fit */
export async function sampleImages(
  data: DatasetSource,
  splitName: SplitName,
  wanted: number,
  versionFile: string | null,
): Promise<readonly SampleImage[]> {
  const dataset = openDataset(data.cacheFile);
  try {
    const split = dataset.split(splitName);
    const { count, pixels, labels } = pickPictures(split, wanted);
    const size = pixels.length / Math.max(1, count);
    const model = versionFile === null ? null : await loadModel(versionFile);
    if (model) checkFit(data.info, model);
    const predictions = model && count > 0 ? await predict(model, pixels, split, count) : null;
    return await Promise.all(
      Array.from(labels, async (label, i) => ({
        image: await pngUrl(pixels.subarray(i * size, (i + 1) * size), split),
        label,
        predicted: predictions?.[i] ?? null,
      })),
    );
  } finally {
    dataset.close();
  }
}
