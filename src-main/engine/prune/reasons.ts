// Says of every layer with filters what happened to it and why, in a code and in a sentence.

import type { Cost, Node, NodeId, Op } from '../graph/types';
import type { Freeze } from './channels';
import type { Analysis } from './groups';
import { explainFreeze } from './groups';
import type { GroupLimits } from './limits';
import { cutCount } from './limits';
import type { LayerReasonCode, LayerReport, PruneOptions } from './types';

/** Ops that are reported: those with filters. Batch norms are where they select channels of a trunk. */
const layerOps: ReadonlySet<Op> = new Set<Op>([
  'conv2d',
  'depthwiseConv2d',
  'conv2dTranspose',
  'dense',
]);

/** What was planned, as far as reports tell of it. */
export interface Outcome {
  readonly options: Pick<PruneOptions, 'scope' | 'align' | 'minChannels' | 'maxRatio' | 'target'>;
  readonly limits: readonly GroupLimits[];
  /** By group: channels asked to go before limits were applied. */
  readonly asked: readonly number[];
  /** By group, for those in the table: channels that it asks to go. */
  readonly fixed: ReadonlyMap<number, number>;
  /** By class: 1 where it goes. */
  readonly dropped: Uint8Array;
  /** By class: the layer that the user protects. */
  readonly protectedBy: ReadonlyMap<number, Node>;
  readonly costsBefore: ReadonlyMap<NodeId, Cost>;
  readonly costsAfter: ReadonlyMap<NodeId, Cost>;
}

interface Verdict {
  readonly code: LayerReasonCode;
  /** The node that causes it, when it is not the layer itself. */
  readonly cause: Node | null;
}

/** A report for every layer with filters, in graph order. */
export function reportLayers(analysis: Analysis, outcome: Outcome): readonly LayerReport[] {
  const { graph, labels, selecting } = analysis.flow;
  const layers = graph.nodes.filter(({ id, op }) => layerOps.has(op) || selecting.has(id));
  return layers.map((node): LayerReport => {
    const classes = labels.get(node.outputs[0]!)!.ids;
    const group = classes.map((channel) => analysis.groupOf[channel]!).find((id) => id >= 0);
    const from = classes.length;
    const to = classes.reduce((sum, channel) => sum + 1 - outcome.dropped[channel]!, 0);
    const judged =
      to < from
        ? { code: 'CUT' as const, cause: null }
        : judgeWhole(analysis, outcome, node, classes, group ?? null);
    const verdict = judged.cause?.id === node.id ? { ...judged, cause: null } : judged;
    const before = outcome.costsBefore.get(node.id)!;
    const after = outcome.costsAfter.get(node.id)!;
    return {
      node: node.id,
      name: node.name,
      op: node.op,
      group: group ?? null,
      from,
      to,
      paramsFrom: before.params,
      paramsTo: after.params,
      macsFrom: before.macs,
      macsTo: after.macs,
      code: verdict.code,
      reason: sentence(
        verdict,
        { from, to, group: group ?? null, selects: selecting.has(node.id) },
        outcome,
      ),
      cause: verdict.cause?.name ?? null,
    };
  });
}

/** Why a layer stays whole: the first thing that would have to change. */
function judgeWhole(
  analysis: Analysis,
  { limits, asked, fixed, protectedBy, options }: Outcome,
  node: Node,
  classes: Int32Array,
  group: number | null,
): Verdict {
  const frozen = freezeOf(analysis, node, classes, group);
  if (frozen !== null) {
    const cause = analysis.flow.graph.nodes.find(({ id }) => id === frozen.by) ?? null;
    return { code: frozen.code, cause };
  }
  // Channels of no group come from stored numbers: they are given to the model like its input.
  if (group === null) return { code: 'INPUT', cause: null };
  const own = classes.find((channel) => protectedBy.has(channel));
  if (own !== undefined && classes.every((channel) => protectedBy.has(channel))) {
    return { code: 'PROTECTED', cause: protectedBy.get(own)! };
  }
  const limit = limits[group]!;
  if (limit.blocked === 'PROTECTED') {
    const tied = analysis.channels[group]!.classes.find((channel) => protectedBy.has(channel));
    return { code: 'PROTECTED', cause: protectedBy.get(tied!)! };
  }
  if (limit.blocked !== null) return { code: limit.blocked, cause: null };
  const wanted = asked[group]!;
  if (wanted > 0 && cutCount(limit, wanted) === 0) return { code: 'ALIGNMENT', cause: null };
  const idle = fixed.has(group) || Object.keys(options.target).length === 0;
  if (idle) return { code: 'PRUNABLE', cause: null };
  return {
    code: options.scope === 'layer' ? 'RATIO_ROUNDS_TO_ZERO' : 'ABOVE_THRESHOLD',
    cause: null,
  };
}

