// At start: makes database and files agree. What no row knows is swept, what a row misses is reported.

import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sweepTemps } from './atomic-write';
import type { BlobStore } from './blob-store';
import type { ProjectPaths } from './paths';
import type { Repositories } from './repositories';

export interface Reconciliation {
  /** Blobs that are missing or do not match their checksum. */
  readonly damaged: ReadonlySet<string>;
  readonly warnings: readonly string[];
}

export interface ReconcileOptions {
  /** Read every blob again, also those that look untouched: after a crash. */
  readonly thorough: boolean;
  /** Keep the blobs that no row knows: the database is a restored backup, older than they are. */
  readonly keepStrangers: boolean;
}

export async function reconcile(
  paths: ProjectPaths,
  blobs: BlobStore,
  repositories: Repositories,
  options: ReconcileOptions,
): Promise<Reconciliation> {
  await rm(paths.temp, { recursive: true, force: true });
  for (const folder of [paths.blobs, paths.exports, paths.temp]) {
    await mkdir(folder, { recursive: true });
  }
  for (const folder of [paths.folder, paths.blobs, paths.backups, paths.exports]) {
    await sweepTemps(folder);
  }
  await removeOldCheckpoints(paths, repositories);
  await repositories.blobs.removeUnreferenced();
  const warnings = await removeStrangers(paths, blobs, repositories, options.keepStrangers);
  const damaged = await findDamaged(blobs, repositories, options.thorough);
  return { damaged, warnings: [...warnings, ...(await describeDamage(damaged, repositories))] };
}

/** Checkpoints of jobs that will not go on. */
async function removeOldCheckpoints(
  paths: ProjectPaths,
  repositories: Repositories,
): Promise<void> {
  const jobs = await repositories.jobs.list();
  const resumable = new Set(jobs.filter((job) => job.resumable).map(({ id }) => id));
  const folders = await readdir(paths.checkpoints).catch(() => []);
  for (const name of folders.filter((folder) => !resumable.has(folder))) {
    await rm(join(paths.checkpoints, name), { recursive: true, force: true });
  }
}

async function removeStrangers(
  paths: ProjectPaths,
  blobs: BlobStore,
  repositories: Repositories,
  keep: boolean,
): Promise<string[]> {
  const known = new Set((await repositories.blobs.list()).map(({ sha256 }) => sha256));
  const strangers = await blobs.strangers(known);
  if (!keep) {
    for (const name of strangers) await blobs.remove(name);
    return [];
  }
  if (strangers.length === 0) return [];
  await mkdir(paths.recovered, { recursive: true });
  for (const name of strangers) await rename(blobs.pathOf(name), join(paths.recovered, name));
  return [
    `${strangers.length} ${strangers.length === 1 ? 'file' : 'files'} that the restored backup does not know ` +
      `${strangers.length === 1 ? 'is' : 'are'} kept in ${paths.recovered}.`,
  ];
}

async function findDamaged(
  blobs: BlobStore,
  repositories: Repositories,
  thorough: boolean,
): Promise<Set<string>> {
  const damaged = new Set<string>();
  for (const row of await repositories.blobs.list()) {
    const found = await blobs.check(thorough ? { ...row, modified: Number.NaN } : row);
    if (found.state !== 'intact') damaged.add(row.sha256);
    else if (found.modified !== row.modified) {
      await repositories.blobs.put({ ...row, modified: found.modified });
    }
  }
  return damaged;
}

async function describeDamage(
  damaged: ReadonlySet<string>,
  repositories: Repositories,
): Promise<string[]> {
  const versions = (await repositories.versions.figures())
    .filter(({ blob }) => damaged.has(blob))
    .map(({ name }) => `The file of version "${name}" is missing or damaged.`);
  const datasets = (await repositories.datasets.list())
    .filter(({ blob }) => damaged.has(blob))
    .map(
      ({ record }) =>
        `The images of data set "${record.name}" are missing or damaged: attach it again from ${record.sourcePath}.`,
    );
  return [...versions, ...datasets];
}
