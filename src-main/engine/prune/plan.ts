// Plans a cut: ranks channels, reaches the target within the limits, and explains the result by layer.

import { AppError } from '../errors';
import { nodeCosts } from '../graph/cost';
import type { Model, Node } from '../graph/types';
import { foldConstants } from './fold';
import type { Analysis } from './groups';
import { analyse, keptChannels } from './groups';
import type { ChannelStatistics } from './importance';
import { scoreChannels } from './importance';
import { ceilingFloors } from './ceilings';
import { groupLimits } from './limits';
import { checkOptions, findLayer } from './options';
import { plannedNodeCosts } from './planned-cost';
import type { Outcome } from './reasons';
import { reportLayers } from './reasons';
import { select, selectMost } from './select';
import { rankBySensitivity, requireMap } from './sensitivity/rank';
import type { SensitivityMap } from './sensitivity/types';
import { cut } from './surgery';
import { tableCuts } from './table';
import type { Structure } from './trunk';
import { structureOf } from './trunk';
import { budgetUnreachable } from './unreachable';
import type { LayerReport, PruneOptions, PrunePlan, PruneResult } from './types';

/**
 * Chooses the channels to keep. Pure; with a ready analysis, fast enough to follow a slider.
 *
 * Several targets must all hold. `ratio` asks for a share of the channels: of each group ('layer') or of all
 * groups that can be cut ('global'), and never cuts more; budgets are reached, and undershot by less than one
 * step of one group. Limits (`align`, `minChannels`, `maxRatio`, `ceilings`, `protect`) always hold. A limit on
 * latency is not looked at here, since it has to be measured: see `planForLatency`.
 * @param analysis of the same model and of the structure that the options ask for, to reuse it.
 * @param statistics for criteria that need data.
 * @param sensitivity for the scope of that name; it is of this model, or of one that this was cut from.
 * @throws AppError INVALID_ARGUMENT, NOT_FOUND (a layer name), MODEL_NOT_FINITE, PRUNE_TARGET_UNREACHABLE.
 */
export function planPrune(
  model: Model,
  options: PruneOptions,
  analysis: Analysis = analyse(model, structureOf(options)),
  statistics?: ChannelStatistics,
  sensitivity?: SensitivityMap,
): PrunePlan {
  return plan(select, model, options, analysis, statistics, sensitivity);
}

/**
 * The furthest that the limits allow, whatever the targets say; what a table names goes as far as the table says.
 * @throws AppError as `planPrune`, but never PRUNE_TARGET_UNREACHABLE.
 */
export function planLargestCut(
  model: Model,
  options: PruneOptions,
  analysis: Analysis = analyse(model, structureOf(options)),
  statistics?: ChannelStatistics,
  sensitivity?: SensitivityMap,
): PrunePlan {
  return plan(selectMost, model, options, analysis, statistics, sensitivity);
}

function plan(
  choose: typeof select,
  model: Model,
  options: PruneOptions,
  analysis: Analysis,
  statistics?: ChannelStatistics,
  sensitivity?: SensitivityMap,
): PrunePlan {
  checkOptions(options);
  checkAnalysis(model, analysis, structureOf(options));
  const protectedBy = protectedClasses(analysis, options.protect);
  const scores = scoreChannels(analysis, options, statistics);
  const room = groupLimits(
    analysis,
    scores,
    protectedBy,
    options,
    ceilingFloors(analysis, options.ceilings ?? {}),
  );
  const fixed = tableCuts(analysis, options.table ?? {});
  const limits =
    options.scope === 'sensitivity'
      ? rankBySensitivity(analysis, room, fixed, requireMap(sensitivity))
      : room;
  const outcome = choose(analysis, limits, fixed, options);
  const selection = 'missed' in outcome ? outcome.nearest : outcome;
  const layers = reportLayers(analysis, {
    options,
    limits,
    asked: selection.asked,
    fixed,
    protectedBy,
    ...costsOf(analysis, selection.dropped),
  });
  if ('missed' in outcome) throw budgetUnreachable(outcome.missed, outcome.reached, layers);
  return {
    options,
    kept: keptChannels(analysis, selection.dropped),
    before: analysis.cost,
    after: selection.after,
    layers,
    folds: foldConstants(analysis, selection.dropped).folds,
  };
}

/**
 * Plans and cuts.
 * @throws AppError as `planPrune`.
 */
export function prune(
  model: Model,
  options: PruneOptions,
  analysis: Analysis = analyse(model, structureOf(options)),
  statistics?: ChannelStatistics,
  sensitivity?: SensitivityMap,
): PruneResult {
  const plan = planPrune(model, options, analysis, statistics, sensitivity);
  return { model: cut(model, analysis, plan.kept), plan };
}

/**
 * Reports for a model of which nothing is cut yet: layers that can be cut are PRUNABLE, others say why not.
 */
export function explainLayers(
  model: Model,
  analysis: Analysis = analyse(model),
): readonly LayerReport[] {
  checkAnalysis(model, analysis, analysis.structure);
  const options = {
    scope: 'layer',
    target: {},
    align: 1,
    minChannels: 1,
    maxRatio: 1,
  } as const;
  const unranked = analysis.channels.map(({ count }) => new Float64Array(count));
  const limits = groupLimits(analysis, unranked, new Map(), options);
  return reportLayers(analysis, {
    options,
    limits,
    asked: limits.map(() => 0),
    fixed: new Map(),
    protectedBy: new Map(),
    ...costsOf(analysis, new Uint8Array(analysis.flow.classCount)),
  });
}

function costsOf(
  analysis: Analysis,
  dropped: Uint8Array,
): Pick<Outcome, 'dropped' | 'costsBefore' | 'costsAfter'> {
  const { graph, shapes } = analysis.flow;
  return {
    dropped,
    costsBefore: nodeCosts(graph, shapes),
    costsAfter: plannedNodeCosts(analysis, dropped),
  };
}

function checkAnalysis(model: Model, analysis: Analysis, wanted: Structure): void {
  const { trunk, grouped } = analysis.structure;
  const fits = trunk === wanted.trunk && grouped === wanted.grouped;
  if (analysis.flow.graph === model.graph && fits) return;
  throw new AppError(
    'INTERNAL',
    'The analysis is of another model, or of other choices of its structure.',
    'Analyse the model that is to be pruned, with the structure that the options ask for.',
  );
}

/** By class, the first protected layer that has it among its outputs. */
function protectedClasses({ flow }: Analysis, names: readonly string[]): ReadonlyMap<number, Node> {
  const result = new Map<number, Node>();
  for (const name of names) {
    const node = findLayer(flow.graph, name);
    for (const tensor of node.outputs) {
      for (const channel of flow.labels.get(tensor)!.ids) {
        if (!result.has(channel)) result.set(channel, node);
      }
    }
  }
  return result;
}
