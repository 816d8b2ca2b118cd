// The open project, as the main process last told it, and what can be done to it as a whole.
import { call } from '../api';
import type { Task } from '../../src-main/engine/data/types';
import type { ProjectState, RecentProject } from '../../src-main/ipc/contract';
import type {
  DatasetRecord,
  JobRecord,
  Recovery,
  TrashEntry,
  VersionId,
  VersionSummary,
} from '../../src-main/project/types';
import { app } from './app.svelte';
import { drafts } from './drafts.svelte';
import { lineageRows } from './lineage';
import { navigation } from './navigation.svelte';
import { toasts } from './toasts.svelte';

class Project {
  state = $state.raw<ProjectState | null>(null);
  /** Counts up with every change, so that details are loaded again. */
  revision = $state(0);

  readonly versions: readonly VersionSummary[] = $derived(this.state?.versions ?? []);
  readonly datasets: readonly DatasetRecord[] = $derived(this.state?.datasets ?? []);
  readonly jobs: readonly JobRecord[] = $derived(this.state?.jobs ?? []);
  /** What became of each cut, oldest first. */
  readonly recoveries: readonly Recovery[] = $derived(this.state?.recoveries ?? []);
  readonly rows = $derived(lineageRows(this.versions));
  /** The version that others are compared with: the chosen one, else the oldest. */
  readonly baseline: VersionSummary | null = $derived(
    this.version(this.state?.baseline ?? null) ?? this.rows[0]?.version ?? null,
  );

  version(id: VersionId | null): VersionSummary | null {
    return this.versions.find((version) => version.id === id) ?? null;
  }

  /** Where a version stands among what became of a cut; null for one that has no part in any. */
  recoveryOf(id: VersionId): Recovery | null {
    return (
      this.recoveries.findLast(({ stages }) =>
        stages.some(({ versions }) => versions.includes(id)),
      ) ?? null
    );
  }

  dataset(id: string | null): DatasetRecord | null {
    return this.datasets.find((dataset) => dataset.id === id) ?? null;
  }

  /** Of a data set; that of most without one. */
  task(dataset: string | null): Task {
    return this.dataset(dataset)?.task ?? 'classes';
  }

  job(id: string): JobRecord | null {
    return this.jobs.find((job) => job.id === id) ?? null;
  }

  /** Takes a state from the main process. Another project than before starts on its own page. */
  receive(state: ProjectState | null): void {
    const another = state?.folder !== this.state?.folder;
    this.state = state;
    this.revision += 1;
    if (another) {
      drafts.clear();
      this.showFirst();
    } else if (navigation.route.page === 'project' && this.versions.length > 0) {
      // The page that waits for a first version has done its work.
      this.showFirst(true);
    }
  }

  /** Takes up what the main process has open; a reload of the page keeps its place. */
  async load(): Promise<void> {
    this.state = await call('project.current');
    if (this.state === null || navigation.route.page === 'home') this.showFirst(true);
  }

  openSample(): Promise<boolean> {
    return this.#open('open-sample', () => call('project.openSample'));
  }

  openChosen(): Promise<boolean> {
    return this.#open('open-project', () => call('project.open'));
  }

  openRecent(recent: RecentProject): Promise<boolean> {
    return this.#open(`recent-${recent.id}`, () => call('project.openRecent', { id: recent.id }));
  }

  create(name: string): Promise<boolean> {
    return this.#open('new-project', () => call('project.create', { name }));
  }

  async close(): Promise<void> {
    await app.attempt('close', async () => {
      await call('project.close');
      this.receive(null);
      await app.loadRecents();
    });
  }

  /** Goes to the page that the project opens on: its newest version, or how to begin; home without one. */
  showFirst(replace = false): void {
    if (this.state === null) {
      navigation.go({ page: 'home' }, replace);
      return;
    }
    const newest = this.versions.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt))[0];
    navigation.go(
      newest ? { page: 'version', version: newest.id, tab: 'layers' } : { page: 'project' },
      replace,
    );
  }

  async rename(version: VersionSummary, name: string): Promise<void> {
    await app.attempt('rename', () => call('versions.rename', { version: version.id, name }));
  }

  async setBaseline(version: VersionSummary): Promise<void> {
    await app.attempt('baseline', () => call('project.setBaseline', { version: version.id }));
  }

  /** Puts a version or data set into the trash, with the way back in a toast. */
  async discard(kind: TrashEntry['kind'], item: { id: string; name: string }): Promise<void> {
    const parent = this.version(this.version(item.id)?.parent ?? null);
    const done = await app.attempt('trash', () => call('trash.put', { kind, id: item.id }));
    if (!done) return;
    this.#leave(item.id, parent);
    toasts.show(`${item.name} is in the trash`, 'neutral', {
      label: 'Undo',
      run: () => void this.restore({ kind, id: item.id }),
    });
  }

  async restore(entry: Pick<TrashEntry, 'kind' | 'id'>): Promise<void> {
    await app.attempt('restore', () => call('trash.restore', { kind: entry.kind, id: entry.id }));
  }

  /** Goes on to the parent, or the newest version, when the page of what is gone is in view. */
  #leave(id: string, parent: VersionSummary | null): void {
    const { route } = navigation;
    const inView =
      (route.page === 'version' && route.version === id) ||
      (route.page === 'dataset' && route.dataset === id);
    if (!inView) return;
    if (parent) navigation.go({ page: 'version', version: parent.id, tab: 'layers' }, true);
    else this.showFirst(true);
  }

  async #open(name: string, open: () => Promise<ProjectState | null>): Promise<boolean> {
    let opened = false;
    await app.attempt(name, async () => {
      const state = await open();
      if (state === null) return;
      this.receive(state);
      this.showFirst();
      opened = true;
      await app.loadRecents();
    });
    return opened;
  }
}

export const project = new Project();
