// The three figures of a version, always in this order: size, latency, and the score of its task.
import type { Task } from '../../src-main/engine/data/types';
import { scoreKindOf, scoreOf } from './score';
import type { Latency } from '../../src-main/engine/measure/types';
import type { FigureKind } from '../format';
import type { VersionSummary } from '../../src-main/project/types';

/** The latency that stands for a version in lists: LiteRT before others, fewest threads first. */
export function mainLatency(version: Pick<VersionSummary, 'latency'>): Latency | null {
  const ranked = version.latency.toSorted(
    (a, b) =>
      Number(a.runtime !== 'litert') - Number(b.runtime !== 'litert') || a.threads - b.threads,
  );
  return ranked[0] ?? null;
}

/** The latency of the same runtime and thread count as `like`, so that only equals are compared. */
export function latencyLike(
  version: Pick<VersionSummary, 'latency'>,
  like: Pick<Latency, 'runtime' | 'threads'>,
): Latency | null {
  return (
    version.latency.find(
      (entry) => entry.runtime === like.runtime && entry.threads === like.threads,
    ) ?? null
  );
}

/** The score in words. */
export const scoreTitles: Readonly<Record<Task, string>> = {
  classes: 'Accuracy',
  labels: 'Macro-F1',
  values: 'Mean abs. error',
};

export interface Triple {
  readonly bytes: number;
  readonly ms: number | null;
  /** Top-1 or macro-F1 as a share, or a mean absolute error. */
  readonly accuracy: number | null;
  readonly scoreKind: Extract<FigureKind, 'accuracy' | 'error'>;
}

const scoreKind = ({ accuracy }: VersionSummary): Triple['scoreKind'] =>
  scoreKindOf(accuracy?.task ?? 'classes');

/** What the score of a version is called. */
export const scoreTitle = ({ accuracy }: VersionSummary): string =>
  scoreTitles[accuracy?.task ?? 'classes'];

/** Size in bytes, median latency in ms and the score. */
export function triple(version: VersionSummary): Triple {
  return {
    bytes: version.bytes,
    ms: mainLatency(version)?.medianMs ?? null,
    accuracy: version.accuracy && scoreOf(version.accuracy),
    scoreKind: scoreKind(version),
  };
}

/** The figures of `base` that may be compared with those of `version`: measured on the same terms. */
export function comparableTriple(version: VersionSummary, base: VersionSummary): Triple {
  const latency = mainLatency(version);
  const sameData =
    version.accuracy !== null &&
    base.accuracy !== null &&
    version.accuracy.data === base.accuracy.data &&
    version.accuracy.split === base.accuracy.split;
  return {
    bytes: base.bytes,
    ms: latency === null ? null : (latencyLike(base, latency)?.medianMs ?? null),
    accuracy: sameData && base.accuracy ? scoreOf(base.accuracy) : null,
    scoreKind: scoreKind(version),
  };
}
