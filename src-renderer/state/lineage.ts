// The version tree as rows with lanes, as a commit graph draws it: the newest child of a version goes on in its
// lane, earlier ones branch off to the right.
import type { VersionId, VersionSummary } from '../../src-main/project/types';

export interface LineageRow {
  readonly version: VersionSummary;
  /** Number of ancestors. */
  readonly depth: number;
  readonly lane: number;
  /** Lane of the parent; null for a root. */
  readonly parentLane: number | null;
  /** Lanes of other lines that run past this row. */
  readonly passing: readonly number[];
  readonly hasChildren: boolean;
}

function byAge(a: VersionSummary, b: VersionSummary): number {
  return a.createdAt.localeCompare(b.createdAt) || a.id.localeCompare(b.id);
}

/** Rows from the oldest root down. A version whose parent is gone stands as a root. */
export function lineageRows(versions: readonly VersionSummary[]): readonly LineageRow[] {
  const known = new Set(versions.map((version) => version.id));
  const children = new Map<VersionId | null, VersionSummary[]>();
  for (const version of versions.toSorted(byAge)) {
    const parent = version.parent !== null && known.has(version.parent) ? version.parent : null;
    children.set(parent, [...(children.get(parent) ?? []), version]);
  }

  const rows: LineageRow[] = [];
  const place = (
    version: VersionSummary,
    depth: number,
    lane: number,
    parentLane: number | null,
    passing: readonly number[],
  ): void => {
    const own = children.get(version.id) ?? [];
    rows.push({ version, depth, lane, parentLane, passing, hasChildren: own.length > 0 });
    own.forEach((child, index) => {
      const isNewest = index === own.length - 1;
      if (isNewest) place(child, depth + 1, lane, lane, passing);
      else place(child, depth + 1, lane + 1, lane, [...passing, lane]);
    });
  };
  for (const root of children.get(null) ?? []) place(root, 0, 0, null, []);
  return rows;
}

/** Names from the first ancestor down to a version. */
export function ancestry(
  versions: readonly VersionSummary[],
  id: VersionId,
): readonly VersionSummary[] {
  const byId = new Map(versions.map((version) => [version.id, version]));
  const line: VersionSummary[] = [];
  for (let at = byId.get(id); at && !line.includes(at); at = byId.get(at.parent ?? '')) {
    line.unshift(at);
  }
  return line;
}
