// The part of the scale that the chart of a cut's stages shows.
import type { ScoreKind } from '../state/score';

/** Points of accuracy below the best, and times the least error, up to which scores are drawn in place. */
const near = { accuracy: 0.2, error: 3 } as const;

/**
 * Far from the best, one score would press all others together: such a one stands at the edge, unless most do.
 * @param scores of the stages, without that of the original
 */
export function stageExtent(
  scores: readonly number[],
  original: number | null,
  kind: ScoreKind,
): readonly [number, number] {
  const all = original === null ? scores : [...scores, original];
  const [least, most] = [Math.min(...all), Math.max(...all)];
  if (kind === 'accuracy') {
    const limit = most - near.accuracy;
    const floor =
      scores.filter((score) => score >= limit).length < 2 ? least : Math.max(least, limit);
    return [Math.max(0, floor - 0.02), Math.min(1, most + 0.02)];
  }
  const limit = least * near.error;
  const ceiling =
    scores.filter((score) => score <= limit).length < 2 ? most : Math.min(most, limit);
  const room = (ceiling - least) * 0.1 || ceiling * 0.1 || 1;
  return [Math.max(0, least - room), ceiling + room];
}
