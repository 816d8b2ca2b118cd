// The Pareto front of versions: those that no other one beats in cost and accuracy, or error, at once.

export interface ParetoPoint {
  readonly id: string;
  /** Cost: less is better. */
  readonly x: number;
  /** Gain, of which more is better, or an error, of which less is. */
  readonly y: number;
}

/** Points that are not dominated, by rising cost. Of equal points all stay. */
export function paretoFront<P extends ParetoPoint>(
  points: readonly P[],
  kind: 'accuracy' | 'error' = 'accuracy',
): readonly P[] {
  const sign = kind === 'error' ? -1 : 1;
  return points
    .filter((point) => !points.some((other) => dominates(other, point, sign)))
    .toSorted((a, b) => a.x - b.x || a.y - b.y);
}

function dominates(a: ParetoPoint, b: ParetoPoint, sign: 1 | -1): boolean {
  const gain = (a.y - b.y) * sign;
  return a.x <= b.x && gain >= 0 && (a.x < b.x || gain > 0);
}
