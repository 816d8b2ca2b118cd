// Budget search by sensitivity: each channel gets as its key the drop that is expected of its group once it is
// gone. `select` then takes the shortest beginning of the list of all channels that holds the budgets, which is
// the smallest drop allowed to every group alike (the search of ModelOpt's FastNAS, with straight lines between
// the widths that were measured, as in AIMET's greedy search).

import { AppError } from '../../errors';
import type { Analysis } from '../groups';
import type { GroupLimits } from '../limits';
import type { Order } from '../order';
import { structureOf } from '../trunk';
import type { PruneOptions } from '../types';
import { dropAt, dropCurve, type DropCurve } from './curves';
import type { SensitivityMap } from './types';

/** Between equal drops the smaller share goes first; far below what a sample can tell apart. */
const tieBreak = 1e-9;

/**
 * The limits with drops in place of scores. No group goes below the narrowest width that was measured; one that the
 * map does not have stays whole. Groups that a table fixes keep their limits. The map may be of an ancestor: channels that a group has lost since count as gone.
 */
export function rankBySensitivity(
  analysis: Analysis,
  limits: readonly GroupLimits[],
  fixed: ReadonlyMap<number, number>,
  map: SensitivityMap,
): readonly GroupLimits[] {
  const names = new Map(analysis.flow.graph.nodes.map(({ id, name }) => [id, name]));
  const measured = new Map(map.groups.map((entry) => [entry.layers.join('\n'), entry]));
  return limits.map((limit, group) => {
    if (fixed.has(group)) return limit;
    const layers = analysis.groups[group]!.producers.map((node) => names.get(node)!);
    const entry = measured.get(layers.join('\n'));
    const order =
      entry === undefined ? wholeOrder : orderByDrop(limit, dropCurve(map, entry), entry.channels);
    const maxCut = Math.min(limit.maxCut, order.stops.at(-1) ?? 0);
    const blocked = limit.blocked ?? (maxCut === 0 ? 'NOT_MEASURED' : null);
    return { ...limit, order, maxCut, blocked };
  });
}

const wholeOrder: Order = {
  channels: new Int32Array(),
  keys: new Float64Array(),
  stops: new Int32Array(),
};

function orderByDrop({ order, count }: GroupLimits, curve: DropCurve, channels: number): Order {
  const keys: number[] = [];
  for (let rank = 0; rank < order.channels.length; rank++) {
    const gone = channels - count + rank + 1;
    const drop = dropAt(curve, gone);
    if (drop === null) break;
    keys.push(drop + (tieBreak * gone) / channels);
  }
  return {
    channels: order.channels.subarray(0, keys.length),
    keys: Float64Array.from(keys),
    stops: order.stops.filter((stop) => stop <= keys.length),
  };
}

/** @throws AppError INVALID_ARGUMENT when there is no map, or not all of it. */
export function requireMap(map: SensitivityMap | undefined): SensitivityMap {
  if (map !== undefined && isComplete(map)) return map;
  throw new AppError(
    'INVALID_ARGUMENT',
    map === undefined
      ? 'Cutting by sensitivity needs a map of it, and none was given.'
      : 'The sensitivity map is not finished.',
    'Measure the sensitivity of the version first; a run that was interrupted goes on where it stopped.',
  );
}

/** Whether a map was measured as options cut: the same channels chosen, and of the same groups. */
export function mapFits(
  { options: measured }: SensitivityMap,
  options: Pick<PruneOptions, 'criterion' | 'trunk' | 'grouped'>,
): boolean {
  const [a, b] = [structureOf(measured), structureOf(options)];
  return measured.criterion === options.criterion && a.trunk === b.trunk && a.grouped === b.grouped;
}

/** True when every width of every group has its point. */
export function isComplete({ groups, points }: SensitivityMap): boolean {
  return points.length === groups.reduce((sum, { widths }) => sum + widths.length, 0);
}
