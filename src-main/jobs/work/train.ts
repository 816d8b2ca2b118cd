// Training as a job: fine-tuning a version, or the same architecture from scratch.

import { reinitialise } from '../../engine/train/reinitialise';
import type { JobContext, JobSpec, TrainRequest } from '../types';
import { trainVersion } from './recovery';
import { loadVersion, measureSideBySide, openFittingDataset } from './versions';

/**
 * @throws AppError DATA_MISMATCH, TRAIN_DIVERGED, OUT_OF_MEMORY, CANCELLED; nothing is saved then, but the best epoch
 * of a run that diverged later
 */
export async function runTrain(
  request: TrainRequest,
  spec: JobSpec,
  context: JobContext,
): Promise<void> {
  const { options, init } = request;
  const parent = await loadVersion(spec, request.version);
  const isScratch = init !== 'weights';
  const start = isScratch
    ? reinitialise(parent.model, options.seed, { gamma: init.gamma })
    : parent.model;
  const dataset = openFittingDataset(spec, request.data, parent.model);
  try {
    const data = { id: request.data, dataset };
    const suffix = isScratch ? `scratch-${init.budget}` : 'tuned';
    const name = request.name ?? `${parent.name}-${suffix}`;
    const version = await trainVersion(spec, context, parent, data, { request, start, name });
    if (request.measure) await measureSideBySide(context, parent, version);
  } finally {
    dataset.close();
  }
}
