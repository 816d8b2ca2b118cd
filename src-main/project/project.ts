// A project: one folder, one database, one open process. Window and command line work on it through this class.

import { mkdir, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Metric } from '../engine/context';
import { AppError, toAppError } from '../engine/errors';
import { isComplete, mapFits } from '../engine/prune/sensitivity';
import { scoredOf } from '../engine/measure/score';
import type { PruneOptions } from '../engine/prune/types';
import type { ProjectState } from '../ipc/contract';
import type { DatasetSource, JobOutput, VersionSource } from '../jobs/types';
import { engineVersion } from '../version';
import { Backups } from './backups';
import { BlobStore } from './blob-store';
import { commitOutput } from './commit';
import { createProjectFolder } from './create';
import type { Database } from './database';
import { ProjectLock } from './lock';
import { checkedName, findByReference, uniqueName } from './names';
import { lineOf, uncutPart } from './lineage';
import { isProject, notAProject, openProjectDatabase } from './open-database';
import { projectPaths, type ProjectPaths } from './paths';
import { reconcile } from './reconcile';
import { recoveriesOf } from './recoveries';
import { lineageOf, summariesOf, versionRowOf, type VersionRow } from './records';
import { repositoriesOver, type Repositories } from './repositories';
import type {
  DatasetRecord,
  EvaluationRecord,
  ExportId,
  ExportRecord,
  JobId,
  MeasurementRecord,
  SensitivityRecord,
  TrashEntry,
  VersionId,
  VersionSummary,
} from './types';

export interface ProjectOptions {
  readonly now?: () => Date;
}

/** How long the trash keeps things. */
const trashDays = 30;
const dayMs = 24 * 60 * 60 * 1000;

interface Opened {
  readonly name: string;
  readonly paths: ProjectPaths;
  readonly lock: ProjectLock;
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly damaged: ReadonlySet<string>;
  readonly warnings: readonly string[];
  readonly now: () => Date;
}

export class Project {
  readonly name: string;
  readonly folder: string;
  readonly paths: ProjectPaths;
  /** What opening found and mended, for people. */
  readonly warnings: readonly string[];
  readonly blobs: BlobStore;
  /** Rows outside of a transaction, for the job queue; front ends use the methods of this class. */
  readonly repositories: Repositories;
  readonly now: () => Date;
  readonly #lock: ProjectLock;
  readonly #database: Database;
  readonly #damaged: Set<string>;
  /** Row changes of this connection that the newest backup holds. */
  #changesBackedUp = 0;

  private constructor(opened: Opened) {
    this.name = opened.name;
    this.folder = opened.paths.folder;
    this.paths = opened.paths;
    this.warnings = opened.warnings;
    this.blobs = opened.blobs;
    this.repositories = repositoriesOver(opened.database);
    this.now = opened.now;
    this.#lock = opened.lock;
    this.#database = opened.database;
    this.#damaged = new Set(opened.damaged);
  }

  /**
   * Makes a project and opens it.
   * @param folder does not exist yet, or is empty
   * @param name that of the folder by default
   * @throws AppError INVALID_ARGUMENT, ALREADY_EXISTS, FILE_UNWRITABLE, DISK_FULL; nothing is then left behind
   */
  static async create(
    folder: string,
    name?: string,
    options: ProjectOptions = {},
  ): Promise<Project> {
    const path = resolve(folder);
    await createProjectFolder(path, checkedName(name ?? basename(path)));
    return Project.open(path, options);
  }

