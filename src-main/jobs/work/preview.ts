// The prune preview: what a cut would do, without cutting. What a criterion has to measure is measured once and kept
// with the model.

import { checkFit } from '../../engine/data/fit';
import { openDataset } from '../../engine/data/decode';
import { silentContext, type Progress } from '../../engine/context';
import { AppError } from '../../engine/errors';
import { storedBytes } from '../../engine/graph/cost';
import type { Graph } from '../../engine/graph/types';
import {
  asksForLatency,
  collectStatistics,
  explainLayers,
  isMeasured,
  planLargestCut,
  planPrune,
  planTable,
  sharesAfterSteps,
  structureCosts,
  structureOf,
  type Analysis,
  type ChannelStatistics,
} from '../../engine/prune';
import type { PruneOptions, PruneTarget } from '../../engine/prune/types';
import type { Questions } from '../analyst-protocol';
import type { DatasetSource } from '../types';
import { examine, type Examined } from './model-cache';

let measuring = new AbortController();

/** Makes everything that is being measured for a preview end with CANCELLED. */
export function stopMeasuring(): void {
  measuring.abort(
    new AppError('CANCELLED', 'Measuring for the preview was stopped.', 'Choose the method again.'),
  );
  measuring = new AbortController();
}

/**
 * @throws AppError PRUNE_TARGET_UNREACHABLE, NOT_FOUND, CANCELLED, DATA_MISMATCH, or INVALID_ARGUMENT when the
 * criterion is measured and there is no data
 */
export async function previewPrune(
  { file, options, bytesBefore, sensitivity, data, steps, schedule }: Questions['preview']['args'],
  onProgress: (progress: Progress) => void = () => undefined,
): Promise<Questions['preview']['reply']> {
  const examined = await examine(file);
  const { model } = examined;
  const analysis = examined.analysis(structureOf(options));
  const statistics = data
    ? await statisticsOf(examined, analysis, options, data, onProgress)
    : undefined;
  const others = [statistics, sensitivity ?? undefined] as const;
  const inputs = [analysis, ...others] as const;
  const guess = guessed(options);
  // What MACs cannot say: how far one can go. The job measures.
  const furthest = planLargestCut(model, guess, ...inputs);
  const isBeyond =
    asksForLatency(options) &&
    furthest.after.macs > (guess.target.macs ?? 1) * furthest.before.macs;
  const plan = isBeyond ? furthest : planPrune(model, guess, ...inputs);
  const prunable = explainLayers(model, analysis).filter((report) => report.code === 'PRUNABLE');
  return {
    before: plan.before,
    after: plan.after,
    bytesBefore,
    // The file is weights plus structure, and the structure stays: only the weights' share shrinks.
    bytesAfter: bytesBefore - (plan.before.weightBytes - plan.after.weightBytes),
    layers: plan.layers,
    groups: analysis.groups,
    layersCut: plan.layers.filter((layer) => layer.to < layer.from).length,
    layersPrunable: prunable.length,
    weightBytes: {
      fp32: storedBytes(model.graph, 'fp32'),
      fp16: storedBytes(model.graph, 'fp16'),
      int8: storedBytes(model.graph, 'int8'),
    },
    latencyGuessed: asksForLatency(options),
    stepShares: sharesAfterSteps(shareLeft(options.target, model.graph), steps, schedule),
    table: planTable(analysis, plan),
    choices: structureCosts(
      guess,
      (structure) => examined.analysis(structure),
      (choice) => planPrune(model, choice, examined.analysis(structureOf(choice)), ...others).after,
    ),
  };
}

/** The options with MACs in the place of a share of latency: most of the time, not all of it. */
function guessed(options: PruneOptions): PruneOptions {
  const { latency, macs } = options.target;
  if (latency === undefined) return options;
  return { ...options, target: { ...options.target, macs: Math.min(macs ?? 1, latency) } };
}

/** The share that the strictest target leaves of its figure. */
function shareLeft(target: PruneTarget, graph: Graph): number {
  const { ratio, macs, params, bytes, precision = 'fp32', latency } = target;
  const shares = [macs, params, latency, bytes && bytes / storedBytes(graph, precision)];
  return Math.min(1 - (ratio ?? 0), ...shares.map((share) => share ?? 1));
}

async function statisticsOf(
  examined: Examined,
  analysis: Analysis,
  { criterion, images, seed }: PruneOptions,
  data: DatasetSource,
  onProgress: (progress: Progress) => void,
): Promise<ChannelStatistics | undefined> {
  if (!isMeasured(criterion)) return undefined;
  checkFit(data.info, examined.model);
  const key = JSON.stringify([criterion, data.cacheFile, images, seed, analysis.structure]);
  return examined.statistics(key, async () => {
    const dataset = openDataset(data.cacheFile);
    try {
      const { signal } = measuring;
      const options = { criterion, seed, ...(images === undefined ? {} : { images }) };
      const context = { ...silentContext, signal, progress: onProgress };
      return await collectStatistics(
        examined.model,
        analysis,
        dataset.split('train'),
        options,
        context,
      );
    } finally {
      dataset.close();
    }
  });
}
