// Plans a cut: ranks channels, reaches the target within the limits, and explains the result by layer.

import { AppError } from '../errors';
import { nodeCosts } from '../graph/cost';
import type { Cost, Model, Node } from '../graph/types';
import { foldConstants } from './fold';
import type { Analysis } from './groups';
import { analyse, keptChannels } from './groups';
import type { ChannelStatistics } from './importance';
import { scoreChannels } from './importance';
import { groupLimits, largestCut } from './limits';
import { checkOptions, findLayer } from './options';
import { plannedNodeCosts } from './planned-cost';
import type { Outcome } from './reasons';
import { reportLayers } from './reasons';
import type { Budget, Selection } from './select';
import { select } from './select';
import { rankBySensitivity, requireMap } from './sensitivity/rank';
import type { SensitivityMap } from './sensitivity/types';
import { cut } from './surgery';
import type { Structure } from './trunk';
import { structureOf } from './trunk';
import type { LayerReport, PruneOptions, PrunePlan, PruneResult } from './types';

/**
 * Chooses the channels to keep. Pure; with a ready analysis, fast enough to follow a slider.
 *
 * Several targets must all hold. `ratio` asks for a share of the channels: of each group ('layer') or of all
 * groups that can be cut ('global'), and never cuts more; budgets are reached, and undershot by less than one
 * step of one group. Limits (`align`, `minChannels`, `maxRatio`, `protect`) always hold.
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
  checkOptions(options);
  checkAnalysis(model, analysis, structureOf(options));
  const protectedBy = protectedClasses(analysis, options.protect);
  const scores = scoreChannels(analysis, options, statistics);
  const room = groupLimits(analysis, scores, protectedBy, options);
  const fixed = tableCuts(analysis, options.table ?? {});
  const limits =
    options.scope === 'sensitivity'
      ? rankBySensitivity(analysis, room, fixed, requireMap(sensitivity))
      : room;
  const outcome = select(analysis, limits, fixed, options);
  const selection = 'missed' in outcome ? outcome.nearest : outcome;
  const layers = reportLayers(analysis, {
    options,
    limits,
    asked: selection.asked,
    fixed,
    protectedBy,
    ...costsOf(analysis, selection.dropped),
  });
  if ('missed' in outcome) throw unreachable(outcome.missed, analysis.cost, selection, layers);
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

/** By group, how many channels the table asks to cut. */
function tableCuts(
  analysis: Analysis,
  table: Readonly<Record<string, number>>,
): ReadonlyMap<number, number> {
  const cuts = new Map<number, number>();
  const namedBy = new Map<number, string>();
  for (const [name, value] of Object.entries(table)) {
    const { group, count, width } = groupOfLayer(analysis, name);
    if (value > width) {
      throw tableError(name, `has ${width} channels and cannot keep ${value}`);
    }
    // A number of channels that falls between two cuts of the group keeps the larger.
    const cutChannels =
      value < 1 ? largestCut(count, value) : count - Math.ceil((value * count) / width);
    const other = namedBy.get(group);
    if (other !== undefined && cuts.get(group) !== cutChannels) {
      throw tableError(name, `moves together with "${other}", which the table cuts differently`);
    }
    cuts.set(group, cutChannels);
    namedBy.set(group, name);
  }
  return cuts;
}

/** The one group whose channels a layer's output is made of, and the output's width. */
function groupOfLayer(
  { flow, groupOf, channels }: Analysis,
  name: string,
): { readonly group: number; readonly count: number; readonly width: number } {
  const node = findLayer(flow.graph, name);
  const { ids } = flow.labels.get(node.outputs[0]!)!;
  const group = ids.length === 0 ? -1 : groupOf[ids[0]!]!;
  const count = channels[group]?.count ?? 0;
  const positions = new Map<number, number>();
  for (const channel of ids) positions.set(channel, (positions.get(channel) ?? 0) + 1);
  const even = [...positions.values()].every((number) => number * count === ids.length);
  if (group < 0 || positions.size !== count || !even) {
    throw tableError(name, 'does not carry all channels of one group, each as often');
  }
  return { group, count, width: ids.length };
}

function tableError(layer: string, problem: string): AppError {
  return new AppError(
    'INVALID_ARGUMENT',
    `The table names layer "${layer}", which ${problem}.`,
    'Name a layer with filters, and each set of layers that move together once.',
    { details: { layer } },
  );
}

const figureNames = { macs: 'MACs', params: 'parameters', weightBytes: 'bytes' } as const;

/** Says how far one can go, and which layers hold most of what is left. */
function unreachable(
  { figure, limit }: Budget,
  before: Cost,
  { after }: Selection,
  layers: readonly LayerReport[],
): AppError {
  const left = (layer: LayerReport): number => (figure === 'macs' ? layer.macsTo : layer.paramsTo);
  const largest = [...layers].sort((a, b) => left(b) - left(a)).slice(0, 3);
  const percent = (value: number): string => `${((100 * value) / before[figure]).toFixed(1)} %`;
  const number = (value: number): string => Math.round(value).toLocaleString('en');
  const holders = largest.map((layer) => `"${layer.name}" (${layer.reason.replace(/\.$/, '')})`);
  return new AppError(
    'PRUNE_TARGET_UNREACHABLE',
    `The model can go down to ${number(after[figure])} ${figureNames[figure]} ` +
      `(${percent(after[figure])} of ${number(before[figure])}), not to ${number(limit)} ` +
      `(${percent(limit)}). Most of what is left is in ${holders.join(', ')}.`,
    'Ask for less, or give more room: a larger maximum ratio, fewer minimum channels, a smaller multiple, ' +
      'fewer protected layers.',
    {
      details: { figure, limit, reachable: after[figure], layers: largest.map(({ name }) => name) },
    },
  );
}
