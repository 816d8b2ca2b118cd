// Bins of a histogram of gammas, on a linear or a logarithmic axis.
import type { GammaSample } from '../../src-main/engine/train/gammas';
import type { ChartTable } from './table';

/** Edges of the bins, ascending, one more than there are bins. */
export interface Bins {
  readonly edges: readonly number[];
  readonly logarithmic: boolean;
}

/** Gammas below this are told apart on no axis. */
const smallest = 1e-6;

/** The same bins for all samples, so that one can be compared with the next. */
export function binsFor(samples: readonly GammaSample[], logarithmic: boolean, count = 48): Bins {
  const largest = Math.max(smallest * 10, ...samples.map(({ values }) => values.at(-1) ?? 0));
  const least = Math.max(
    smallest,
    Math.min(largest / 10, ...samples.map(({ values }) => values.find((value) => value > 0) ?? 1)),
  );
  const [low, high] = logarithmic ? [least, largest * 1.001] : [0, largest * 1.001];
  const edges = Array.from({ length: count + 1 }, (_, i) =>
    logarithmic ? low * (high / low) ** (i / count) : (high * i) / count,
  );
  return { edges, logarithmic };
}

/** Channels in each bin; what lies below the first edge counts there, as zeros do on a logarithmic axis. */
export function binCounts({ values, count }: GammaSample, { edges }: Bins): readonly number[] {
  const counts = new Array<number>(edges.length - 1).fill(0);
  // Where they are quantiles, each stands for as many channels.
  const each = count / Math.max(1, values.length);
  let bin = 0;
  for (const value of values) {
    while (bin < counts.length - 1 && value >= (edges[bin + 1] ?? Infinity)) bin++;
    counts[bin] = (counts[bin] ?? 0) + each;
  }
  return counts.map(Math.round);
}

/** The share of channels whose gamma is below a value. */
export function shareBelow({ values }: GammaSample, limit: number): number {
  const below = values.findIndex((value) => value >= limit);
  return (below < 0 ? values.length : below) / Math.max(1, values.length);
}

/** Bins down, samples across. */
export function histogramTable(
  bins: Bins,
  columns: readonly { readonly title: string; readonly sample: GammaSample }[],
): ChartTable {
  const counts = columns.map(({ sample }) => binCounts(sample, bins));
  return {
    columns: ['gamma from', 'gamma to', ...columns.map(({ title }) => title)],
    rows: counts[0]
      ? counts[0].map((_, bin) => [
          Number((bins.edges[bin] ?? 0).toPrecision(4)),
          Number((bins.edges[bin + 1] ?? 0).toPrecision(4)),
          ...counts.map((column) => column[bin] ?? 0),
        ])
      : [],
  };
}
