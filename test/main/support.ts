// What the tests of project and jobs share: temp folders, drafts of versions, errors by their code.

import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Task } from '../../src-main/engine/data/types';
import { AppError, type ErrorCode } from '../../src-main/engine/errors';
import type { Accuracy, Latency } from '../../src-main/engine/measure/types';
import type {
  EvaluateRequest,
  JobOutput,
  StagedBlob,
  VersionDraft,
} from '../../src-main/jobs/types';
import { newId } from '../../src-main/project/names';
import { Project } from '../../src-main/project/project';
import type { JobId } from '../../src-main/project/types';

/** A fresh folder, removed after the test. */
export async function tempFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'secateur-test-')));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A fresh project, closed after the test. */
export async function newProject(now?: () => Date): Promise<Project> {
  const folder = join(await tempFolder(), 'project');
  return closing(await Project.create(folder, 'Test', now ? { now } : {}));
}

/** Opens a project, closed after the test. */
export async function openProject(folder: string, now?: () => Date): Promise<Project> {
  return closing(await Project.open(folder, now ? { now } : {}));
}

function closing(project: Project): Project {
  // Most tests close it themselves; closing twice only fails.
  onTestFinished(() => project.close().catch(() => undefined));
  return project;
}

/** A row for results to belong to, of a job that has ended. */
export async function newJob(project: Project): Promise<JobId> {
  const id = await queuedJob(project);
  await project.repositories.jobs.markEnded(id, 'done', project.now().toISOString(), null);
  return id;
}

/** A row of a job that has not ended. */
export async function queuedJob(project: Project): Promise<JobId> {
  const id = newId('j');
  const request: EvaluateRequest = { kind: 'evaluate', versions: [], data: '', split: 'test' };
  const createdAt = project.now().toISOString();
  await project.repositories.jobs.insert({ id, request, title: 'A job', createdAt });
  return id;
}

/** A file in the temp folder of a job, as a worker would leave it. */
export async function stage(
  project: Project,
  job: JobId,
  content: Uint8Array | string = randomBytes(100),
): Promise<StagedBlob> {
  const file = join(await project.makeTempDir(job), randomBytes(4).toString('hex'));
  await writeFile(file, content);
  const sha256 = createHash('sha256').update(content).digest('hex');
  return { file, sha256, bytes: Buffer.byteLength(content) };
}

export function draftOf(blob: StagedBlob, changes: Partial<VersionDraft> = {}): VersionDraft {
  return {
    blob,
    suggestedName: 'sample',
    parent: null,
    operation: 'import',
    options: { kind: 'import' },
    seed: 7,
    cost: { params: 1000, macs: 3_800_000_000, weightBytes: 4000, activationBytes: 500 },
    bytes: 4321,
    bytesOf: 'tflite',
    inputShape: [28, 28, 1],
    classes: 10,
    source: { format: 'tfjs-layers', notes: ['a note'] },
    equivalence: null,
    layers: null,
    history: [],
    ...changes,
  };
}

/** Commits a version with content of its own. */
export async function addVersion(
  project: Project,
  changes: Partial<VersionDraft> = {},
  job?: JobId,
): Promise<string> {
  const owner = job ?? (await newJob(project));
  const draft = draftOf(await stage(project, owner), changes);
  return project.commit({ type: 'version', draft }, owner);
}

/** Commits a data set with content of its own. */
export async function addDataset(
  project: Project,
  name = 'digits',
  task: Task = 'classes',
): Promise<string> {
  const job = await newJob(project);
  const output: JobOutput = {
    type: 'dataset',
    name,
    sourcePath: '/somewhere/digits',
    info: {
      format: 'idx',
      task,
      classes: ['zero', 'one'],
      height: 28,
      width: 28,
      channels: 1,
      counts: { train: 8, val: 1, test: 1 },
      notes: [],
    },
    cache: await stage(project, job),
  };
  return project.commit(output, job);
}

export function accuracyOf(top1: number, split: Accuracy['split'] = 'test'): Accuracy {
  return {
    task: 'classes',
    split,
    samples: 100,
    top1,
    top5: null,
    macroF1: 1,
    loss: 0.5,
    perClass: [top1, top1],
    confusion: [
      [1, 0],
      [0, 1],
    ],
    backend: 'cpu',
  };
}

export function latencyOf(medianMs: number, threads = 1): Latency {
  return {
    runtime: 'litert',
    runtimeDetail: 'LiteRT',
    threads,
    batch: 1,
    warmup: 5,
    runs: 50,
    medianMs,
    p95Ms: medianMs * 1.2,
    minMs: medianMs * 0.9,
    device: 'a processor',
  };
}

/** The error that a promise ends with; fails the test when it is not an AppError of this code. */
export async function errorOf(promise: Promise<unknown>, code: ErrorCode): Promise<AppError> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof AppError) || error.code !== code) {
    throw new Error(`Expected an error ${code}, got ${String(error)}`, { cause: error });
  }
  return error;
}
