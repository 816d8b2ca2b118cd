// Files that a job reads and stages: versions come from the blob store, results go to the job's temp folder.

import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { AppError, toAppError } from '../../engine/errors';
import { decodeModel, encodeModel } from '../../engine/graph/serialize';
import type { Model } from '../../engine/graph/types';
import type { DatasetId, VersionId } from '../../project/types';
import type { DatasetSource, JobSpec, StagedBlob, VersionSource } from '../types';

/** The resolved source of a version that a request names. @throws AppError NOT_FOUND */
export function versionSource(spec: JobSpec, id: VersionId): VersionSource {
  const source = spec.versions[id];
  if (source) return source;
  throw new AppError('NOT_FOUND', `There is no version ${id}.`, 'List the versions and try again.');
}

/** The resolved source of a data set that a request names. @throws AppError NOT_FOUND */
export function datasetSource(spec: JobSpec, id: DatasetId): DatasetSource {
  const source = spec.datasets[id];
  if (source) return source;
  throw new AppError(
    'NOT_FOUND',
    `There is no data set ${id}.`,
    'List the data sets and try again.',
  );
}

/** Reads a version's model. @throws AppError FILE_UNREADABLE, MODEL_CORRUPT */
export async function loadModel(file: string): Promise<Model> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw toAppError(error);
  });
  return decodeModel(bytes);
}

/** Writes bytes to a new file of the job's temp folder, with their checksum. */
export async function stageBytes(tempDir: string, bytes: Uint8Array): Promise<StagedBlob> {
  const file = join(tempDir, randomUUID());
  const handle = await open(file, 'wx');
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { file, sha256, bytes: bytes.byteLength };
}

/** Stages a model in the project's own container. */
export function stageModel(tempDir: string, model: Model): Promise<StagedBlob> {
  return stageBytes(tempDir, encodeModel(model));
}

/** Checksum and size of a file that is already in the temp folder. */
export async function stagedFile(file: string): Promise<StagedBlob> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return { file, sha256: hash.digest('hex'), bytes: (await stat(file)).size };
}
