// Making a version: counts, size on a device, staged blob, and what is measured of it at once.

import { openDataset } from '../../engine/data/decode';
import { checkFit } from '../../engine/data/fit';
import type { Dataset, SplitName } from '../../engine/data/types';
import { graphCost } from '../../engine/graph/cost';
import { inferShapes } from '../../engine/graph/shapes';
import type { Model } from '../../engine/graph/types';
import { evaluateTask } from '../../engine/measure/accuracy';
import { measureLatency } from '../../engine/measure/latency';
import { exportedBytes } from '../../engine/measure/size';
import type { DatasetId, VersionId } from '../../project/types';
import type { JobContext, JobSpec, MeasureRequest, VersionDraft } from '../types';
import { begin, labelled } from './context';
import { datasetSource, loadModel, stageModel, versionSource } from './files';

/** Runs, on one thread: the setting that versions are compared at by default. */
export const defaultLatency = { runtime: 'litert', threads: 1, runs: 50 } as const;

type DraftFacts = Pick<
  VersionDraft,
  'suggestedName' | 'parent' | 'operation' | 'options' | 'seed' | 'source'
> &
  Partial<Pick<VersionDraft, 'equivalence' | 'layers' | 'history'>>;

/** Number of outputs of the first output tensor: classes of a classifier. */
export function classCount(model: Model): number {
  const output = model.graph.outputs[0];
  const shape = output && inferShapes(model.graph).get(output.tensor);
  return shape?.at(-1) ?? 0;
}

/** A version whose model is in memory. */
export interface LoadedVersion {
  readonly id: VersionId;
  readonly name: string;
  readonly model: Model;
}

/** Reads a version that the request names. @throws AppError NOT_FOUND, MODEL_CORRUPT */
export async function loadVersion(spec: JobSpec, id: VersionId): Promise<LoadedVersion> {
  const { name, file } = versionSource(spec, id);
  return { id, name, model: await loadModel(file) };
}

/**
 * The version that an earlier run of the job made at this point; null where it is still to be made. To be asked
 * exactly once before each version.
 */
export async function earlierVersion(
  spec: JobSpec,
  context: JobContext,
): Promise<LoadedVersion | null> {
  const id = context.earlier('version');
  return id === null ? null : loadVersion(spec, id);
}

/** Stages the model and hands it to the project; the version exists when this returns. */
export async function saveVersion(
  spec: JobSpec,
  context: JobContext,
  model: Model,
  facts: DraftFacts,
): Promise<LoadedVersion> {
  await begin(context, 'writing', `Saving ${facts.suggestedName}`);
  const cost = graphCost(model.graph);
  const tfliteBytes = await exportedBytes(model);
  const blob = await stageModel(spec.tempDir, model);
  const draft: VersionDraft = {
    equivalence: null,
    layers: null,
    history: [],
    ...facts,
    blob,
    cost,
    bytes: tfliteBytes ?? cost.weightBytes,
    bytesOf: tfliteBytes === null ? 'weights' : 'tflite',
    inputShape: model.graph.inputs[0]?.shape ?? [],
    classes: classCount(model),
  };
  const id = await context.save({ type: 'version', draft });
  return { id, name: facts.suggestedName, model };
}

/** Opens a data set that the request names and makes sure that it fits the model. */
export function openFittingDataset(spec: JobSpec, id: DatasetId, model: Model): Dataset {
  const source = datasetSource(spec, id);
  checkFit(source.info, model);
  return openDataset(source.cacheFile);
}

/** The split whose accuracy stands for the version: test, else validation, else training. */
export function reportSplit(dataset: Pick<Dataset, 'counts'>): SplitName {
  if (dataset.counts.test > 0) return 'test';
  return dataset.counts.val > 0 ? 'val' : 'train';
}

/** A data set that is open. */
export interface OpenData {
  readonly id: DatasetId;
  readonly dataset: Dataset;
}

/** Evaluates a saved version and stores the result; on the reporting split unless another is named. */
export async function evaluateVersion(
  context: JobContext,
  { id, name, model }: LoadedVersion,
  data: OpenData,
  split: SplitName = reportSplit(data.dataset),
): Promise<void> {
  if (context.earlier('evaluation') !== null) return;
  const accuracy = await evaluateTask(
    model,
    data.dataset.split(split),
    split,
    labelled(context, `Evaluating ${name} on ${split}`),
  );
  await context.save({ type: 'evaluation', version: id, data: data.id, accuracy });
}

/**
 * Measures what a job started from and what it made, one right after the other: latencies taken at different
 * times differ by what else the machine was doing.
 */
export async function measureSideBySide(
  context: JobContext,
  before: LoadedVersion,
  after: LoadedVersion,
): Promise<void> {
  await measureVersion(context, before);
  await measureVersion(context, after);
}

/** Measures the latency of a saved version and stores the result. */
export async function measureVersion(
  context: JobContext,
  { id, name, model }: LoadedVersion,
  how: Pick<MeasureRequest, 'runtime' | 'threads' | 'runs'> = defaultLatency,
): Promise<void> {
  if (context.earlier('measurement') !== null) return;
  const latency = await measureLatency(
    model,
    { ...how, warmup: 5 },
    labelled(context, `Measuring ${name} on ${how.runtime}`),
  );
  await context.save({ type: 'measurement', version: id, latency });
}
