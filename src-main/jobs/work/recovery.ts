// What wins accuracy back: new batch norm statistics, and training. Each result is a version of its own, and each is
// evaluated, so that raw, recalibrated and trained accuracy stay apart.

import { AppError } from '../../engine/errors';
import type { Model } from '../../engine/graph/types';
import { recalibrateBatchNorm } from '../../engine/train/recalibrate';
import type { TrainResult } from '../../engine/train/types';
import type { JobContext, JobSpec, RecalibrateRequest, TrainRequest } from '../types';
import { trainInJob } from './training';
import {
  earlierVersion,
  evaluateVersion,
  loadVersion,
  openFittingDataset,
  saveVersion,
  type LoadedVersion,
  type OpenData,
} from './versions';

export const hasBatchNorm = ({ graph }: Model): boolean =>
  graph.nodes.some(({ op }) => op === 'batchNorm');

/** A version with the batch norm statistics of training images. It must have batch norm. */
export async function recalibrateVersion(
  spec: JobSpec,
  context: JobContext,
  version: LoadedVersion,
  data: OpenData,
  { options, name }: Pick<RecalibrateRequest, 'options' | 'name'>,
): Promise<LoadedVersion> {
  const request: RecalibrateRequest = {
    kind: 'recalibrate',
    version: version.id,
    data: data.id,
    options,
    name,
  };
  const recalibrated = async (): Promise<LoadedVersion> => {
    const split = data.dataset.split('train');
    const model = await recalibrateBatchNorm(version.model, split, options, context);
    return saveVersion(spec, context, model, {
      suggestedName: name ?? `${version.name}-recalibrated`,
      parent: version.id,
      operation: 'recalibrate',
      options: request,
      seed: options.seed,
      source: { format: null, notes: [] },
    });
  };
  const made = (await earlierVersion(spec, context)) ?? (await recalibrated());
  await evaluateVersion(context, made, data);
  return made;
}

/**
 * A version trained on from another one, or from new random weights.
 * @param start what it starts from
 * @param name of the result
 */
export async function trainVersion(
  spec: JobSpec,
  context: JobContext,
  version: LoadedVersion,
  data: OpenData,
  { request, start, name }: { request: TrainRequest; start: Model; name: string },
): Promise<LoadedVersion> {
  const { options, teacher, init } = request;
  const save = ({ model, history }: TrainResult, suggestedName: string): Promise<LoadedVersion> =>
    saveVersion(spec, context, model, {
      suggestedName,
      parent: version.id,
      operation: init === 'weights' ? 'train' : 'scratch',
      options: request,
      seed: options.seed,
      source: { format: null, notes: [] },
      history,
    });
  const trained = async (): Promise<LoadedVersion> => {
    const rescue = (result: TrainResult): Promise<unknown> =>
      save(result, `${name}-epoch${result.bestEpoch}`);
    const training = { model: start, dataset: data.dataset, options, teacher, rescue };
    return save(await trainInJob(spec, training, context), name);
  };
  const made = (await earlierVersion(spec, context)) ?? (await trained());
  await evaluateVersion(context, made, data);
  return made;
}

/** @throws AppError INVALID_ARGUMENT for a network without batch norm, DATA_MISMATCH, CANCELLED */
export async function runRecalibrate(
  request: RecalibrateRequest,
  spec: JobSpec,
  context: JobContext,
): Promise<void> {
  const version = await loadVersion(spec, request.version);
  if (!hasBatchNorm(version.model)) {
    throw new AppError(
      'INVALID_ARGUMENT',
      `${version.name} has no batch norm: there are no statistics to recalibrate.`,
      'Fine-tune it instead.',
    );
  }
  const dataset = openFittingDataset(spec, request.data, version.model);
  try {
    await recalibrateVersion(spec, context, version, { id: request.data, dataset }, request);
  } finally {
    dataset.close();
  }
}
