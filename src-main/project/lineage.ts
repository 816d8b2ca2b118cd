// Who came from whom: the line of a version, the uncut network at its head, and the cut that it recovers.

import type { VersionId, VersionSummary } from './types';

type Member = Pick<VersionSummary, 'id' | 'parent' | 'operation'>;

/** From the first ancestor down to the version itself; empty for one that is not there. */
export function lineOf<V extends Member>(versions: readonly V[], id: VersionId): readonly V[] {
  const byId = new Map(versions.map((version) => [version.id, version]));
  const line: V[] = [];
  for (let at = byId.get(id); at !== undefined; at = byId.get(at.parent ?? '')) line.unshift(at);
  return line;
}

/** The part of a line before its first cut: the last of them is the network as it was before it was pruned. */
export function uncutPart<V extends Member>(line: readonly V[]): readonly V[] {
  const firstCut = line.findIndex(({ operation }) => operation === 'prune');
  // A cut whose parent is gone stands for what it was cut from.
  return firstCut < 0 ? line : line.slice(0, Math.max(1, firstCut));
}

/** The uncut network that a version comes from: the version itself where nothing was cut. */
export function originalOf<V extends Member>(versions: readonly V[], id: VersionId): V | undefined {
  return uncutPart(lineOf(versions, id)).at(-1);
}
