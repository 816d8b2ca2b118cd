// Training as a job: fine-tuning a version, or the same architecture from scratch.

import { reinitialise } from '../../engine/train/reinitialise';
import type { TrainResult } from '../../engine/train/types';
import type { JobContext, JobSpec, TrainRequest } from '../types';
import { trainInJob } from './training';
import {
  earlierVersion,
  evaluateVersion,
  loadVersion,
  measureSideBySide,
  openFittingDataset,
  saveVersion,
  type LoadedVersion,
} from './versions';

/**
 * @throws AppError DATA_MISMATCH, TRAIN_DIVERGED, OUT_OF_MEMORY, CANCELLED; nothing is saved then, but the best epoch
 * of a run that diverged later
 */
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
    const name = request.name ?? `${parent.name}-${scratch ? 'scratch' : 'tuned'}`;
    const save = ({ model, history }: TrainResult, suggestedName: string): Promise<LoadedVersion> =>
      saveVersion(spec, context, model, {
        suggestedName,
        parent: parent.id,
        operation: scratch ? 'scratch' : 'train',
        options: request,
        seed: options.seed,
        source: { format: null, notes: [] },
        history,
      });
    const made = async (): Promise<LoadedVersion> => {
      const { teacher } = request;
      const rescue = (result: TrainResult): Promise<unknown> =>
        save(result, `${name}-epoch${result.bestEpoch}`);
      const training = { model: start, dataset, options, teacher, rescue };
      return save(await trainInJob(spec, training, context), name);
    };
    const version = (await earlierVersion(spec, context)) ?? (await made());
    await evaluateVersion(context, version, { id: request.data, dataset });
    if (request.measure) await measureSideBySide(context, parent, version);
  } finally {
    dataset.close();
  }
}
