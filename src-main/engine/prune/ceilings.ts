// Ceilings of single layers: how much of each may go at most.

import type { Analysis } from './groups';
import { largestCut } from './limits';
import { findLayer } from './options';
import type { Floor } from './order';

/**
 * By group, what has to stay of the layers with a ceiling. A layer that carries channels of several groups keeps its
 * share of each.
 * @throws AppError NOT_FOUND for a name that no layer has.
 */
export function ceilingFloors(
  { flow, groupOf, channelOf }: Analysis,
  ceilings: Readonly<Record<string, number>>,
): ReadonlyMap<number, readonly Floor[]> {
  const floors = new Map<number, Floor[]>();
  for (const [name, ceiling] of Object.entries(ceilings)) {
    const byGroup = new Map<number, Set<number>>();
    for (const channel of flow.labels.get(findLayer(flow.graph, name).outputs[0]!)!.ids) {
      const group = groupOf[channel]!;
      if (group < 0) continue;
      byGroup.set(group, (byGroup.get(group) ?? new Set()).add(channelOf[channel]!));
    }
    for (const [group, channels] of byGroup) {
      const least = channels.size - largestCut(channels.size, ceiling);
      const floor = { channels: Int32Array.from(channels).sort(), least, step: null };
      floors.set(group, [...(floors.get(group) ?? []), floor]);
    }
  }
  return floors;
}
