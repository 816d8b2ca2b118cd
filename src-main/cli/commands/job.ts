// job <project> <request>: any job, exactly as the window starts it. "Copy as command" uses it where the flags of
// the other commands do not suffice.

import { isAbsolute } from 'node:path';
import type { Command } from 'commander';

import { AppError } from '../../engine/errors';
import { schemas } from '../../ipc/schemas';
import type { JobRequest } from '../../jobs/types';
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

export function addJob(program: Command, runtime: Runtime): void {
  program
    .command('job', { hidden: true })
    .argument('<project>', 'a project folder')
    .argument('<request>', 'the request, as JSON', parseRequest)
    .description('run a job that was copied from the window')
    .action((folder: string, request: JobRequest) =>
      runtime.withProject(folder, async (project) => {
        const job = await runtime.run(project, request);
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
            ...exports.map((made) => `export in ${made.folder}`),
            ...datasets.map(({ name }) => `data set ${name}`),
          ],
        );
      }),
    );
}
