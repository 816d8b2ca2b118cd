// The figures that versions are compared by, in their fixed order.
import type { FigureKind } from '../../format';
import { latencyLike } from '../../state/figures';
import type { Latency } from '../../../src-main/engine/measure/types';
import type { AccuracyFigure, VersionSummary } from '../../../src-main/project/types';
import { runtimeWords } from '../../words';

export type LatencySetting = Pick<Latency, 'runtime' | 'threads'>;
export type ColumnKey = 'bytes' | 'ms' | 'accuracy' | 'macs' | 'params';
export type AccuracyKind = 'top1' | 'top5' | 'macroF1' | 'mae' | 'rmse';

/** What the column of accuracies shows, and where latencies were measured. */
export interface CompareTerms extends LatencySetting {
  readonly accuracy: AccuracyKind;
}

export interface Column {
  readonly key: ColumnKey;
  readonly title: string;
  readonly kind: FigureKind;
  value(version: VersionSummary, terms: CompareTerms): number | null;
}

export const columns: readonly Column[] = [
  { key: 'bytes', title: 'Size', kind: 'bytes', value: (version) => version.bytes },
  {
    key: 'ms',
    title: 'Latency',
    kind: 'ms',
    value: (version, terms) => latencyLike(version, terms)?.medianMs ?? null,
  },
  {
    key: 'accuracy',
    title: 'Accuracy',
    kind: 'accuracy',
    value: ({ accuracy }, terms) => accuracy && figuresOf(accuracy)[terms.accuracy],
  },
  { key: 'macs', title: 'MACs', kind: 'macs', value: (version) => version.macs },
  { key: 'params', title: 'Params', kind: 'params', value: (version) => version.params },
];

type Figures = Readonly<Record<AccuracyKind, number | null>>;

function figuresOf(figure: AccuracyFigure): Figures {
  const none: Figures = { top1: null, top5: null, macroF1: null, mae: null, rmse: null };
  const { task } = figure;
  if (task === 'classes') {
    const { top1, top5, macroF1 } = figure;
    return { ...none, top1, top5, macroF1 };
  }
  if (task === 'labels') return { ...none, macroF1: figure.macroF1 };
  return { ...none, mae: figure.mae, rmse: figure.rmse };
}

/** What a figure of a column is, on these terms: errors stand in the column of accuracies. */
export function kindOf({ key, kind }: Column, { accuracy }: CompareTerms): FigureKind {
  return key === 'accuracy' && (accuracy === 'mae' || accuracy === 'rmse') ? 'error' : kind;
}

/** What the versions were measured by; top-1 where nothing was measured yet. */
export function accuracyKinds(
  versions: readonly VersionSummary[],
): readonly { readonly value: AccuracyKind; readonly title: string }[] {
  const has = (kind: AccuracyKind): boolean =>
    versions.some(({ accuracy }) => accuracy !== null && figuresOf(accuracy)[kind] !== null);
  const measured = accuracyTitles.filter(({ value }) => has(value));
  return measured.length > 0 ? measured : accuracyTitles.slice(0, 1);
}

const accuracyTitles = [
  { value: 'top1', title: 'Top-1' },
  { value: 'top5', title: 'Top-5' },
  { value: 'macroF1', title: 'Macro-F1' },
  { value: 'mae', title: 'MAE' },
  { value: 'rmse', title: 'RMSE' },
] as const;

export function column(key: ColumnKey): Column {
  const found = columns.find((entry) => entry.key === key);
  if (!found) throw new Error(`There is no column ${key}.`);
  return found;
}

/** Runtimes and thread counts that something was measured at, LiteRT and few threads first. */
export function latencySettings(versions: readonly VersionSummary[]): readonly LatencySetting[] {
  const byName = new Map<string, LatencySetting>();
  for (const { runtime, threads } of versions.flatMap((version) => version.latency)) {
    byName.set(runtimeWords({ runtime, threads }), { runtime, threads });
  }
  return [...byName.values()].toSorted(
    (a, b) => a.runtime.localeCompare(b.runtime) || a.threads - b.threads,
  );
}

export interface CompareSort {
  readonly key: ColumnKey;
  readonly descending: boolean;
}

/** Versions by a figure; those without it come last. Null leaves the order of the lineage. */
export function sortedVersions(
  versions: readonly VersionSummary[],
  sort: CompareSort | null,
  terms: CompareTerms,
): readonly VersionSummary[] {
  if (!sort) return versions;
  const { value } = column(sort.key);
  const direction = sort.descending ? -1 : 1;
  return versions.toSorted((a, b) => {
    const [left, right] = [value(a, terms), value(b, terms)];
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    return (left - right) * direction;
  });
}
