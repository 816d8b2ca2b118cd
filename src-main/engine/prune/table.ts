// Tables of layers: how many channels of which layer go, said by hand or read off a plan.

import { AppError } from '../errors';
import type { Analysis } from './groups';
import { largestCut } from './limits';
import { findLayer } from './options';
import type { PrunePlan } from './types';

/**
 * By group, how many channels the table asks to cut.
 * @throws AppError NOT_FOUND (a layer name), INVALID_ARGUMENT for entries that contradict the model or each other.
 */
export function tableCuts(
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

interface Place {
  readonly group: number;
  /** Channels of the group, and positions of the layer's output. */
  readonly count: number;
  readonly width: number;
}

function groupOfLayer(analysis: Analysis, name: string): Place {
  const place = wholeGroup(analysis, name);
  if (place !== null) return place;
  throw tableError(name, 'does not carry all channels of one group, each as often');
}

/** The group whose channels, all of them and each as often, a layer's output is made of; null without such. */
function wholeGroup({ flow, groupOf, channels }: Analysis, name: string): Place | null {
  const node = findLayer(flow.graph, name);
  const { ids } = flow.labels.get(node.outputs[0]!)!;
  const group = ids.length === 0 ? -1 : groupOf[ids[0]!]!;
  const count = channels[group]?.count ?? 0;
  const positions = new Map<number, number>();
  for (const channel of ids) positions.set(channel, (positions.get(channel) ?? 0) + 1);
  const even = [...positions.values()].every((number) => number * count === ids.length);
  return group < 0 || positions.size !== count || !even
    ? null
    : { group, count, width: ids.length };
}

function tableError(layer: string, problem: string): AppError {
  return new AppError(
    'INVALID_ARGUMENT',
    `The table names layer "${layer}", which ${problem}.`,
    'Name a layer with filters, and each set of layers that move together once.',
    { details: { layer } },
  );
}

/**
 * The table that makes the cut of a plan again: by layer, the channels to keep. Each group that is cut is named once,
 * by the first of its layers that has all of its channels; a group without such a layer is left out.
 */
export function planTable(analysis: Analysis, plan: PrunePlan): Readonly<Record<string, number>> {
  const { nodes } = analysis.flow.graph;
  const table: Record<string, number> = {};
  for (const { id, producers } of analysis.groups) {
    const kept = plan.kept.get(id)!.length;
    if (kept === analysis.channels[id]!.count) continue;
    for (const node of nodes) {
      if (!producers.includes(node.id)) continue;
      const place = wholeGroup(analysis, node.name);
      if (place?.group !== id) continue;
      table[node.name] = (kept * place.width) / place.count;
      break;
    }
  }
  return table;
}
