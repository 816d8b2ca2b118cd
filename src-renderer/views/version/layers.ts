// Rows of the layer table: which are shown, in what order, and which move together.
import type { Group } from '../../../src-main/engine/prune/types';
import type { LayerRow } from '../../../src-main/project/types';

export type LayerSortKey = 'order' | 'channels' | 'params' | 'macs';

export interface LayerSort {
  readonly key: LayerSortKey;
  readonly descending: boolean;
}

const values: Readonly<Record<LayerSortKey, (row: LayerRow, order: number) => number>> = {
  order: (_, order) => order,
  channels: (row) => row.channels.now,
  params: (row) => row.params,
  macs: (row) => row.macs,
};

/** The rows in the order wanted; equal ones stay in the order of the graph. */
export function sortedLayers(rows: readonly LayerRow[], sort: LayerSort): readonly LayerRow[] {
  const value = values[sort.key];
  const direction = sort.descending ? -1 : 1;
  return rows
    .map((row, order) => ({ row, order, value: value(row, order) }))
    .toSorted((a, b) => (a.value - b.value) * direction || a.order - b.order)
    .map(({ row }) => row);
}

/** The next sort after a click on a column: costs start with the largest. */
export function nextSort(sort: LayerSort, key: LayerSortKey): LayerSort {
  if (sort.key === key) return { key, descending: !sort.descending };
  return { key, descending: key !== 'order' };
}

/** Layers with weights of their own to cut: what pruning talks about. */
export function isProducer(row: LayerRow): boolean {
  return row.report !== null;
}

/** Where two layers meet whose channels then are one. */
export interface Meeting {
  /** The node where they meet. */
  readonly at: string;
  readonly op: string;
  readonly kind: 'op' | 'sharedWeight';
  readonly between: readonly [string, string];
}

/** Why the layers of a row's group move together, edge by edge, in the order of the graph. */
export function meetings(
  row: LayerRow,
  groups: readonly Group[],
  rows: readonly LayerRow[],
): readonly Meeting[] {
  const group = groups.find((entry) => entry.id === row.group);
  const byNode = new Map(rows.map((entry) => [entry.node, entry]));
  const name = (node: string | null): string =>
    node === null ? 'the input' : (byNode.get(node)?.name ?? node);
  return (group?.ties ?? []).map(({ node, kind, between: [a, b] }) => ({
    at: name(node),
    op: byNode.get(node)?.op ?? '',
    kind,
    between: [name(a), name(b)],
  }));
}

/** Names of the layers whose channels are cut together with those of `row`. */
export function companions(
  row: LayerRow,
  groups: readonly Group[],
  rows: readonly LayerRow[],
): readonly string[] {
  const group = groups.find((entry) => entry.id === row.group);
  if (!group) return [];
  const names = new Map(rows.map((entry) => [entry.node, entry.name]));
  return group.producers.filter((node) => node !== row.node).map((node) => names.get(node) ?? node);
}
