// A project with a network that learns in seconds, and jobs run on it by the very functions that a worker runs.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metric, Progress } from '../../../src-main/engine/context';
import { CacheWriter } from '../../../src-main/engine/data/cache';
import type { Dataset, SplitName } from '../../../src-main/engine/data/types';
import { graphCost } from '../../../src-main/engine/graph/cost';
import { encodeModel } from '../../../src-main/engine/graph/serialize';
import type { Model } from '../../../src-main/engine/graph/types';
import { resolveSpec } from '../../../src-main/jobs/resolve';
import type { JobOutput, JobRequest } from '../../../src-main/jobs/types';
import { SavedOutputs } from '../../../src-main/jobs/saved-outputs';
import { runJob } from '../../../src-main/jobs/work/run';
import type { Project } from '../../../src-main/project/project';
import type { JobId } from '../../../src-main/project/types';
import { toyClasses, toyDataset, toyModel } from '../../engine/train/toy';
import { draftOf, newJob, newProject, queuedJob, stage } from '../support';

export interface Toy {
  readonly project: Project;
  readonly version: string;
  readonly data: string;
}

/** A project with the toy network, not trained, and its data set. */
export async function toyProject(model: Model = toyModel()): Promise<Toy> {
  const project = await newProject();
  const data = await addToyData(project, toyDataset({ train: 64, val: 16, test: 24 }));
  return { project, version: await addModel(project, model), data };
}

/** Commits a model as an imported version. */
export async function addModel(project: Project, model: Model, name = 'toy'): Promise<string> {
  const job = await newJob(project);
  const blob = await stage(project, job, encodeModel(model));
  const draft = draftOf(blob, {
    suggestedName: name,
    classes: toyClasses,
    cost: graphCost(model.graph),
  });
  return project.commit({ type: 'version', draft }, job);
}

async function addToyData(project: Project, dataset: Dataset): Promise<string> {
  const job = await newJob(project);
  const file = join(await project.makeTempDir(job), 'cache');
  const { height, width, channels } = dataset;
  const names: readonly SplitName[] = ['train', 'val', 'test'];
  const total = names.reduce((sum, name) => sum + dataset.split(name).count, 0);
  const writer = await CacheWriter.create(file, { height, width, channels }, total);
  for (const name of names) {
    const split = dataset.split(name);
    const pixels = new Uint8Array(height * width * channels);
    for (const [i, label] of split.labels.entries()) {
      split.read(Int32Array.of(i), pixels);
      await writer.append(name, label, pixels);
    }
  }
  const info = await writer.finish({
    format: 'npz',
    task: 'classes',
    classes: dataset.classes,
    notes: [],
  });
  const content = await readFile(file);
  const sha256 = createHash('sha256').update(content).digest('hex');
  const cache = { file, sha256, bytes: content.byteLength };
  return project.commit(
    { type: 'dataset', name: 'quadrants', sourcePath: '/somewhere', info, cache },
    job,
  );
}

export interface Run {
  readonly job: JobId;
  readonly outputs: readonly JobOutput[];
  readonly progress: readonly Progress[];
  readonly metrics: readonly Metric[];
  readonly log: readonly string[];
}

export interface RunOptions {
  /** Cancels the job where it says true. */
  readonly cancelAt?: (progress: Progress) => boolean;
  /** Goes on with a job that was broken off. */
  readonly resume?: JobId;
  readonly onStart?: (job: JobId) => void;
  /** Stands between the job and the project. */
  readonly onSave?: (output: JobOutput) => void;
}

export const cancellation = new Error('cancelled by the test');

/** Does a job; its results are committed to the project as those of a worker are. */
export async function run(
  project: Project,
  request: JobRequest,
  { cancelAt = () => false, onSave = () => undefined, onStart, resume }: RunOptions = {},
): Promise<Run> {
  const id = resume ?? (await queuedJob(project));
  onStart?.(id);
  const spec = await resolveSpec(project, id, request);
  const saved = new SavedOutputs(spec.saved);
  const abort = new AbortController();
  const outputs: JobOutput[] = [];
  const progress: Progress[] = [];
  const metrics: Metric[] = [];
  const log: string[] = [];
  await runJob(spec, {
    signal: abort.signal,
    progress: (now) => {
      progress.push(now);
      if (cancelAt(now)) abort.abort(cancellation);
    },
    metric: (metric) => metrics.push(metric),
    log: (_, text) => log.push(text),
    save: async (output) => {
      onSave(output);
      outputs.push(output);
      const made = await project.commit(output, id);
      saved.add(output.type);
      return made;
    },
    earlier: (type) => saved.take(type),
    position: () => saved.position,
    trainingFrom: () => undefined,
    isPausing: () => false,
  });
  return { job: id, outputs, progress, metrics, log };
}
