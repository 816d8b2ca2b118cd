// A few images of a data set as small pictures, with what a version says of them.

import { checkFit } from '../../engine/data/fit';
import { openDataset } from '../../engine/data/decode';
import type { ImageSplit, SplitName, Task } from '../../engine/data/types';
import { indexOfLargest } from '../../engine/measure/largest';
import { ModelScorer } from '../../engine/measure/scorer';
import { softmax } from '../../engine/measure/softmax';
import { loadBackend } from '../../engine/runtime/backend';
import { runForward } from '../../engine/train/executor';
import type { Model } from '../../engine/graph/types';
import type { SampleImage } from '../../ipc/contract';
import type { DatasetSource } from '../types';
import { loadModel } from './files';
import { modelInputs, pickPictures, pictureUrl, type Pictures } from './pictures';

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

/** Probabilities of labels, or values, row after row. */
async function answer(
  model: Model,
  { pixels, ...told }: Pictures,
  split: ImageSplit,
  task: Task,
): Promise<Float32Array> {
  const scorer = new ModelScorer(model, split, await loadBackend(), task);
  try {
    return (await scorer.score({ images: pixels, ...told })).scores;
  } finally {
    scorer.dispose();
  }
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
    const pictures = pickPictures(split, wanted);
    const { count, pixels, labels, targets } = pictures;
    const size = pixels.length / Math.max(1, count);
    const model = versionFile === null ? null : await loadModel(versionFile);
    if (model) checkFit(data.info, model);
    const { task } = data.info;
    const asked = count > 0 ? model : null;
    const isClass = task === 'classes';
    const predictions = asked && isClass ? await predict(asked, pixels, split, count) : null;
    const answers = asked && !isClass ? await answer(asked, pictures, split, task) : null;
    const rowOf = (rows: Float32Array | null | undefined, i: number): readonly number[] | null =>
      rows ? [...rows.subarray((i * rows.length) / count, ((i + 1) * rows.length) / count)] : null;
    return await Promise.all(
      Array.from(labels, async (label, i) => ({
        image: await pictureUrl(pixels.subarray(i * size, (i + 1) * size), split),
        label: isClass ? label : null,
        predicted: predictions?.[i] ?? null,
        targets: rowOf(targets, i),
        answers: rowOf(answers, i),
      })),
    );
  } finally {
    dataset.close();
  }
}
