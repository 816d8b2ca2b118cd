// Training as a job: fine-tuning a version, or the same architecture from scratch.

import { reinitialise } from '../../engine/train/reinitialise';
import type { JobContext, JobSpec, TrainRequest } from '../types';
import { trainInJob } from './training';
import {
  evaluateVersion,
  loadVersion,
  measureSideBySide,
  openFittingDataset,
  saveVersion,
} from './versions';

/** @throws AppError DATA_MISMATCH, TRAIN_DIVERGED, CANCELLED; nothing is saved then. */
export async function runTrain(
  request: TrainRequest,
  spec: JobSpec,
  context: JobContext,
): Promise<void> {
  const { options } = request;
  const parent = await loadVersion(spec, request.version);
  const scratch = request.init === 'scratch';
  const start = scratch ? reinitialise(parent.model, options.seed) : parent.model;
  const dataset = openFittingDataset(spec, request.data, parent.model);
  try {
    const { model, history } = await trainInJob(start, dataset, options, context);
    const version = await saveVersion(spec, context, model, {
      suggestedName: request.name ?? `${parent.name}-${scratch ? 'scratch' : 'tuned'}`,
      parent: parent.id,
      operation: scratch ? 'scratch' : 'train',
      options: request,
      seed: options.seed,
      source: { format: null, notes: [] },
      history,
    });
    await evaluateVersion(context, version, { id: request.data, dataset });
    if (request.measure) await measureSideBySide(context, parent, version);
  } finally {
    dataset.close();
  }
}
