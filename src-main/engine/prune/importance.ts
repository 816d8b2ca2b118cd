// Importance of every channel of every group: each member layer scores its own positions, the scores meet at
// the group's channels, are reduced to one a channel, and are normalised so that groups can be compared.

import { AppError } from '../errors';
import { createRng } from '../graph/rng';
import type { Graph, Node, NodeId, Weight } from '../graph/types';
import type { FlowSite } from './channels';
import { distanceSums, l1Norms, l2Norms, lampScores, magnitudes } from './filter-scores';
import type { Analysis, GroupChannels } from './groups';
import { defaultNormalisation, isMeasured } from './options';
import type {
  Criterion,
  GroupReduction,
  MeasuredCriterion,
  Normalisation,
  PruneOptions,
} from './types';

/**
 * Scores measured on data, by producing layer: one number for each of its output channels, larger means more
 * important. For 'taylor' the mean over batches of the squared sum over the filter of weight * gradient (Molchanov
 * et al. 2019), for 'activation' the mean |activation|, for 'apoz' one minus the share of zeros (Hu et al. 2016).
 * A layer that is missing has no say. Collected by `collectStatistics`.
 */
export type ChannelStatistics = ReadonlyMap<NodeId, ArrayLike<number>>;

/** By group: one score a channel, NaN where no layer scores it (such a channel is never cut). */
export type GroupScores = readonly Float64Array[];

type WeightCriterion = 'l1' | 'l2' | 'fpgm' | 'lamp' | 'bn';

const weightScores: Record<WeightCriterion, (weight: Weight, axis: number) => Float64Array> = {
  l1: l1Norms,
  l2: l2Norms,
  fpgm: distanceSums,
  lamp: lampScores,
  bn: magnitudes,
};

/** One layer's word on the channels of a group: scores at the classes of its positions. */
interface Member {
  readonly classes: Int32Array;
  readonly scores: ArrayLike<number>;
  /** Whether the layer reads the channels; absent: it gives them. */
  readonly reads?: boolean;
}

/**
 * Scores all channels. A position that occurs several times in one layer (the slots of a grouped convolution)
 * counts with the mean of its scores there; only the layers that have a channel take part in its reduction. Channels
 * that a batch norm selects of a trunk have no filters of their own: norms score them by the slices of the kernels
 * that read them, 'bn' by the gammas.
 * @throws AppError INVALID_ARGUMENT when the criterion needs data and none is given, or 'bn' finds no gamma;
 *   MODEL_NOT_FINITE naming the layer whose weights are not numbers.
 */
export function scoreChannels(
  analysis: Analysis,
  options: Pick<PruneOptions, 'criterion' | 'reduction' | 'normalisation' | 'seed'>,
  statistics?: ChannelStatistics,
): GroupScores {
  const { criterion, reduction, seed } = options;
  const normalisation = options.normalisation ?? defaultNormalisation(criterion);
  if (criterion === 'random') return randomScores(analysis.channels, seed);
  const members = membersByGroup(analysis, criterion, statistics);
  return analysis.channels.map((group, id) => {
    const scores = reduceMembers(group.count, members[id]!, analysis.channelOf, reduction);
    normalise(scores, normalisation);
    return scores;
  });
}

function randomScores(groups: readonly GroupChannels[], seed: number): GroupScores {
  const rng = createRng(seed);
  return groups.map((group) => Float64Array.from({ length: group.count }, () => rng.uniform()));
}

function membersByGroup(
  analysis: Analysis,
  criterion: Exclude<Criterion, 'random'>,
  statistics: ChannelStatistics | undefined,
): Member[][] {
  const result = analysis.channels.map((): Member[] => []);
  const members = isMeasured(criterion)
    ? measuredMembers(analysis, criterion, statistics)
    : weighedMembers(analysis, criterion);
  const selected = groupsOfSelections(analysis);
  for (const member of members) {
    const group = analysis.groupOf[member.classes[0]!]!;
    // All positions of a producer are of one group; a norm after a concatenation spans several.
    if (member.classes.every((channel) => analysis.groupOf[channel] === group)) {
      if (group >= 0 && (!member.reads || selected.has(group))) result[group]!.push(member);
    } else {
      const groups = new Set(member.classes.map((channel) => analysis.groupOf[channel]!));
      for (const id of groups) {
        if (id < 0 || (member.reads && !selected.has(id))) continue;
        result[id]!.push(memberPart(member, analysis, id));
      }
    }
  }
  return result;
}

/** Groups whose channels batch norms select, and no layer makes. */
function groupsOfSelections({ flow, groups }: Analysis): ReadonlySet<number> {
  return new Set(
    groups
      .filter(({ producers }) => producers.every((node) => flow.selecting.has(node)))
      .map(({ id }) => id),
  );
}

function memberPart({ classes, scores }: Member, { groupOf }: Analysis, group: number): Member {
  const positions = Array.from(classes.keys()).filter((i) => groupOf[classes[i]!] === group);
  return {
    classes: Int32Array.from(positions, (i) => classes[i]!),
    scores: Float64Array.from(positions, (i) => scores[i]!),
  };
}

/**
 * Kernels for the norms, by filter and, where channels are selected, by what reads them; gammas of batch norms for
 * 'bn'. A shared weight counts once.
 */
