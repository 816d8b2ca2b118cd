// Training as a job: fine-tuning a version, or the same architecture from scratch.

import { reinitialise } from '../../engine/train/reinitialise';
import { train } from '../../engine/train/trainer';
import type { JobContext, JobSpec, TrainRequest } from '../types';
import { loadModel, versionSource } from './files';
import { evaluateVersion, measureVersion, openFittingDataset, saveVersion } from './versions';

/** @throws AppError DATA_MISMATCH, TRAIN_DIVERGED, CANCELLED; nothing is saved then. */
export async function runTrain(
  request: TrainRequest,
  spec: JobSpec,
  context: JobContext,
): Promise<void> {
  const source = versionSource(spec, request.version);
  const parent = await loadModel(source.file);
  const scratch = request.init === 'scratch';
  const start = scratch ? reinitialise(parent, request.options.seed) : parent;
  const dataset = openFittingDataset(spec, request.data, parent);
  try {
    const result = await train(start, dataset, request.options, context);
    const version = await saveVersion(spec, context, result.model, {
      suggestedName: request.name ?? `${source.name}-${scratch ? 'scratch' : 'tuned'}`,
      parent: source.id,
      operation: scratch ? 'scratch' : 'train',
      options: request,
      seed: request.options.seed,
      source: { format: null, notes: [] },
      history: result.history,
    });
    const target = { version, model: result.model };
    await evaluateVersion(context, target, { id: request.data, dataset });
    if (request.measure) await measureVersion(context, target);
  } finally {
    dataset.close();
  }
}
