// Bringing models into a project: from a file, or new from the zoo.

import { basename, dirname, extname } from 'node:path';

import { AppError } from '../../engine/errors';
import { readModel } from '../../engine/formats/table';
import type { Model } from '../../engine/graph/types';
import { buildZoo } from '../../engine/zoo';
import type { ImportRequest, JobContext, JobSpec, ZooRequest } from '../types';
import {
  classCount,
  evaluateVersion,
  measureVersion,
  openFittingDataset,
  saveVersion,
} from './versions';

/** A name from the file: 'model.json' says nothing, so its folder does. */
export function nameFromPath(path: string): string {
  const stem = basename(path, extname(path));
  return stem.toLowerCase() === 'model' ? basename(dirname(path)) : stem;
}

/** The model with what the user said about it. @throws AppError INVALID_ARGUMENT on a wrong number of labels */
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
  return {
    ...model,
    labels: labels ?? model.labels,
    preprocessing: preprocessing ?? model.preprocessing,
  };
}

/** @throws AppError MODEL_* of the reader, DATA_MISMATCH (before anything is saved) */
export async function runImport(
  request: ImportRequest,
  spec: JobSpec,
  context: JobContext,
): Promise<void> {
  const result = await readModel(request.path, context);
  const model = withOverrides(result.model, request);
  const dataset = request.data === null ? null : openFittingDataset(spec, request.data, model);
  try {
    const version = await saveVersion(spec, context, model, {
      suggestedName: request.name ?? nameFromPath(request.path),
      parent: null,
      operation: 'import',
      options: request,
      seed: null,
      source: { format: result.format, notes: result.notes },
    });
    const target = { version, model };
    if (dataset && request.data !== null) {
      await evaluateVersion(context, target, { id: request.data, dataset });
    }
    if (request.measure) await measureVersion(context, target);
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
  const model = buildZoo(request.architecture, {
    seed: request.seed,
    ...(request.inputShape === null ? {} : { inputShape: request.inputShape }),
    ...(request.classes === null ? {} : { classes: request.classes }),
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
