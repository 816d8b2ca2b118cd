// What is tried for a training to come, on its model and its data, in the analyst process: learning rates, and how
// fast it will go.

import { silentContext, type Progress } from '../../engine/context';
import { openDataset } from '../../engine/data/decode';
import { checkFit } from '../../engine/data/fit';
import { AppError } from '../../engine/errors';
import { findLearningRate } from '../../engine/train/rate-finder';

import { reinitialise } from '../../engine/train/reinitialise';
import { measureTrainingSpeed } from '../../engine/train/speed';
import type { Questions } from '../analyst-protocol';
import { withCompute } from './compute';
import { loadModel } from './files';

let finding = new AbortController();

/** Makes every search end with CANCELLED. */
export function stopFinding(): void {
  finding.abort(
    new AppError('CANCELLED', 'The search for a learning rate was stopped.', 'Start it again.'),
  );
  finding = new AbortController();
}

/** @throws AppError DATA_MISMATCH, TRAIN_DIVERGED, OUT_OF_MEMORY, CANCELLED */
export async function findRate(
  { file, teacherFile, data, options, init }: Questions['findRate']['args'],
  onProgress: (progress: Progress) => void = () => undefined,
): Promise<Questions['findRate']['reply']> {
  const { signal } = finding;
  const stored = await loadModel(file);
  checkFit(data.info, stored);
  const model =
    init === 'weights' ? stored : reinitialise(stored, options.seed, { gamma: init.gamma });
  const teacher = teacherFile === null ? null : await loadModel(teacherFile);
  const dataset = openDataset(data.cacheFile);
  try {
    const context = { ...silentContext, signal, progress: onProgress };
    return await withCompute({ model, dataset, options, context, begunOn: null }, (compute) =>
      findLearningRate(model, dataset, options, context, { teacher, compute }),
    );
  } finally {
    dataset.close();
  }
}

/** @throws AppError DATA_MISMATCH, OUT_OF_MEMORY */
export async function measureSpeed({
  file,
  data,
  options,
}: Questions['speed']['args']): Promise<Questions['speed']['reply']> {
  const model = await loadModel(file);
  checkFit(data.info, model);
  const dataset = openDataset(data.cacheFile);
  try {
    const training = { model, dataset, options, context: silentContext, begunOn: null };
    return await withCompute(training, (compute) =>
      measureTrainingSpeed(model, dataset, options, silentContext, compute),
    );
  } finally {
    dataset.close();
  }
}
