// job <project> <request>: any job, exactly as the window starts it. "Copy as command" uses it where the flags of
// the other commands do not suffice. resume <project> [job]: a job that was broken off.

import { isAbsolute } from 'node:path';
import type { Command } from 'commander';

import { AppError } from '../../engine/errors';
import { schemas } from '../../ipc/schemas';
import type { JobRequest } from '../../jobs/types';
import type { Project } from '../../project/project';
import type { JobRecord } from '../../project/types';
import { versionJson } from '../format';
import type { Runtime } from '../runtime';

/** Stands for a path in the checks, which are made for a page that names none. */
const token = 'path';

function invalid(message: string): AppError {
  return new AppError(
    'INVALID_ARGUMENT',
    message,
    'Copy the command from the window, or use the other commands.',
  );
}

/** @throws AppError INVALID_ARGUMENT naming the first field that does not fit */
function parseRequest(text: string): JobRequest {
  let request: unknown;
  try {
    request = JSON.parse(text);
  } catch {
    throw invalid('The request is not JSON.');
  }
  const checked = schemas['jobs.start'].safeParse({ request: asPageRequest(request) });
  if (checked.success) return request as JobRequest;
  const [issue] = checked.error.issues;
  throw invalid(`Invalid value for ${issue?.path.join('.') ?? 'the request'}: ${issue?.message}.`);
}

/** A page has tokens in the place of paths. */
function asPageRequest(request: unknown): unknown {
  const entries = Object.entries(request ?? {}).map(([key, value]): [string, unknown] => {
    const replaced = typeof value === 'string' && isAbsolute(value) ? token : null;
    if (key === 'path') return ['token', replaced];
    if (key === 'folder') return ['folderToken', replaced];
    return [key, value];
  });
  return Object.fromEntries(entries);
}

/** What a job has made, for people and for scripts. */
async function printResult(runtime: Runtime, project: Project, job: JobRecord): Promise<void> {
  const made = await Promise.all(job.versions.map((id) => project.findVersion(id)));
  const exports = await Promise.all(job.exports.map((id) => project.exportRecord(id)));
  const datasets = await Promise.all(job.datasets.map((id) => project.findDataset(id)));
  runtime.output.result(
    {
      job: job.id,
      title: job.title,
      versions: made.map(versionJson),
      exports: exports.map(({ folder: path, files }) => ({ folder: path, files })),
      datasets: datasets.map(({ id, name }) => ({ id, name })),
    },
    [
      `Done: ${job.title}`,
      ...made.map(({ name }) => `version ${name}`),
      ...exports.map(({ folder }) => `export in ${folder}`),
      ...datasets.map(({ name }) => `data set ${name}`),
    ],
  );
}

export function addJob(program: Command, runtime: Runtime): void {
  program
    .command('job', { hidden: true })
    .argument('<project>', 'a project folder')
    .argument('<request>', 'the request, as JSON', parseRequest)
    .description('run a job that was copied from the window')
    .action((folder: string, request: JobRequest) =>
      runtime.withProject(folder, async (project) =>
        printResult(runtime, project, await runtime.run(project, request)),
      ),
    );
}

/** The job that is meant, else the one that was broken off last. @throws AppError NOT_FOUND */
async function brokenOff(project: Project, id: string | undefined): Promise<JobRecord> {
  const { jobs } = await project.state();
  const candidates = jobs.filter((job) => (id === undefined ? job.resumable : job.id === id));
  const job = candidates.at(-1);
  if (job) return job;
  throw new AppError(
    'NOT_FOUND',
    id === undefined ? 'No job of this project was broken off.' : `There is no job "${id}".`,
    'secateur list <project> --json shows the jobs with their states.',
  );
}

export function addResume(program: Command, runtime: Runtime): void {
  program
    .command('resume')
    .argument('<project>', 'a project folder')
    .argument('[job]', 'a job by id; the one broken off last by default')
    .description('go on with a job that was stopped or broken off, where it stood')
    .action((folder: string, id?: string) =>
      runtime.withProject(folder, async (project) => {
        const job = await brokenOff(project, id);
        runtime.output.note(`Going on with: ${job.title}`);
        await printResult(runtime, project, await runtime.resume(project, job.id));
      }),
    );
}
