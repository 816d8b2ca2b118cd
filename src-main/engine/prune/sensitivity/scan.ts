// Measures a sensitivity map: one group at one width at a time, cut for real, so that narrow candidates run
// faster. Points are handed out as they come; a run that is given those of an earlier one leaves them out.

import type { EngineContext } from '../../context';
import type { Dataset, ImageSplit, SplitName } from '../../data/types';
import type { Model } from '../../graph/types';
import { evaluate } from '../../measure/accuracy';
import { loadBackend, type Backend } from '../../runtime/backend';
import { recalibrateBatchNorm } from '../../train/recalibrate';
import { analyse, type Analysis, type KeptChannels } from '../groups';
import { scoreChannels, type ChannelStatistics } from '../importance';
import { cutCount, groupLimits, type GroupLimits } from '../limits';
import { defaultPruneOptions, isMeasured } from '../options';
import { collectStatistics } from '../statistics';
import { cut } from '../surgery';
import { structureOf } from '../trunk';
import { checkSensitivityOptions } from './defaults';
import type {
  GroupWidths,
  Score,
  SensitivityHead,
  SensitivityMap,
  SensitivityOptions,
  SensitivityPoint,
} from './types';

/** Few batches: statistics of hundreds of images are close enough to rank by, and every candidate pays for them. */
const recalibration = { batches: 4, batchSize: 128 };

/** Where the results go; each is kept before the next is begun. */
export interface SensitivitySink {
  /** Called once, unless an earlier run had come as far. */
  head(head: SensitivityHead): Promise<void>;
  point(point: SensitivityPoint): Promise<void>;
}

export interface ScanExtras {
  /** What an earlier run with the same options has measured. */
  readonly known?: SensitivityMap | null;
  readonly backend?: Backend;
}

/**
 * The split that sensitivity is measured on: images that training did not see, and never those that stand for the
 * final accuracy, unless there are no others.
 */
export function sensitivitySplit({ counts }: Pick<Dataset, 'counts'>): SplitName {
  if (counts.val > 0) return 'val';
  return counts.train > 0 ? 'train' : 'test';
}

/**
 * Scores every group at every width of the grid with the other groups whole.
 * @throws AppError INVALID_ARGUMENT, DATA_MISMATCH, RUNTIME_UNAVAILABLE, or the reason of the signal; what the sink
 *   has been given stays good
 */
export async function scanSensitivity(
  model: Model,
  dataset: Dataset,
  options: SensitivityOptions,
  sink: SensitivitySink,
  context: EngineContext,
  { known = null, backend }: ScanExtras = {},
): Promise<void> {
  checkSensitivityOptions(options);
  const analysis = analyse(model, structureOf(options));
  const { criterion, seed } = options;
  const statistics = isMeasured(criterion)
    ? await collectStatistics(
        model,
        analysis,
        calibrationSplit(dataset),
        { criterion, seed, ...(backend === undefined ? {} : { backend }) },
        context,
      )
    : undefined;
  const limits = widestLimits(analysis, options, statistics);
  const groups = groupWidths(analysis, limits, options.grid);
  const total = 1 + groups.reduce((sum, { widths }) => sum + widths.length, 0);
  const score = await scorer(dataset, options, context, backend);
  let done = 0;
  const tell = (label: string): void =>
    context.progress({ phase: 'evaluating', label, done, total });
  if (known === null) {
    tell('Scoring the whole network');
    const split = sensitivitySplit(dataset);
    const samples = Math.min(options.samples, dataset.counts[split]);
    await sink.head({ options, split, samples, baseline: await score(model), groups });
  }
  done++;
  const finished = new Set(known?.points.map(({ group, kept }) => `${group} ${kept}`));
  for (const { group, layers, channels, widths } of groups) {
    for (const kept of widths) {
      // What is known is passed over in silence: a rate that counts it would promise too much.
      if (!finished.has(`${group} ${kept}`)) {
        tell(`Scoring ${layers.join(' + ')} at ${kept} of ${channels} channels`);
        const choice = keepWidth(analysis, limits[group]!, group, kept);
        await sink.point({ group, kept, ...(await score(cut(model, analysis, choice))) });
      }
      done++;
    }
  }
  tell('All groups are scored');
}

/** Images that statistics are taken from: those of the training, where there are any. */
function calibrationSplit(dataset: Dataset): ImageSplit {
  return dataset.split(dataset.counts.train > 0 ? 'train' : sensitivitySplit(dataset));
}

/** The limits that leave the most room: a map serves cuts with any limits. */
function widestLimits(
  analysis: Analysis,
  { criterion, seed }: SensitivityOptions,
  statistics: ChannelStatistics | undefined,
): readonly GroupLimits[] {
  const { reduction } = defaultPruneOptions;
  const scores = scoreChannels(analysis, { criterion, reduction, seed }, statistics);
  const room = { align: 1, minChannels: 1, maxRatio: 1, scope: 'sensitivity' } as const;
  return groupLimits(analysis, scores, new Map(), room, new Map());
}

/** By group that can be cut: the widths of the grid as whole numbers of channels, each once. */
export function groupWidths(
  analysis: Analysis,
  limits: readonly GroupLimits[],
  grid: readonly number[],
): readonly GroupWidths[] {
  const names = new Map(analysis.flow.graph.nodes.map(({ id, name }) => [id, name]));
  const shares = [...grid].sort((a, b) => b - a);
  return analysis.groups.flatMap(({ id, producers }) => {
    const limit = limits[id]!;
    const kept = shares.map((share) => {
      const wanted = Math.max(1, Math.round(limit.count * share));
      return limit.count - cutCount(limit, limit.count - wanted);
    });
    const widths = [...new Set(kept)].filter((width) => width < limit.count);
    if (widths.length === 0) return [];
    const layers = producers.map((node) => names.get(node)!);
    return [{ group: id, layers, channels: limit.count, widths }];
  });
}

/** A choice that keeps all groups whole but one. */
function keepWidth(
  { channels }: Analysis,
  { order, count }: GroupLimits,
  group: number,
  kept: number,
): KeptChannels {
  const goes = new Set(order.channels.subarray(0, count - kept));
  const all = Int32Array.from({ length: channels[group]!.count }, (_, channel) => channel);
  return new Map([[group, all.filter((channel) => !goes.has(channel))]]);
}

/** What scores a candidate: recalibrated where asked, on the same images for all. */
async function scorer(
  dataset: Dataset,
  { samples, recalibrate, seed }: SensitivityOptions,
  context: EngineContext,
  chosen: Backend | undefined,
): Promise<(model: Model) => Promise<Score>> {
  const backend = chosen ?? (await loadBackend());
  const name = sensitivitySplit(dataset);
  const split = dataset.split(name);
  const calibration = calibrationSplit(dataset);
  // The bar counts candidates; their own batches would throw it back.
  const quiet = { ...context, progress: (): void => undefined };
  return async (model) => {
    const hasNorm = model.graph.nodes.some(({ op }) => op === 'batchNorm');
    const candidate =
      recalibrate && hasNorm
        ? await recalibrateBatchNorm(model, calibration, { ...recalibration, seed, backend }, quiet)
        : model;
    const { top1, loss } = await evaluate(candidate, split, name, quiet, {
      limit: samples,
      backend,
    });
    return { top1, loss };
  };
}
