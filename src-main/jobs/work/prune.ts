// Pruning as a job: plan, cut, prove, recalibrate, fine-tune; in one step or in several. Each state that one
// may want to go back to is a version of its own, and each is evaluated, so that raw, recalibrated and
// fine-tuned accuracy stay apart.

import type { Dataset } from '../../engine/data/types';
import { AppError } from '../../engine/errors';
import type { Model } from '../../engine/graph/types';
import { analyse, checkEquivalence, cut, planPrune } from '../../engine/prune';
import type { PruneOptions, PruneTarget } from '../../engine/prune/types';
import { recalibrateBatchNorm } from '../../engine/train/recalibrate';
import { train } from '../../engine/train/trainer';
import type { DatasetId, VersionId } from '../../project/types';
import type { JobContext, JobSpec, PruneRequest } from '../types';
import { loadModel, versionSource } from './files';
import { evaluateVersion, measureVersion, openFittingDataset, saveVersion } from './versions';

/** Random inputs of the equivalence check: enough to touch every channel, cheap enough to always run. */
const equivalenceSamples = 4;
/** Batches whose statistics replace those of the uncut network. */
const recalibration = { batches: 20, batchSize: 128 };

interface State {
  readonly id: VersionId;
  readonly name: string;
  readonly model: Model;
}

interface Data {
  readonly id: DatasetId;
  readonly dataset: Dataset;
}

/** Share of the parent's figure that is left after step `step` of `steps`, going down linearly to `share`. */
function shareAt(share: number, step: number, steps: number): number {
  return 1 - ((1 - share) * step) / steps;
}

/**
 * The target of one step, relative to the state before it, such that the last step ends at the target of the
 * whole. Bytes are absolute and go down linearly from `bytesNow`.
 */
export function stepTarget(
  target: PruneTarget,
  step: number,
  steps: number,
  bytesAtStart: number,
): PruneTarget {
  const relative = (share: number): number =>
    shareAt(share, step, steps) / shareAt(share, step - 1, steps);
  return {
    ...(target.ratio === undefined ? {} : { ratio: 1 - relative(1 - target.ratio) }),
    ...(target.macs === undefined ? {} : { macs: relative(target.macs) }),
    ...(target.params === undefined ? {} : { params: relative(target.params) }),
    ...(target.bytes === undefined
      ? {}
      : { bytes: Math.floor(bytesAtStart + ((target.bytes - bytesAtStart) * step) / steps) }),
  };
}

/** 'sample' pruned by L1 to half the MACs is 'sample-l1-macs50'. */
export function suggestedPruneName(parent: string, options: PruneOptions): string {
  const { ratio, macs, params, bytes } = options.target;
  const percent = (share: number): string => String(Math.round(share * 1000) / 10);
  const parts = [
    ...(ratio === undefined ? [] : [`ratio${percent(ratio)}`]),
    ...(macs === undefined ? [] : [`macs${percent(macs)}`]),
    ...(params === undefined ? [] : [`params${percent(params)}`]),
    ...(bytes === undefined ? [] : [`${Math.round(bytes / 1000)}kB`]),
  ];
  return [parent, options.criterion, ...parts].join('-');
}

/** Cuts, proves and saves one step. */
async function cutStep(
  spec: JobSpec,
  context: JobContext,
  before: State,
  options: PruneOptions,
  name: string,
  request: PruneRequest,
): Promise<State> {
  context.progress({ phase: 'planning', label: 'Ranking channels', done: 0, total: 1 });
  const analysis = analyse(before.model);
  const plan = planPrune(before.model, options, analysis);
  context.progress({ phase: 'pruning', label: 'Cutting channels', done: 0, total: 1 });
  const model = cut(before.model, analysis, plan.kept);
  context.progress({
    phase: 'checking',
    label: 'Comparing with the masked original',
    done: 0,
    total: 1,
  });
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
  const id = await saveVersion(spec, context, model, {
    suggestedName: name,
    parent: before.id,
    operation: 'prune',
    options: { ...request, options },
    seed: options.seed,
    source: { format: null, notes: [] },
    equivalence,
    layers: plan.layers,
  });
  return { id, name, model };
}

/** Recalibrates and fine-tunes as the request says; the last state made. */
async function recover(
  spec: JobSpec,
  context: JobContext,
  state: State,
  data: Data,
  request: PruneRequest,
): Promise<State> {
  let current = state;
  if (request.recalibrate) {
    const seed = request.options.seed;
    const model = await recalibrateBatchNorm(
      current.model,
      data.dataset.split('train'),
      { ...recalibration, seed },
      context,
    );
    const name = `${state.name}-recalibrated`;
    const id = await saveVersion(spec, context, model, {
      suggestedName: name,
      parent: current.id,
      operation: 'recalibrate',
      options: { ...recalibration, seed, data: data.id },
      seed,
      source: { format: null, notes: [] },
    });
    current = { id, name, model };
    await evaluateVersion(context, { version: id, model }, data);
  }
  if (request.fineTune) {
    const result = await train(current.model, data.dataset, request.fineTune, context);
    const name = `${state.name}-tuned`;
    const id = await saveVersion(spec, context, result.model, {
      suggestedName: name,
      parent: current.id,
      operation: 'train',
      options: { options: request.fineTune, data: data.id },
      seed: request.fineTune.seed,
      source: { format: null, notes: [] },
      history: result.history,
    });
    current = { id, name, model: result.model };
    await evaluateVersion(context, { version: id, model: result.model }, data);
  }
  return current;
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
  const source = versionSource(spec, request.version);
  const model = await loadModel(source.file);
  if ((request.recalibrate || request.fineTune) && request.data === null) {
    throw new AppError(
      'INVALID_ARGUMENT',
      'Recovery after the cut needs a data set.',
      'Name a data set, or switch recalibration and fine-tuning off.',
    );
  }
  const data =
    request.data === null
      ? null
      : { id: request.data, dataset: openFittingDataset(spec, request.data, model) };
  const finalName = request.name ?? suggestedPruneName(source.name, request.options);
  const bytesAtStart = analyse(model).cost.weightBytes;
  try {
    let state: State = { id: source.id, name: source.name, model };
    for (let step = 1; step <= request.steps; step++) {
      const name = request.steps === 1 ? finalName : `${finalName}-step${step}`;
      const target = stepTarget(request.options.target, step, request.steps, bytesAtStart);
      const options = { ...request.options, target };
      const pruned = await cutStep(spec, context, state, options, name, request);
      if (data) await evaluateVersion(context, { version: pruned.id, model: pruned.model }, data);
      state = data ? await recover(spec, context, pruned, data, request) : pruned;
    }
    if (request.measure) await measureVersion(context, { version: state.id, model: state.model });
  } finally {
    data?.dataset.close();
  }
}
