// The gammas of all batch norms at one point of a training: what a histogram of them is drawn from, in which
// Network Slimming (Liu et al. 2017, figure 4) shows two humps.

import type { Graph, WeightId } from '../graph/types';

/** The distribution of |gamma|. */
export interface GammaSample {
  /** Channels that have one. */
  readonly count: number;
  /** Ascending; all of them, or quantiles at even steps where there are more than `mostGammas`. */
  readonly values: readonly number[];
}

/** Kept of each epoch: a quantile for each thousandth of the channels. */
export const mostGammas = 1024;
/** Digits that are kept of each. */
const digits = 5;

/** The weights that are gammas of a batch norm, each once. */
export function gammaWeights({ nodes }: Graph): readonly WeightId[] {
  const ids = nodes.flatMap(({ op, weights }) =>
    op === 'batchNorm' && weights.gamma !== undefined ? [weights.gamma] : [],
  );
  return [...new Set(ids)];
}

/** Null without gammas. */
export function sampleGammas(gammas: readonly ArrayLike<number>[]): GammaSample | null {
  const all = Float64Array.from(gammas.flatMap((values) => Array.from(values, Math.abs))).sort();
  const count = all.length;
  if (count === 0) return null;
  const kept = Math.min(count, mostGammas);
  return {
    count,
    // The middle of each of `kept` equal parts.
    values: Array.from({ length: kept }, (_, i) =>
      Number(all[Math.floor(((i + 0.5) * count) / kept)]!.toPrecision(digits)),
    ),
  };
}

/** Those of a graph. */
export function gammasOf(graph: Graph): GammaSample | null {
  return sampleGammas(gammaWeights(graph).map((id) => graph.weights.get(id)!.data));
}
