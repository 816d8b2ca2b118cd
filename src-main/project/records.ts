// Puts the rows of several tables together to what front ends show.

import type { Repositories } from './repositories';
import type { StoredVersion, VersionFigures, VersionHead } from './repositories/versions';
import type {
  EvaluationRecord,
  ExportRecord,
  MeasurementRecord,
  VersionId,
  VersionSummary,
} from './types';

/** All stored facts of one version; the layer table is read from `file` (see jobs/work/describe.ts). */
export interface VersionRow {
  readonly summary: VersionSummary;
  /** Its blob, not checked: see `Project.versionSource` for that. */
  readonly file: string;
  readonly cost: StoredVersion['cost'];
  readonly source: StoredVersion['source'];
  readonly options: unknown;
  readonly engineVersion: string;
  readonly seed: number | null;
  readonly layerReports: StoredVersion['layerReports'];
  readonly history: StoredVersion['history'];
  readonly evaluations: readonly EvaluationRecord[];
  readonly measurements: readonly MeasurementRecord[];
  readonly exports: readonly ExportRecord[];
}

type Heads = ReadonlyMap<VersionId, VersionHead>;

/** Versions that are not in the trash, oldest first. */
export async function summariesOf(
  repositories: Repositories,
  damaged: ReadonlySet<string>,
): Promise<VersionSummary[]> {
  const heads = await headsById(repositories);
  const accuracy = await repositories.evaluations.newest();
  const latency = await repositories.measurements.newest();
  const summaryOf = (figures: VersionFigures): VersionSummary => ({
    id: figures.id,
    name: figures.name,
    parent: livingParent(figures, heads),
    operation: figures.operation,
    createdAt: figures.createdAt,
    params: figures.cost.params,
    macs: figures.cost.macs,
    bytes: figures.bytes,
    bytesOf: figures.bytesOf,
    inputShape: figures.inputShape,
    classes: figures.classes,
    accuracy: accuracy.get(figures.id) ?? null,
    latency: latency.get(figures.id) ?? [],
    equivalence: figures.equivalence,
    damaged: damaged.has(figures.blob),
  });
  return (await repositories.versions.figures()).map(summaryOf);
}

/** Adds to a summary everything else that is stored of the version. */
export async function versionRowOf(
  repositories: Repositories,
  summary: VersionSummary,
  stored: StoredVersion,
  file: string,
): Promise<VersionRow> {
  return {
    summary,
    file,
    cost: stored.cost,
    source: stored.source,
    options: stored.options,
    engineVersion: stored.engineVersion,
    seed: stored.seed,
    layerReports: stored.layerReports,
    history: stored.history,
    evaluations: await repositories.evaluations.list(stored.id),
    measurements: await repositories.measurements.list(stored.id),
    exports: await repositories.exports.list(stored.id),
  };
}

/** From the first ancestor to the version itself, those in the trash and those that left it included. */
export async function lineageOf(
  repositories: Repositories,
  id: VersionId,
): Promise<readonly VersionHead[]> {
  const heads = await headsById(repositories);
  const head = heads.get(id);
  return head === undefined ? [] : lineOf(head, heads);
}

async function headsById(repositories: Repositories): Promise<Heads> {
  return new Map((await repositories.versions.heads()).map((head) => [head.id, head]));
}

/** The nearest ancestor that is not in the trash: a tree of versions never loses a branch. */
function livingParent(version: VersionHead, heads: Heads): VersionId | null {
  for (const ancestor of lineOf(version, heads).slice(0, -1).reverse()) {
    if (ancestor.deletedAt === null) return ancestor.id;
  }
  return null;
}

function lineOf(version: VersionHead, heads: Heads): VersionHead[] {
  const line = [version];
  for (let id = version.parent; id !== null;) {
    const parent = heads.get(id);
    if (parent === undefined) break;
    line.unshift(parent);
    id = parent.parent;
  }
  return line;
}
