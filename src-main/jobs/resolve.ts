// From a request to a spec: everything that it names is looked up, checked and turned into files.

import { readdir, stat } from 'node:fs/promises';
import { dirname, extname, isAbsolute, join } from 'node:path';
import { AppError } from '../engine/errors';
import { checkedName } from '../project/names';
import type { Project } from '../project/project';
import type { DatasetId, JobId, SensitivityRecord, VersionId } from '../project/types';
import { engineVersion } from '../version';
import type { DatasetSource, JobRequest, JobSpec, VersionSource } from './types';

/** Rows, logs and files beside the model itself. */
const baseBytes = 16 * 1024 * 1024;

/**
 * @throws AppError NOT_FOUND for what was removed meanwhile, PROJECT_CORRUPT for a damaged file,
 *   INVALID_ARGUMENT for a relative path or a bad name, FILE_UNWRITABLE, DISK_FULL
 */
export async function resolveSpec(
  project: Project,
  jobId: JobId,
  request: JobRequest,
): Promise<JobSpec> {
  const { versions, datasets } = await resolveSources(project, request);
  const saved = await project.repositories.jobs.outputs(jobId);
  for (const { type, id } of saved) {
    if (type === 'version') versions.push(await project.versionSource(id));
  }
  return {
    jobId,
    request,
    versions: byId(versions),
    datasets: byId(datasets),
    sensitivity: await sensitivityFor(project, request),
    tempDir: await project.makeTempDir(jobId),
    exportsDir: project.paths.exports,
    checkpointDir: project.checkpointDir(jobId),
    saved,
    engineVersion,
  };
}

/** Checks a request before it waits in the queue. @throws as `resolveSpec` */
export async function checkRequest(project: Project, request: JobRequest): Promise<void> {
  if ('name' in request && request.name !== null) checkedName(request.name);
  const path = pathOf(request);
  if (path !== null && !isAbsolute(path)) {
    throw new AppError(
      'INVALID_ARGUMENT',
      `The path of a job must be absolute: ${path}.`,
      'Give the full path.',
      { details: { field: 'path' } },
    );
  }
  await resolveSources(project, request);
  await sensitivityFor(project, request);
}

/** Bytes that a job will put into the project, as far as they can be told beforehand. */
export async function estimateBytes(spec: JobSpec): Promise<number> {
  const { request } = spec;
  const sizes = await Promise.all(Object.values(spec.versions).map(({ file }) => sizeOf(file)));
  const versionBytes = sizes.reduce((sum, size) => sum + size, 0);
  switch (request.kind) {
    case 'prune': {
      const { recalibrate, fineTune, sparsify } = request;
      const perStep = 1 + [recalibrate, fineTune, sparsify].filter(Boolean).length;
      return baseBytes + request.steps * perStep * versionBytes;
    }
    case 'train':
    case 'recalibrate':
    case 'export':
      return baseBytes + versionBytes;
    case 'import':
      return baseBytes + (await modelBytes(request.path));
    case 'add-data':
      return baseBytes + (await sizeOf(request.path));
    case 'zoo':
    case 'evaluate':
    case 'measure':
    case 'sensitivity':
      return baseBytes;
  }
}

interface References {
  readonly versions: readonly VersionId[];
  readonly datasets: readonly DatasetId[];
}

/** The versions and data sets that a request names. */
function referencesOf(request: JobRequest): References {
  switch (request.kind) {
    case 'import':
      return { versions: [], datasets: present(request.data) };
    case 'prune':
      return {
        versions: [request.version, ...present(request.teacher ?? null)],
        datasets: present(request.data),
      };
    case 'export':
      return { versions: [request.version], datasets: present(request.data) };
    case 'train':
      return {
        versions: [request.version, ...present(request.teacher ?? null)],
        datasets: [request.data],
      };
    case 'recalibrate':
    case 'sensitivity':
      return { versions: [request.version], datasets: [request.data] };
    case 'evaluate':
      return { versions: request.versions, datasets: [request.data] };
    case 'measure':
      return { versions: request.versions, datasets: [] };
    case 'zoo':
    case 'add-data':
      return { versions: [], datasets: [] };
  }
}

async function resolveSources(
  project: Project,
  request: JobRequest,
): Promise<{ versions: VersionSource[]; datasets: DatasetSource[] }> {
  const references = referencesOf(request);
  const versions: VersionSource[] = [];
  for (const id of references.versions) versions.push(await project.versionSource(id));
  const datasets: DatasetSource[] = [];
  for (const id of references.datasets) datasets.push(await project.datasetSource(id));
  return { versions, datasets };
}

/** The stored map that a request goes on from or by. */
async function sensitivityFor(
  project: Project,
  request: JobRequest,
): Promise<SensitivityRecord | null> {
  if (request.kind === 'sensitivity') {
    const { version, data, options } = request;
    return (await project.repositories.sensitivity.find(version, data, options)) ?? null;
  }
  if (request.kind === 'prune' && request.options.scope === 'sensitivity') {
    return project.sensitivityMap(request.version, request.options);
  }
  return null;
}

function pathOf(request: JobRequest): string | null {
  switch (request.kind) {
    case 'import':
    case 'add-data':
      return request.path;
    case 'export':
      return request.folder;
    case 'zoo':
    case 'prune':
    case 'train':
    case 'recalibrate':
    case 'evaluate':
    case 'measure':
    case 'sensitivity':
      return null;
  }
}

/** A model file; TensorFlow.js keeps the weights in .bin files beside it. */
async function modelBytes(path: string): Promise<number> {
  const own = await sizeOf(path);
  if (extname(path) !== '.json') return own;
  const folder = dirname(path);
  const names = (await readdir(folder)).filter((name) => extname(name) === '.bin');
  const sizes = await Promise.all(names.map((name) => sizeOf(join(folder, name))));
  return sizes.reduce((sum, size) => sum + size, own);
}

/** Bytes of a file; 0 for what is not there, which the job itself will report. */
const sizeOf = async (path: string): Promise<number> =>
  (await stat(path).catch(() => null))?.size ?? 0;

const present = <T extends string>(id: T | null): readonly T[] => (id === null ? [] : [id]);

function byId<T extends { readonly id: string }>(entries: readonly T[]): Record<string, T> {
  return Object.fromEntries(entries.map((entry) => [entry.id, entry]));
}
