// Bringing models into a project: from a file, or new from the zoo.

import { basename, dirname, extname } from 'node:path';

import { normalise } from '../../engine/data/preprocess';
import type { Dataset } from '../../engine/data/types';
import { AppError } from '../../engine/errors';
import { readModel } from '../../engine/formats/table';
import type { Model, Preprocessing } from '../../engine/graph/types';
import { convolutionsWithoutNorm, reinsertBatchNorms } from '../../engine/prune';
import { channelMoments } from '../../engine/train/channel-moments';
import { buildZoo } from '../../engine/zoo';
import type { ImportRequest, JobContext, JobSpec, ZooRequest } from '../types';
import {
  classCount,
  earlierVersion,
  evaluateVersion,
  measureVersion,
  openFittingDataset,
  reportSplit,
  saveVersion,
} from './versions';

/** A name from the file: 'model.json' says nothing, so its folder does. */
export function nameFromPath(path: string): string {
  const stem = basename(path, extname(path));
  return stem.toLowerCase() === 'model' ? basename(dirname(path)) : stem;
}

/** The model with what the user said about it. @throws AppError INVALID_ARGUMENT when that does not fit it */
function withOverrides(model: Model, request: ImportRequest): Model {
  const { labels, preprocessing } = request;
  const classes = classCount(model);
  if (labels && labels.length !== classes) {
    throw new AppError(
      'INVALID_ARGUMENT',
      `${labels.length} labels were given, the model has ${classes} outputs.`,
      'Give one label for each output, in order.',
    );
  }
  if (preprocessing) tryOut(preprocessing, model);
  return {
    ...model,
    labels: labels ?? model.labels,
    preprocessing: preprocessing ?? model.preprocessing,
  };
}

/** Lets a preprocessing that cannot be applied fail now rather than at the first image. */
function tryOut(preprocessing: Preprocessing, { graph }: Model): void {
  const channels = graph.inputs[0]?.shape.at(-1);
  if (channels !== 1 && channels !== 3) return;
  normalise(new Uint8Array(channels), new Float32Array(channels), preprocessing, channels);
}

/** The model with batch norms behind its bare convolutions, as images of the data set make them, where there is one. */
async function withNorms(
  model: Model,
  dataset: Dataset | null,
  context: JobContext,
): Promise<Model> {
  const tensors = convolutionsWithoutNorm(model).flatMap(({ outputs }) => outputs.slice(0, 1));
  const split = dataset?.split(dataset.counts.train > 0 ? 'train' : reportSplit(dataset));
  if (tensors.length === 0 || !split) return reinsertBatchNorms(model);
  return reinsertBatchNorms(model, await channelMoments(model, tensors, split, context));
}

/** @throws AppError MODEL_* of the reader, DATA_MISMATCH (before anything is saved) */
export async function runImport(
  request: ImportRequest,
  spec: JobSpec,
  context: JobContext,
): Promise<void> {
  const result = await readModel(request.path, context);
  const read = withOverrides(result.model, request);
  const dataset = request.data === null ? null : openFittingDataset(spec, request.data, read);
  try {
    const model = request.reinsertBatchNorms ? await withNorms(read, dataset, context) : read;
    const version =
      (await earlierVersion(spec, context)) ??
      (await saveVersion(spec, context, model, {
        suggestedName: request.name ?? nameFromPath(request.path),
        parent: null,
        operation: 'import',
        options: request,
        seed: null,
        source: { format: result.format, notes: result.notes },
      }));
    if (dataset && request.data !== null) {
      await evaluateVersion(context, version, { id: request.data, dataset });
    }
    if (request.measure) await measureVersion(context, version);
  } finally {
    dataset?.close();
  }
}

/** @throws AppError NOT_FOUND for an unknown architecture */
export async function runZoo(
  request: ZooRequest,
  spec: JobSpec,
  context: JobContext,
): Promise<void> {
  if (await earlierVersion(spec, context)) return;
  const model = buildZoo(request.architecture, {
    seed: request.seed,
    ...(request.inputShape === null ? {} : { inputShape: request.inputShape }),
    ...(request.classes === null ? {} : { classes: request.classes }),
    ...(request.gamma === undefined ? {} : { gamma: request.gamma }),
  });
  await saveVersion(spec, context, model, {
    suggestedName: request.name ?? request.architecture,
    parent: null,
    operation: 'zoo',
    options: request,
    seed: request.seed,
    source: { format: 'zoo', notes: [] },
  });
}
