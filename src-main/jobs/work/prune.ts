// Pruning as a job: train with sparsity, plan, cut, prove, recalibrate, fine-tune; in one step or in several. Each state that one
// may want to go back to is a version of its own, and each is evaluated, so that raw, recalibrated and
// fine-tuned accuracy stay apart.

import { AppError } from '../../engine/errors';
import { graphCost, storedBytes } from '../../engine/graph/cost';
import type { Model } from '../../engine/graph/types';
import {
  analyse,
  asksForLatency,
  checkEquivalence,
  collectStatistics,
  cut,
  isMeasured,
  planForLatency,
  planPrune,
  stepOptions,
  structureOf,
  type Analysis,
} from '../../engine/prune';
import type { PruneOptions, PrunePlan } from '../../engine/prune/types';
import { recalibrateDefaults } from '../../engine/train/defaults';
import type { TrainOptions } from '../../engine/train/types';
import type { VersionId } from '../../project/types';
import type { JobContext, JobSpec, PruneRequest, TrainRequest } from '../types';
import { begin } from './context';
import { hasBatchNorm, recalibrateVersion, trainVersion } from './recovery';
import {
  earlierVersion,
  evaluateVersion,
  loadVersion,
  measureSideBySide,
  openFittingDataset,
  saveVersion,
  type LoadedVersion,
  type OpenData,
} from './versions';

/** Random inputs of the equivalence check: enough to touch every channel, cheap enough to always run. */
const equivalenceSamples = 4;

/** 'sample' pruned by L1 to half the MACs is 'sample-l1-macs50'. */
export function suggestedPruneName(parent: string, options: PruneOptions): string {
  const { ratio, macs, params, bytes, precision, latency, latencyMs } = options.target;
  const percent = (share: number): string => String(Math.round(share * 1000) / 10);
  const parts = [
    ...(ratio === undefined ? [] : [`ratio${percent(ratio)}`]),
    ...(macs === undefined ? [] : [`macs${percent(macs)}`]),
    ...(params === undefined ? [] : [`params${percent(params)}`]),
    ...(bytes === undefined ? [] : [`${Math.round(bytes / 1000)}kB${precision ?? ''}`]),
    ...(latency === undefined ? [] : [`latency${percent(latency)}`]),
    ...(latencyMs === undefined ? [] : [`${latencyMs}ms`]),
  ];
  if (options.table !== undefined) parts.push('table');
  return [parent, options.criterion, ...parts].join('-');
}

/** What the steps of one job have in common. */
interface Task {
  readonly request: PruneRequest;
  readonly source: LoadedVersion;
  readonly data: OpenData | null;
}

/** Ranks the channels, on data where the criterion asks for it, and chooses those that stay. */
async function planStep(
  spec: JobSpec,
  context: JobContext,
  { source, data }: Task,
  model: Model,
  analysis: Analysis,
  options: PruneOptions,
): Promise<PrunePlan> {
  await begin(context, 'planning', 'Ranking channels');
  const { criterion, images, seed } = options;
  const statistics =
    isMeasured(criterion) && data
      ? await collectStatistics(
          model,
          analysis,
          data.dataset.split('train'),
          { criterion, seed, ...(images === undefined ? {} : { images }) },
          context,
        )
      : undefined;
  const sensitivity = spec.sensitivity?.map;
  if (!asksForLatency(options)) {
    return planPrune(model, options, analysis, statistics, sensitivity);
  }
  const known = {
    analysis,
    ...(statistics === undefined ? {} : { statistics }),
    ...(sensitivity === undefined ? {} : { sensitivity }),
  };
  const inputs = { reference: source.model, ...known };
  return (await planForLatency(model, options, inputs, context)).plan;
}

/** Cuts, proves and saves one step. */
async function cutStep(
  spec: JobSpec,
  context: JobContext,
  task: Task,
  before: LoadedVersion,
  options: PruneOptions,
  name: string,
): Promise<LoadedVersion> {
  const earlier = await earlierVersion(spec, context);
  if (earlier) return earlier;
  const analysis = analyse(before.model, structureOf(options));
  const plan = await planStep(spec, context, task, before.model, analysis, options);
  await begin(context, 'pruning', 'Cutting channels');
  const model = cut(before.model, analysis, plan.kept);
  await begin(context, 'checking', 'Comparing with the masked original');
  const equivalence = await checkEquivalence(before.model, model, analysis, plan.kept, {
    samples: equivalenceSamples,
    seed: options.seed,
  });
  if (!equivalence.passed) {
    throw new AppError(
      'PRUNE_NOT_EQUIVALENT',
      `The cut model differs from the masked original by ${equivalence.maxAbsDiff.toExponential(2)}.`,
      'Nothing was saved. This is a bug in the pruner; please report the model structure.',
      { details: { ...equivalence } },
    );
  }
  return saveVersion(spec, context, model, {
    suggestedName: name,
    parent: before.id,
    operation: 'prune',
    options: { ...task.request, options },
    seed: options.seed,
    source: { format: null, notes: [] },
    equivalence,
    layers: plan.layers,
  });
}

