// The Pareto front of versions: those that no other one beats in cost and accuracy at once.

export interface ParetoPoint {
  readonly id: string;
  /** Cost: less is better. */
  readonly x: number;
  /** Gain: more is better. */
  readonly y: number;
}

/** Points that are not dominated, by rising cost. Of equal points all stay. */
export function paretoFront<P extends ParetoPoint>(points: readonly P[]): readonly P[] {
  return points
    .filter((point) => !points.some((other) => dominates(other, point)))
    .toSorted((a, b) => a.x - b.x || a.y - b.y);
}

function dominates(a: ParetoPoint, b: ParetoPoint): boolean {
  return a.x <= b.x && a.y >= b.y && (a.x < b.x || a.y > b.y);
}
