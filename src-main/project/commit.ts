// Takes what a job has made into the project: the file first, its row last. Before the row is there, the
// version does not exist; a file without a row is swept at the next start.

import { AppError } from '../engine/errors';
import { isRepeatable } from '../jobs/saved-outputs';
import type { JobOutput, StagedBlob } from '../jobs/types';
import type { BlobRow, BlobStore } from './blob-store';
import { cleanName, newId, uniqueName } from './names';
import type { Repositories } from './repositories';
import type { JobId, Timestamp } from './types';

/** What a commit needs of the project. */
export interface CommitTarget {
  readonly blobs: BlobStore;
  transaction<T>(body: (repositories: Repositories) => Promise<T>): Promise<T>;
}

export interface Origin {
  readonly job: JobId;
  readonly createdAt: Timestamp;
  readonly engineVersion: string;
}

type Output<T extends JobOutput['type']> = Extract<JobOutput, { type: T }>;

/**
 * @returns the id of the new version, data set, export or map; that of the version or map for figures
 * @throws AppError as `BlobStore.adopt` and the database do; nothing of the output is then kept
 */
export async function commitOutput(
  target: CommitTarget,
  output: JobOutput,
  origin: Origin,
): Promise<string> {
  const insert = async (repositories: Repositories): Promise<string> => {
    const id = await insertOutput(repositories, output, origin);
    if (isRepeatable(output.type)) {
      await repositories.jobs.addOutput(origin.job, { type: output.type, id });
    }
    return id;
  };
  switch (output.type) {
    case 'version':
      return withBlob(target, output.draft.blob, insert);
    case 'dataset':
      return withBlob(target, output.cache, insert);
    default:
      return target.transaction(insert);
  }
}

async function insertOutput(
  repositories: Repositories,
  output: JobOutput,
  origin: Origin,
): Promise<string> {
  const { createdAt } = origin;
  switch (output.type) {
    case 'version':
      return insertVersion(repositories, output, origin);
    case 'dataset':
      return insertDataset(repositories, output, origin);
    case 'evaluation':
      await requireVersion(repositories, output.version);
      await repositories.evaluations.insert({ ...output, createdAt });
      return output.version;
    case 'measurement':
      await requireVersion(repositories, output.version);
      await repositories.measurements.insert({ ...output, createdAt });
      return output.version;
    case 'sensitivity': {
      await requireVersion(repositories, output.version);
      const id = newId('s');
      await repositories.sensitivity.insert({ ...output, id, createdAt });
      return id;
    }
    case 'sensitivity-point':
      await repositories.sensitivity.insertPoint(output.map, output.point);
      return output.map;
    case 'export':
      return insertExport(repositories, output, origin);
  }
}

async function withBlob(
  target: CommitTarget,
  staged: StagedBlob,
  insert: (repositories: Repositories) => Promise<string>,
): Promise<string> {
  const row: BlobRow = await target.blobs.adopt(staged);
  try {
    return await target.transaction(async (repositories) => {
      await repositories.blobs.put(row);
      return insert(repositories);
    });
  } catch (error) {
    await withdraw(target, row);
    throw error;
  }
}

/** Removes the file again, unless it is the content of something else, too. A failure is left to the next start. */
async function withdraw(target: CommitTarget, { sha256 }: BlobRow): Promise<void> {
  try {
    const shared = await target.transaction((repositories) => repositories.blobs.find(sha256));
    if (shared === undefined) await target.blobs.remove(sha256);
  } catch {
    // The error that led here says more.
  }
}

async function insertVersion(
  repositories: Repositories,
  { draft }: Output<'version'>,
  origin: Origin,
): Promise<string> {
  if (draft.parent !== null) await requireVersion(repositories, draft.parent);
  const id = newId('v');
  const name = uniqueName(
    cleanName(draft.suggestedName, 'version'),
    await repositories.versions.names(),
  );
  await repositories.versions.insert({ ...origin, id, name, draft });
  return id;
}

async function insertDataset(
  repositories: Repositories,
  { name, sourcePath, info, cache }: Output<'dataset'>,
  origin: Origin,
): Promise<string> {
  const id = newId('d');
  const taken = (await repositories.datasets.list()).map(({ record }) => record.name);
  await repositories.datasets.insert({
    id,
    name: uniqueName(cleanName(name, 'data'), taken),
    sourcePath,
    info,
    createdAt: origin.createdAt,
    job: origin.job,
    blob: cache.sha256,
  });
  return id;
}

async function insertExport(
  repositories: Repositories,
  { type: _, ...output }: Output<'export'>,
  origin: Origin,
): Promise<string> {
  await requireVersion(repositories, output.version);
  const id = newId('e');
  await repositories.exports.insert({ ...output, id, createdAt: origin.createdAt }, origin.job);
  return id;
}

async function requireVersion(repositories: Repositories, id: string): Promise<void> {
  if (await repositories.versions.find(id)) return;
  throw new AppError(
    'NOT_FOUND',
    `There is no version "${id}" in this project.`,
    'It may have been removed while the job ran.',
    { details: { version: id } },
  );
}
