// Which series a chart of curves draws, and how.
import type { Series } from '../state/metrics';
import type { ChartTable } from './table';

export interface Curve {
  /** Key of the series. */
  readonly name: string;
  readonly title: string;
  /** A design token. */
  readonly colour: string;
  readonly dashed?: boolean;
}

export const lossCurves: readonly Curve[] = [
  { name: 'trainLoss', title: 'training', colour: '--series-1' },
  { name: 'valLoss', title: 'validation', colour: '--series-2', dashed: true },
];

export const accuracyCurves: readonly Curve[] = [
  { name: 'trainAccuracy', title: 'training', colour: '--series-1' },
  { name: 'valAccuracy', title: 'validation', colour: '--series-2', dashed: true },
];

/** The value of the point that is nearest to a position; null for an empty series. */
export function nearestValue({ x, y }: Series, position: number): number | null {
  let best: number | null = null;
  let distance = Infinity;
  x.forEach((at, index) => {
    if (Math.abs(at - position) > distance) return;
    distance = Math.abs(at - position);
    best = y[index] ?? null;
  });
  return best;
}

/** The points of several curves as one table, a row for each x. */
export function curvesTable(
  curves: readonly Curve[],
  series: Readonly<Record<string, Series>>,
): ChartTable {
  const drawn = curves.map((curve) => series[curve.name] ?? { x: [], y: [] });
  const positions = [...new Set(drawn.flatMap((one) => one.x))].toSorted((a, b) => a - b);
  const columns = drawn.map((one) => new Map(one.x.map((x, index) => [x, one.y[index] ?? null])));
  return {
    columns: ['epoch', ...curves.map((curve) => curve.title)],
    rows: positions.map((x) => [x, ...columns.map((column) => column.get(x) ?? null)]),
  };
}