/** Evaluates a cut, recalibrates and fine-tunes as the request says; the last version made. */
async function recover(
  spec: JobSpec,
  context: JobContext,
  pruned: LoadedVersion,
  data: OpenData,
  request: PruneRequest,
): Promise<LoadedVersion> {
  await evaluateVersion(context, pruned, data);
  const recovered = request.recalibrate
    ? await recalibrated(spec, context, pruned, data, request.options.seed)
    : pruned;
  const { fineTune, teacher } = request;
  if (fineTune === null) return recovered;
  return trainOn(spec, context, recovered, data, fineTune, teacher, `${pruned.name}-tuned`);
}

/** The version itself where it has no batch norm. */
async function recalibrated(
  spec: JobSpec,
  context: JobContext,
  version: LoadedVersion,
  data: OpenData,
  seed: number,
): Promise<LoadedVersion> {
  if (!hasBatchNorm(version.model)) {
    context.log('info', `${version.name} has no batch norm: there is nothing to recalibrate.`);
    return version;
  }
  const options = { ...recalibrateDefaults, seed };
  return recalibrateVersion(spec, context, version, data, { options, name: null });
}

/** A version trained on from the weights that it has. */
function trainOn(
  spec: JobSpec,
  context: JobContext,
  version: LoadedVersion,
  data: OpenData,
  options: TrainOptions,
  teacher: VersionId | undefined,
  name: string,
): Promise<LoadedVersion> {
  const request: TrainRequest = {
    kind: 'train',
    version: version.id,
    data: data.id,
    options,
    ...(teacher === undefined ? {} : { teacher }),
    init: 'weights',
    measure: false,
    name: null,
  };
  return trainVersion(spec, context, version, data, { request, start: version.model, name });
}

/** Opens the data that the request names. @throws AppError INVALID_ARGUMENT when something needs it and none is */
function openData(request: PruneRequest, spec: JobSpec, model: Model): OpenData | null {
  if (request.data !== null) {
    return { id: request.data, dataset: openFittingDataset(spec, request.data, model) };
  }
  const { criterion } = request.options;
  if (isMeasured(criterion)) {
    throw new AppError(
      'INVALID_ARGUMENT',
      `The criterion '${criterion}' ranks channels by what they do on images, and no data set is named.`,
      'Name a data set, or choose a criterion that reads the weights alone: l1, l2, bn, fpgm, lamp.',
      { details: { criterion } },
    );
  }
  const { recalibrate, fineTune, sparsify, controls } = request;
  if (!recalibrate && fineTune === null && sparsify === undefined && !controls) return null;
  throw new AppError(
    'INVALID_ARGUMENT',
    'Training before the cut and recovery after it need a data set.',
    'Name a data set, or switch recalibration and trainings off.',
  );
}

/**
 * @throws AppError PRUNE_TARGET_UNREACHABLE, PRUNE_NOT_EQUIVALENT, DATA_MISMATCH, TRAIN_DIVERGED, CANCELLED.
 * Versions of finished steps stay.
 */
export async function runPrune(
  request: PruneRequest,
  spec: JobSpec,
  context: JobContext,
): Promise<void> {
  const { steps, schedule = 'linear', options, sparsify } = request;
  const source = await loadVersion(spec, request.version);
  const data = openData(request, spec, source.model);
  const finalName = request.name ?? suggestedPruneName(source.name, options);
  const { graph } = source.model;
  const start = {
    source: graphCost(graph),
    sourceBytes: storedBytes(graph, options.target.precision ?? 'fp32'),
  };
  try {
    const task: Task = { request, source, data };
    let version = source;
    for (let step = 1; step <= steps; step++) {
      const name = step === steps ? finalName : `${finalName}-step${step}`;
      if (data && sparsify) {
        const sparse = `${name}-sparse`;
        version = await trainOn(spec, context, version, data, sparsify, undefined, sparse);
      }
      const before = graphCost(version.model.graph);
      const now = stepOptions(options, { step, steps, schedule }, { ...start, before });
      const pruned = await cutStep(spec, context, task, version, now, name);
      version = data ? await recover(spec, context, pruned, data, request) : pruned;
    }
    if (request.measure) await measureSideBySide(context, source, version);
  } finally {
    data?.dataset.close();
  }
}