  /**
   * Opens a project, mends what a crash has left and says so in `warnings`. Jobs that had not ended when the
   * project was last closed are interrupted: none starts again by itself.
   * @throws AppError PROJECT_NOT_FOUND, PROJECT_LOCKED, PROJECT_NEWER, PROJECT_CORRUPT, FILE_UNREADABLE,
   *   FILE_UNWRITABLE, DISK_FULL
   */
  static async open(folder: string, options: ProjectOptions = {}): Promise<Project> {
    const paths = projectPaths(resolve(folder));
    if (!(await isProject(paths))) throw notAProject(paths.folder);
    const lock = await ProjectLock.acquire(paths.lock);
    try {
      return await Project.#openLocked(paths, lock, options.now ?? ((): Date => new Date()));
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  static async #openLocked(
    paths: ProjectPaths,
    lock: ProjectLock,
    now: () => Date,
  ): Promise<Project> {
    const { database, repair } = await openProjectDatabase(paths, now);
    try {
      const blobs = new BlobStore(paths.blobs, paths.temp);
      const repositories = repositoriesOver(database);
      const emptyBefore = new Date(now().getTime() - trashDays * dayMs).toISOString();
      await repositories.versions.emptyTrash(emptyBefore);
      await repositories.datasets.emptyTrash(emptyBefore);
      await repositories.jobs.interruptUnended(now().toISOString());
      const { damaged, warnings } = await reconcile(paths, blobs, repositories, {
        thorough: lock.takenOver,
        keepStrangers: repair !== null,
      });
      return new Project({
        name: (await repositories.settings.get('name')) ?? basename(paths.folder),
        paths,
        lock,
        database,
        blobs,
        damaged,
        warnings: repair === null ? warnings : [repair, ...warnings],
        now,
      });
    } catch (error) {
      await database.close();
      throw toAppError(error);
    }
  }

  /** Takes a backup if anything changed, closes the database and gives the lock back. */
  async close(): Promise<void> {
    // A full disk must not keep the project open; the backups before this one stay.
    await this.backUp().catch(() => undefined);
    await this.#database.close();
    await this.#lock.release();
  }

  /** Copies the database, if anything changed since the newest copy. */
  async backUp(): Promise<void> {
    const row = await this.#database.get<{ changes: number }>('SELECT total_changes() AS changes');
    const changes = row?.changes ?? 0;
    if (changes === this.#changesBackedUp) return;
    await new Backups(this.paths.backups).take(this.#database, this.now());
    this.#changesBackedUp = changes;
  }

  /** Runs `body` on rows that are written together or not at all; it uses only what it is given. */
  transaction<T>(body: (repositories: Repositories) => Promise<T>): Promise<T> {
    return this.#database.transaction((sql) => body(repositoriesOver(sql)));
  }

  async state(): Promise<ProjectState> {
    const versions = await this.versions();
    return {
      name: this.name,
      folder: this.folder,
      baseline: await this.#baselineOf(versions),
      versions,
      datasets: await this.datasets(),
      jobs: await this.repositories.jobs.list(),
      recoveries: recoveriesOf(versions, await this.repositories.versions.trainedOptions()),
      trash: await this.#trashEntries(),
      warnings: this.warnings,
    };
  }

  /** Those that are not in the trash, oldest first. */
  versions(): Promise<VersionSummary[]> {
    return summariesOf(this.repositories, this.#damaged);
  }

  /** Those that are not in the trash, oldest first. */
  async datasets(): Promise<DatasetRecord[]> {
    return (await this.repositories.datasets.list()).map(({ record }) => record);
  }

  /** @param reference id or name. @throws AppError NOT_FOUND naming the nearest */
  async findVersion(reference: string): Promise<VersionSummary> {
    return findByReference(await this.versions(), reference, 'version');
  }

  /** @param reference id or name. @throws AppError NOT_FOUND naming the nearest */
  async findDataset(reference: string): Promise<DatasetRecord> {
    return findByReference(await this.datasets(), reference, 'data set');
  }

  /** All stored facts of a version. @throws AppError NOT_FOUND */
  async versionRow(reference: string): Promise<VersionRow> {
    const summary = await this.findVersion(reference);
    const stored = await this.repositories.versions.find(summary.id);
    if (!stored) throw new Error(`Version ${summary.id} is listed, but not stored.`);
    return versionRowOf(this.repositories, summary, stored, this.blobs.pathOf(stored.blob));
  }

  /**
   * The network that a version was cut from, and for how many epochs it was trained from random weights; null where
   * that is not known. @throws AppError NOT_FOUND
   */
  async original(
    reference: string,
  ): Promise<{ readonly version: VersionSummary; readonly epochs: number | null }> {
    const { id } = await this.findVersion(reference);
    const line = uncutPart(lineOf(await this.versions(), id));
    const version = line.at(-1) ?? (await this.findVersion(id));
    const isNew = ({ operation }: VersionSummary): boolean =>
      operation === 'zoo' || operation === 'scratch';
    const start = line.map(isNew).lastIndexOf(true);
    if (start < 0) return { version, epochs: null };
    const rows = await Promise.all(line.slice(start).map((one) => this.versionRow(one.id)));
    const epochs = rows.reduce((sum, { history }) => sum + history.length, 0);
    return { version, epochs: epochs === 0 ? null : epochs };
  }

  /** Blobs of the version that one was made from and of its first ancestor, as far as they still are there. */
  async ancestorFiles(
    id: VersionId,
  ): Promise<{ readonly parent: string | null; readonly original: string | null }> {
    const ancestors = (await lineageOf(this.repositories, id)).slice(0, -1);
    const fileOf = (blob: string | null | undefined): string | null =>
      blob === null || blob === undefined ? null : this.blobs.pathOf(blob);
    return { parent: fileOf(ancestors.at(-1)?.blob), original: fileOf(ancestors[0]?.blob) };
  }

  /**
   * What a job is told of a version; its file has just been read and found whole.
   * @throws AppError NOT_FOUND, PROJECT_CORRUPT
   */
  async versionSource(reference: string): Promise<VersionSource> {
    const { id, name, accuracy, latency } = await this.findVersion(reference);
    const line = await lineageOf(this.repositories, id);
    const blob = line.at(-1)?.blob ?? '';
    if (!(await this.#isIntact(blob, { readAgain: true }))) {
      throw new AppError(
        'PROJECT_CORRUPT',
        `The file of version "${name}" is missing or damaged.`,
        `Copy blobs/${blob} from a copy of the project, or make the version again: its options are stored.`,
        { details: { version: id, blob } },
      );
    }
    return {
      id,
      name,
      file: this.blobs.pathOf(blob),
      accuracy: accuracy && { ...scoredOf(accuracy), dataName: accuracy.dataName },
      latency,
      lineage: line.map(({ name, operation }) => ({ name, operation })),
    };
  }

  /**
   * What a job is told of a data set. Its file can be large: size and time are checked, the content only when
   * these have changed.
   * @throws AppError NOT_FOUND, PROJECT_CORRUPT
   */
  async datasetSource(reference: string): Promise<DatasetSource> {
    const { id, name, sourcePath } = await this.findDataset(reference);
    const stored = (await this.repositories.datasets.list()).find(({ record }) => record.id === id);
    if (!stored || !(await this.#isIntact(stored.blob, { readAgain: false }))) {
      throw new AppError(
        'PROJECT_CORRUPT',
        `The images of data set "${name}" are missing or damaged.`,
        `Attach the data set again from ${sourcePath}.`,
        { details: { data: id } },
      );
    }
    return { id, name, cacheFile: this.blobs.pathOf(stored.blob), info: stored.info };
  }

  /** Oldest first. */
  evaluations(version: VersionId): Promise<EvaluationRecord[]> {
    return this.repositories.evaluations.list(version);
  }

  /** Oldest first. */
  measurements(version: VersionId): Promise<MeasurementRecord[]> {
    return this.repositories.measurements.list(version);
  }

  /** Sensitivity maps of a version, also those not finished, oldest first. @throws AppError NOT_FOUND */
  async sensitivity(reference: string): Promise<SensitivityRecord[]> {
    const { id } = await this.findVersion(reference);
    return this.repositories.sensitivity.list(id);
  }

  /**
   * The newest finished map by which a version can be cut.
   * @param options the criterion that chose the channels when it was measured, and the structure
   * @throws AppError NOT_FOUND
   */
  async sensitivityMap(
    reference: string,
    options: Pick<PruneOptions, 'criterion' | 'trunk' | 'grouped'>,
  ): Promise<SensitivityRecord> {
    const { name } = await this.findVersion(reference);
    const maps = await this.sensitivity(reference);
    const fitting = maps.filter(({ map }) => mapFits(map, options));
    const found = fitting.filter(({ map }) => isComplete(map)).at(-1);
    if (found !== undefined) return found;
    const { criterion, trunk, grouped } = options;
    const choice = {
      criterion,
      ...(trunk === undefined ? {} : { trunk }),
      ...(grouped === undefined ? {} : { grouped }),
    };
    const words = Object.values(choice).join(', ');
    throw new AppError(
      'NOT_FOUND',
      fitting.length > 0
        ? `The sensitivity map of "${name}" by ${words} is not finished.`
        : `There is no sensitivity map of "${name}" by ${words}.`,
      'Measure its sensitivity first (command sensitivity, or the tab of the version); a run that was ' +
        'interrupted goes on where it stopped.',
      { details: { version: name, ...choice } },
    );
  }

  /** Oldest first. */
  exports(version: VersionId): Promise<ExportRecord[]> {
    return this.repositories.exports.list(version);
  }

  /** @throws AppError NOT_FOUND */
  async exportRecord(id: ExportId): Promise<ExportRecord> {
    const record = await this.repositories.exports.find(id);
    if (record) return record;
    throw new AppError('NOT_FOUND', `There is no export "${id}".`, 'Export the version again.');
  }

  /** The time series of a job, oldest point first. */
  metrics(job: JobId): Promise<Metric[]> {
    return this.repositories.metrics.list(job);
  }

  /**
   * Takes in what a job has made: it is there, whole and for good, when this returns.
   * @returns the id of the new version, data set, export or map; that of the version or map for figures
   * @throws AppError PROJECT_CORRUPT, DISK_FULL, NOT_FOUND, INVALID_ARGUMENT; nothing is then kept
   */
  commit(output: JobOutput, job: JobId): Promise<string> {
    return commitOutput(this, output, { job, createdAt: this.now().toISOString(), engineVersion });
  }

  /** A fresh folder for the staged files of a job. @throws AppError FILE_UNWRITABLE, DISK_FULL */
  async makeTempDir(job: JobId): Promise<string> {
    const folder = join(this.paths.temp, job);
    await mkdir(folder, { recursive: true }).catch((error: unknown) => {
      throw toAppError(error);
    });
    return folder;
  }

  async removeTempDir(job: JobId): Promise<void> {
    await rm(join(this.paths.temp, job), { recursive: true, force: true });
  }

  /** Where a job keeps what it needs to go on after a break; made when there is something to keep. */
  checkpointDir(job: JobId): string {
    return join(this.paths.checkpoints, job);
  }

  /** For a job that will not go on. */
  async removeCheckpoints(job: JobId): Promise<void> {
    await rm(this.checkpointDir(job), { recursive: true, force: true });
  }

  /** @throws AppError NOT_FOUND, INVALID_ARGUMENT, ALREADY_EXISTS */
  async rename(version: string, typedName: string): Promise<void> {
    const { id } = await this.findVersion(version);
    const name = checkedName(typedName);
    const others = (await this.versions()).filter((other) => other.id !== id);
    if (uniqueName(name, namesOf(others)) !== name) {
      throw new AppError(
        'ALREADY_EXISTS',
        `There is a version "${name}" already.`,
        'Choose another name.',
        { details: { field: 'name' } },
      );
    }
    await this.repositories.versions.rename(id, name);
  }

  /** @throws AppError NOT_FOUND */
  async setBaseline(version: string): Promise<void> {
    const { id } = await this.findVersion(version);
    await this.repositories.settings.set('baseline', id);
  }

  /** Versions made from it stay and keep working; it can be restored for 30 days. @throws AppError NOT_FOUND */
  async trash(kind: TrashEntry['kind'], reference: string): Promise<void> {
    const deletedAt = this.now().toISOString();
    if (kind === 'version') {
      const { id } = await this.findVersion(reference);
      await this.repositories.versions.trash(id, deletedAt);
    } else {
      const { id } = await this.findDataset(reference);
      await this.repositories.datasets.trash(id, deletedAt);
    }
  }

  /** Brings something back, with a number behind its name when the name was taken meanwhile. @throws AppError NOT_FOUND */
  async restore(kind: TrashEntry['kind'], reference: string): Promise<void> {
    const entries = (await this.#trashEntries()).filter((entry) => entry.kind === kind);
    const { id, name } = findByReference(entries, reference, `${kind} in the trash`);
    if (kind === 'version') {
      const free = uniqueName(name, namesOf(await this.versions()));
      await this.repositories.versions.restore(id, free);
    } else {
      const free = uniqueName(name, namesOf(await this.datasets()));
      await this.repositories.datasets.restore(id, free);
    }
  }

  async #trashEntries(): Promise<TrashEntry[]> {
    const entries = [
      ...(await this.repositories.versions.trashEntries()),
      ...(await this.repositories.datasets.trashEntries()),
    ];
    return entries.sort((a, b) => a.deletedAt.localeCompare(b.deletedAt));
  }

  /** The chosen one; the oldest version while none is chosen or that one is in the trash. */
  async #baselineOf(versions: readonly VersionSummary[]): Promise<VersionId | null> {
    const chosen = await this.repositories.settings.get('baseline');
    return versions.some(({ id }) => id === chosen) ? chosen : (versions[0]?.id ?? null);
  }

  async #isIntact(sha256: string, { readAgain }: { readAgain: boolean }): Promise<boolean> {
    const row = await this.repositories.blobs.find(sha256);
    const check = row && readAgain ? { ...row, modified: Number.NaN } : row;
    const intact = check !== undefined && (await this.blobs.check(check)).state === 'intact';
    if (intact) this.#damaged.delete(sha256);
    else this.#damaged.add(sha256);
    return intact;
  }
}

const namesOf = (entries: readonly { readonly name: string }[]): string[] =>
  entries.map(({ name }) => name);
