// How the recall of each class changed from one version to another.
import type { Accuracy } from '../../src-main/engine/measure/types';
import type { ChartTable } from './table';

export interface ClassChange {
  readonly index: number;
  readonly label: string;
  /** Recall in the first and in the second version. */
  readonly from: number;
  readonly to: number;
  readonly images: number;
}

type Tested = Pick<Accuracy, 'perClass' | 'confusion'>;

/** Classes by change, the largest loss first. Both were tested on the same images. */
export function classChanges(
  a: Tested,
  b: Tested,
  names: readonly string[],
): readonly ClassChange[] {
  return b.perClass
    .map((to, index) => ({
      index,
      label: names[index] ?? String(index),
      from: a.perClass[index] ?? 0,
      to,
      images: b.confusion[index]?.reduce((sum, count) => sum + count, 0) ?? 0,
    }))
    .filter(({ images }) => images > 0)
    .toSorted((x, y) => x.to - x.from - (y.to - y.from) || x.index - y.index);
}

/** The ends of a long list: what lost most and what gained most. */
export function mostChanged(changes: readonly ClassChange[], most: number): readonly ClassChange[] {
  if (changes.length <= most) return changes;
  const half = Math.floor(most / 2);
  return [...changes.slice(0, most - half), ...changes.slice(changes.length - half)];
}

export function classChangesTable(
  changes: readonly ClassChange[],
  from: string,
  to: string,
): ChartTable {
  return {
    columns: ['class', from, to, 'change in points', 'images'],
    rows: changes.map((change) => [
      change.label,
      change.from,
      change.to,
      Number(((change.to - change.from) * 100).toFixed(2)),
      change.images,
    ]),
  };
}
