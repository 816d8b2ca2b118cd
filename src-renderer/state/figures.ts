// The three figures of a version, always in this order: size, latency, accuracy.
import type { Latency } from '../../src-main/engine/measure/types';
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

export interface Triple {
  readonly bytes: number;
  readonly ms: number | null;
  readonly accuracy: number | null;
}

/** Size in bytes, median latency in ms and top-1 share. */
export function triple(version: VersionSummary): Triple {
  return {
    bytes: version.bytes,
    ms: mainLatency(version)?.medianMs ?? null,
    accuracy: version.accuracy?.top1 ?? null,
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
    accuracy: sameData ? (base.accuracy?.top1 ?? null) : null,
  };
}
