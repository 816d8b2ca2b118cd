// What commands share: output, opening a project, and running a job to its end with progress and Ctrl+C.

import { AppError } from '../engine/errors';
import type { JobRequest } from '../jobs/types';
import { JobQueue } from '../jobs/queue';
import { createInProcessHost } from '../jobs/hosts/in-process';
import { runJob } from '../jobs/work/run';
import { Project } from '../project/project';
import type { JobRecord } from '../project/types';
import type { Output } from './output';

export interface Runtime {
  readonly output: Output;
  /** Opens a project for one command and closes it afterwards, whatever happens. */
  withProject<T>(folder: string, use: (project: Project) => Promise<T>): Promise<T>;
  /** Runs a job to its end. @throws AppError of the job, CANCELLED after Ctrl+C */
  run(project: Project, request: JobRequest): Promise<JobRecord>;
}

export function createRuntime(output: Output): Runtime {
  return {
    output,
    withProject: async (folder, use) => {
      const project = await Project.open(folder);
      try {
        for (const warning of project.warnings) output.note(`warning: ${warning}`);
        return await use(project);
      } finally {
        await project.close();
      }
    },
    run: (project, request) => runToEnd(project, request, output),
  };
}

async function runToEnd(project: Project, request: JobRequest, output: Output): Promise<JobRecord> {
  const queue = new JobQueue(project, createInProcessHost(runJob));
  const unsubscribe = queue.subscribe((event) => {
    if (event.type === 'progress') output.progress(event.progress, event.etaMs);
    if (event.type === 'log') output.note(event.text);
  });
  const id = await queue.start(request);
  // The first Ctrl+C cancels between batches, the second one ends the process as usual.
  const onInterrupt = (): void => {
    output.note('Cancelling; press Ctrl+C again to end at once.');
    process.removeListener('SIGINT', onInterrupt);
    void queue.cancel(id);
  };
  process.on('SIGINT', onInterrupt);
  try {
    const job = await queue.finished(id);
    output.endProgress();
    if (job.error) throw AppError.fromInfo(job.error);
    return job;
  } finally {
    process.removeListener('SIGINT', onInterrupt);
    unsubscribe();
    await queue.close();
  }
}
