// A sensitivity map as rows of cells: one row a group, one cell a share of the grid.
import type { ChartTable } from '../charts/table';
import type { GroupWidths, SensitivityMap } from '../../src-main/engine/prune/sensitivity/types';
import type { Group, PruneOptions } from '../../src-main/engine/prune/types';
import type { SensitivityRecord } from '../../src-main/project/types';

type StructuredCut = Required<Pick<PruneOptions, 'criterion' | 'trunk' | 'grouped'>>;

/** How a map was measured that is not the default: '', or ', trunk selected, fewer groups'. */
export function structureWords({ trunk, grouped }: Partial<StructuredCut>): string {
  return (
    (trunk === 'select' ? ', trunk selected for each reader' : '') +
    (grouped === 'groups' ? ', whole groups' : '')
  );
}

export interface SensitivityCell {
  /** Of the grid. */
  readonly share: number;
  /** The number of channels that is nearest to it. */
  readonly kept: number;
  /** What was measured there; null while it is not yet. */
  readonly score: { readonly top1: number; readonly loss: number; readonly drop: number } | null;
}

export interface SensitivityRow {
  readonly group: number;
  /** "conv1 + 3 more" */
  readonly name: string;
  readonly layers: readonly string[];
  readonly channels: number;
  readonly cells: readonly SensitivityCell[];
}

/** How many points a map has when it is finished. */
export function plannedPoints({ groups }: SensitivityMap): number {
  return groups.reduce((sum, { widths }) => sum + widths.length, 0);
}

export function isFinished(map: SensitivityMap): boolean {
  return map.points.length === plannedPoints(map);
}

/** The newest map by which a version can be cut: of the same criterion, trunk and groups. */
export function usableMap(
  records: readonly SensitivityRecord[],
  { criterion, trunk, grouped }: StructuredCut,
): SensitivityRecord | null {
  const usable = records.filter(({ map }) => {
    const { options } = map;
    const isSame =
      options.criterion === criterion &&
      (options.trunk ?? 'group') === trunk &&
      (options.grouped ?? 'slots') === grouped;
    return isSame && isFinished(map);
  });
  return usable.at(-1) ?? null;
}

export function groupName(layers: readonly string[]): string {
  const [first = ''] = layers;
  return layers.length > 1 ? `${first} + ${layers.length - 1} more` : first;
}

export function sensitivityRows(map: SensitivityMap): readonly SensitivityRow[] {
  const scores = new Map(map.points.map((point) => [`${point.group} ${point.kept}`, point]));
  return map.groups.map(({ group, layers, channels, widths }) => ({
    group,
    name: groupName(layers),
    layers,
    channels,
    cells: map.options.grid.map((share) => {
      const kept = nearestWidth(widths, share * channels);
      const point = scores.get(`${group} ${kept}`);
      if (point === undefined) return { share, kept, score: null };
      const { top1, loss } = point;
      return { share, kept, score: { top1, loss, drop: map.baseline.top1 - top1 } };
    }),
  }));
}

function nearestWidth(widths: readonly number[], wanted: number): number {
  return widths.reduce((best, width) =>
    Math.abs(width - wanted) < Math.abs(best - wanted) ? width : best,
  );
}

/** Every point once, wide to narrow; shares and accuracies as numbers from 0 to 1. */
export function sensitivityTable(map: SensitivityMap): ChartTable {
  const byId = new Map<number, GroupWidths>(map.groups.map((entry) => [entry.group, entry]));
  return {
    columns: ['layers', 'channels', 'kept', 'share', 'top1', 'loss', 'drop'],
    rows: map.points.flatMap(({ group, kept, top1, loss }) => {
      const entry = byId.get(group);
      if (entry === undefined) return [];
      const rounded = (value: number): number => Number(value.toFixed(4));
      return [
        [
          entry.layers.join(' + '),
          entry.channels,
          kept,
          rounded(kept / entry.channels),
          rounded(top1),
          rounded(loss),
          rounded(map.baseline.top1 - top1),
        ],
      ];
    }),
  };
}

/** How many networks a run will score: groups that can be cut, each at the widths of the grid. */
export function candidateCount(groups: readonly Group[], grid: readonly number[]): number {
  return groups
    .filter(({ free }) => free > 0)
    .reduce((sum, { channels }) => {
      const widths = grid.map((share) => Math.max(1, Math.round(channels * share)));
      return sum + new Set(widths.filter((width) => width < channels)).size;
    }, 0);
}