/** The first reason of a layer of which every channel is frozen. */
function freezeOf(
  { flow, groups }: Analysis,
  node: Node,
  classes: Int32Array,
  group: number | null,
): Freeze | null {
  const first = flow.frozen[classes[0]!];
  if (first === undefined || classes.some((channel) => flow.frozen[channel] === undefined)) {
    return null;
  }
  // Only a layer with channels of its own is tied to others; the rest carries what it is given.
  const produces = group !== null && groups[group]!.producers.includes(node.id);
  return produces ? explainFreeze(first, groups[group]!.ties) : first;
}

interface Subject {
  readonly from: number;
  readonly to: number;
  readonly group: number | null;
  /** Whether it selects channels of a trunk. */
  readonly selects: boolean;
}

function sentence(
  { code, cause }: Verdict,
  { from, to, group, selects }: Subject,
  { options, fixed, asked }: Outcome,
): string {
  const by = cause === null ? 'it' : `"${cause.name}" (${cause.op})`;
  switch (code) {
    case 'CUT':
      return selects
        ? `Selects ${to} of the ${from} channels of the trunk.`
        : `Cut from ${from} to ${to} channels.`;
    case 'PRUNABLE':
      return group !== null && fixed.has(group)
        ? 'The table keeps all of its channels.'
        : 'Can be cut.';
    case 'INPUT':
      return cause === null
        ? "Its channels are the model's input."
        : `Its channels are tied to the model's input by ${by}.`;
    case 'OUTPUT':
      return cause === null
        ? "Its channels are the model's output."
        : `Its channels reach the model's output through ${by}.`;
    case 'OP_MIXES_CHANNELS':
      return `Every channel counts in ${by}, which mixes them: none can go unnoticed.`;
    case 'OP_WITHOUT_RULE':
      return `Channels cannot be cut through ${by}.`;
    case 'TOO_LARGE':
      return `Its channels are spread over too many positions in ${by} to be followed.`;
    case 'TRUNK':
      return `Its channels are a trunk that keeps its width: ${by} selects its own of them.`;
    case 'PROTECTED':
      return cause === null ? 'Protected.' : `Moves together with ${by}, which is protected.`;
    case 'ALIGNMENT':
      return group !== null && asked[group]! > 0
        ? `Too few of its ${from} channels go to reach the next multiple of ${options.align}.`
        : `With ${from} channels there is no smaller multiple of ${options.align} within the limits.`;
    case 'MIN_CHANNELS':
      return `Fewer than ${options.minChannels} channels would stay, here or in a part of it.`;
    case 'MAX_RATIO':
      return `One of its ${from} channels is more than the largest share that may go.`;
    case 'CEILING':
      return 'Its ceiling, or that of a layer it moves with, is less than one of its channels.';
    case 'ABOVE_THRESHOLD':
      return 'All of its channels are more important than those cut elsewhere.';
    case 'RATIO_ROUNDS_TO_ZERO':
      return `Its share of the cut comes to less than one of ${from} channels.`;
    case 'ONE_CHANNEL':
      return 'Has one channel only.';
    case 'GROUPED':
      return `Its ${from} channels can only go together: layers with groups tie them.`;
    case 'NOT_MEASURED':
      return 'It is not in the sensitivity map at any smaller width.';
    case 'NO_SCORE':
      return selects
        ? 'The criterion does not rank its channels: no layer with filters reads them directly.'
        : 'The criterion does not rank its channels: no batch norm follows.';
  }
}
