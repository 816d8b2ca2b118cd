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

const accuracyCurves: readonly Curve[] = [
  { name: 'trainAccuracy', title: 'training', colour: '--series-1' },
  { name: 'valAccuracy', title: 'validation', colour: '--series-2', dashed: true },
];

const macroF1Curve: Curve = {
  name: 'valMacroF1',
  title: 'macro-F1',
  colour: '--series-3',
};

const errorCurves: readonly Curve[] = [
  { name: 'trainMae', title: 'training', colour: '--series-1' },
  { name: 'valMae', title: 'validation', colour: '--series-2', dashed: true },
];

/** How the score of a training is drawn, by the task that its series tell. */
export interface ScoreChart {
  readonly title: string;
  readonly yTitle: string;
  readonly kind: 'accuracy' | 'error';
  readonly curves: readonly Curve[];
  /** The series whose best point is marked. */
  readonly chosenBy: string;
}

export function scoreChart(series: Readonly<Record<string, Series>>): ScoreChart {
  const has = (name: string): boolean => (series[name]?.x.length ?? 0) > 0;
  if (has('trainMae')) {
    const kind = 'error';
    const title = 'Mean absolute error';
    return { title, yTitle: 'MAE', kind, curves: errorCurves, chosenBy: 'valMae' };
  }
  const kind = 'accuracy';
  if (has('valMacroF1')) {
    const curves = [...accuracyCurves, macroF1Curve];
    const title = 'Accuracy of labels';
    return { title, yTitle: 'Right labels, F1', kind, curves, chosenBy: 'valMacroF1' };
  }
  const title = 'Accuracy';
  return { title, yTitle: 'Top-1', kind, curves: accuracyCurves, chosenBy: 'valAccuracy' };
}

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
