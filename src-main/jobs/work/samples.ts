// A few images of a data set as small pictures, with what a version says of them.

import { checkFit } from '../../engine/data/fit';
import { openDataset } from '../../engine/data/decode';
import type { ImageSplit, SplitName } from '../../engine/data/types';
import { indexOfLargest } from '../../engine/measure/largest';
import { softmax } from '../../engine/measure/softmax';
import { runForward } from '../../engine/train/executor';
import type { Model } from '../../engine/graph/types';
import type { SampleImage } from '../../ipc/contract';
import type { DatasetSource } from '../types';
import { loadModel } from './files';
import { modelInputs, pickPictures, pictureUrl } from './pictures';

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
    const hasClasses = data.info.task === 'classes';
    const predictions =
      model && hasClasses && count > 0 ? await predict(model, pixels, split, count) : null;
    return await Promise.all(
      Array.from(labels, async (label, i) => ({
        image: await pictureUrl(pixels.subarray(i * size, (i + 1) * size), split),
        label: hasClasses ? label : null,
        predicted: predictions?.[i] ?? null,
      })),
    );
  } finally {
    dataset.close();
  }
}
