// What is chosen on the Compare page, kept while one leaves it: versions in view, and the pair that is looked at.
import { SvelteSet } from 'svelte/reactivity';
import { drafts } from '../../state/drafts.svelte';
import { project } from '../../state/project.svelte';
import type { VersionId, VersionSummary } from '../../../src-main/project/types';
import type { CompareSort, ColumnKey } from './columns';
import type { AccuracyKind } from './columns';

export class CompareState {
  /** Versions that charts leave out. */
  readonly hidden = new SvelteSet<VersionId>();
  highlighted = $state<VersionId | null>(null);
  sort = $state.raw<CompareSort | null>(null);
  against = $state<Extract<ColumnKey, 'ms' | 'bytes' | 'macs'>>('ms');
  accuracy = $state<AccuracyKind>('top1');
  /** Latency setting by its words; null takes that of the baseline. */
  setting = $state<string | null>(null);
  #from = $state<VersionId | null>(null);
  #to = $state<VersionId | null>(null);

  readonly baseline: VersionSummary | null = $derived(project.baseline);
  /** In the order of the lineage, the baseline first. */
  readonly versions: readonly VersionSummary[] = $derived.by(() => {
    const others = project.rows
      .map((row) => row.version)
      .filter((version) => version.id !== this.baseline?.id);
    return this.baseline ? [this.baseline, ...others] : others;
  });
  readonly shown: readonly VersionSummary[] = $derived(
    this.versions.filter(({ id }) => !this.hidden.has(id)),
  );

  /** The two that are looked at side by side: the baseline and the newest version, unless others are chosen. */
  readonly from: VersionSummary | null = $derived(project.version(this.#from) ?? this.baseline);
  readonly to: VersionSummary | null = $derived(
    project.version(this.#to) ??
      this.versions
        .filter(({ id }) => id !== this.from?.id)
        .toSorted((a, b) => b.createdAt.localeCompare(a.createdAt))[0] ??
      null,
  );

  toggle(id: VersionId): void {
    if (!this.hidden.delete(id)) this.hidden.add(id);
  }

  setPair(from: VersionId | null, to: VersionId | null): void {
    this.#from = from;
    this.#to = to;
  }
}

/** That of the open project. */
export const compareState = (): CompareState => drafts.open('compare', () => new CompareState());

/** Colours of versions in charts: six that can be told apart, then the same with dashes. */
export function versionColour(index: number): {
  readonly colour: string;
  readonly dashed: boolean;
} {
  return { colour: `--series-${(index % 6) + 1}`, dashed: index % 12 >= 6 };
}
