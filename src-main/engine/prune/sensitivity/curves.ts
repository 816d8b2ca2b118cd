// From measured scores to drops that only rise as a group gets narrower.

import type { GroupWidths, SensitivityMap } from './types';

/** The expected drop of one group, by channels gone: straight between the widths that were measured. */
export interface DropCurve {
  /** Numbers of channels gone, ascending, the first 0. */
  readonly gone: readonly number[];
  /** Of top-1 accuracy, not falling, the first 0. */
  readonly drops: readonly number[];
}

/** The curve of a group in a map. Widths that are not measured yet are left out. */
export function dropCurve(map: SensitivityMap, { group, channels }: GroupWidths): DropCurve {
  const points = map.points
    .filter((point) => point.group === group)
    .sort((a, b) => b.kept - a.kept);
  const drops = points.map(({ top1 }) => map.baseline.top1 - top1);
  return {
    gone: [0, ...points.map(({ kept }) => channels - kept)],
    // A gain is within the noise of the sample: nothing is better than not cutting.
    drops: [0, ...monotoneFit(drops).map((drop) => Math.max(0, drop))],
  };
}

/**
 * The values that never fall and are nearest to the given ones in least squares, by pooling adjacent violators
 * (Ayer et al. 1955): a value below the one before it is averaged with it, and so on backwards.
 */
export function monotoneFit(values: readonly number[]): number[] {
  const blocks: { sum: number; count: number }[] = [];
  for (const value of values) {
    let block = { sum: value, count: 1 };
    for (;;) {
      const before = blocks.at(-1);
      if (before === undefined || before.sum / before.count <= block.sum / block.count) break;
      blocks.pop();
      block = { sum: before.sum + block.sum, count: before.count + block.count };
    }
    blocks.push(block);
  }
  return blocks.flatMap(({ sum, count }) => new Array<number>(count).fill(sum / count));
}

/** The drop once `gone` channels are gone; null beyond the narrowest width that was measured. */
export function dropAt(curve: DropCurve, gone: number): number | null {
  const next = curve.gone.findIndex((measured) => measured >= gone);
  if (next < 0) return null;
  if (next === 0) return 0;
  const [from, to] = [curve.gone[next - 1]!, curve.gone[next]!];
  const [low, high] = [curve.drops[next - 1]!, curve.drops[next]!];
  return low + ((high - low) * (gone - from)) / (to - from);
}