function weighedMembers(analysis: Analysis, criterion: WeightCriterion): Member[] {
  const { flow } = analysis;
  const nodes = new Map(flow.graph.nodes.map((node) => [node.id, node]));
  const reads = (site: FlowSite): boolean => site.kind === 'in' && flow.selecting.size > 0;
  const wanted = (site: FlowSite): boolean =>
    criterion === 'bn'
      ? site.role === 'gamma' && nodes.get(site.node)!.op === 'batchNorm'
      : site.role === 'kernel' && (site.kind === 'out' || reads(site));
  const seen = new Set<string>();
  const members: Member[] = [];
  for (const site of flow.sites) {
    const key = `${site.axis} ${site.weight}`;
    if (!wanted(site) || seen.has(key)) continue;
    seen.add(key);
    const scores = scoresOf(analysis, site, criterion);
    if (!scores.every(Number.isFinite)) throw notFinite(nodes.get(site.node)!, site);
    members.push({ classes: site.classes, scores, reads: reads(site) });
  }
  if (criterion === 'bn' && members.length === 0) throw noGamma(flow.graph);
  return members;
}

function scoresOf(
  { flow, scoreCache }: Analysis,
  { weight, axis }: FlowSite,
  criterion: WeightCriterion,
): Float64Array {
  const key = `${criterion} ${axis} ${weight}`;
  let scores = scoreCache.get(key);
  if (scores === undefined) {
    scores = weightScores[criterion](flow.graph.weights.get(weight)!, axis);
    scoreCache.set(key, scores);
  }
  return scores;
}

function measuredMembers(
  { flow }: Analysis,
  criterion: MeasuredCriterion,
  statistics: ChannelStatistics | undefined,
): Member[] {
  if (statistics === undefined) {
    throw new AppError(
      'INVALID_ARGUMENT',
      `The criterion '${criterion}' ranks channels by what they do on data, and none was given.`,
      'Name a data set, or choose a criterion that reads the weights alone: l1, l2, bn, fpgm, lamp.',
      { details: { criterion } },
    );
  }
  return flow.producers.flatMap(({ node, classes }) => {
    const scores = statistics.get(node);
    if (scores === undefined) return [];
    if (scores.length !== classes.length) {
      throw new AppError(
        'INTERNAL',
        `The statistics hold ${scores.length} numbers for ${classes.length} channels of "${node}".`,
        'Collect the statistics again for this model.',
      );
    }
    return [{ classes, scores }];
  });
}

function reduceMembers(
  channels: number,
  members: readonly Member[],
  channelOf: Int32Array,
  reduction: GroupReduction,
): Float64Array {
  const result = new Float64Array(channels).fill(NaN);
  const voters = new Int32Array(channels);
  for (const { classes, scores } of members) {
    const sums = new Float64Array(channels);
    const positions = new Int32Array(channels);
    for (let i = 0; i < classes.length; i++) {
      const channel = channelOf[classes[i]!]!;
      sums[channel]! += scores[i]!;
      positions[channel]!++;
    }
    for (let channel = 0; channel < channels; channel++) {
      if (positions[channel] === 0) continue;
      const score = sums[channel]! / positions[channel]!;
      result[channel] =
        voters[channel]!++ === 0 ? score : combine(result[channel]!, score, reduction);
    }
  }
  if (reduction === 'mean') {
    for (let i = 0; i < channels; i++) if (voters[i]! > 1) result[i]! /= voters[i]!;
  }
  return result;
}

function combine(soFar: number, score: number, reduction: GroupReduction): number {
  switch (reduction) {
    case 'mean':
    case 'sum':
      return soFar + score;
    case 'max':
      return Math.max(soFar, score);
    case 'first':
      return soFar;
  }
}

/** In place, over the scored channels of one group. All-equal scores stay equal. */
function normalise(scores: Float64Array, normalisation: Normalisation): void {
  const known = scores.filter((score) => !Number.isNaN(score));
  if (known.length === 0 || normalisation === 'none') return;
  const mean = known.reduce((sum, score) => sum + score, 0) / known.length;
  if (normalisation === 'standardise') {
    const variance = known.reduce((sum, score) => sum + (score - mean) ** 2, 0) / known.length;
    const deviation = Math.sqrt(variance) || 1;
    for (let i = 0; i < scores.length; i++) scores[i] = (scores[i]! - mean) / deviation;
    return;
  }
  const unit = normalisation === 'mean' ? mean : known.reduce((a, b) => Math.max(a, b));
  if (unit === 0) return;
  for (let i = 0; i < scores.length; i++) scores[i]! /= unit;
}

function notFinite(node: Node, site: FlowSite): AppError {
  return new AppError(
    'MODEL_NOT_FINITE',
    `Layer "${node.name}" (${node.op}) has values in its ${site.role} that are not finite numbers.`,
    'The model diverged when it was trained: take an earlier checkpoint.',
    { details: { layer: node.name, role: site.role } },
  );
}

function noGamma(graph: Graph): AppError {
  return new AppError(
    'INVALID_ARGUMENT',
    `The criterion 'bn' ranks channels by the gamma of batch norms, and "${graph.name}" has none.`,
    'Choose another criterion, for instance l1. Batch norms are often folded into convolutions on export.',
    { details: { criterion: 'bn' } },
  );
}
