// What commands share: output, opening a project, and running a job to its end with progress and Ctrl+C.

import { AppError } from '../engine/errors';
import { Analyst } from '../jobs/analyst';
import type { QuestionName, Questions } from '../jobs/analyst-protocol';
import { childProcessHost, startChildProcess } from '../jobs/hosts/child-process';
import { JobQueue } from '../jobs/queue';
import type { JobRequest } from '../jobs/types';
import { Project } from '../project/project';
import type { JobId, JobRecord } from '../project/types';
import type { Output } from './output';

export interface Runtime {
  readonly output: Output;
  /** Opens a project for one command and closes it afterwards, whatever happens. */
  withProject<T>(folder: string, use: (project: Project) => Promise<T>): Promise<T>;
  /** Makes a project and does the same with it. */
  withNewProject<T>(
    folder: string,
    name: string | undefined,
    use: (project: Project) => Promise<T>,
  ): Promise<T>;
  /** Runs a job, and those that follow from it, to their end. @throws AppError of a job, CANCELLED after Ctrl+C */
  run(project: Project, request: JobRequest): Promise<JobRecord>;
  /** Goes on with a job that was broken off, to its end. @throws as `run` */
  resume(project: Project, job: JobId): Promise<JobRecord>;
  /** Asks a process of its own about files that need not be sound. @throws AppError */
  ask<Q extends QuestionName>(name: Q, args: Questions[Q]['args']): Promise<Questions[Q]['reply']>;
}

/** @param workerScript the built worker (src-main/jobs/worker/index.ts) */
export function createRuntime(output: Output, workerScript: string): Runtime {
  return {
    output,
    withProject: async (folder, use) => closing(await Project.open(folder), output, use),
    withNewProject: async (folder, name, use) =>
      closing(await Project.create(folder, name), output, use),
    run: (project, request) =>
      runToEnd(project, (queue) => queue.start(request), output, workerScript),
    resume: (project, job) =>
      runToEnd(project, (queue) => queue.resume(job).then(() => job), output, workerScript),
    ask: async (name, args) => {
      const analyst = new Analyst(() => startChildProcess(workerScript));
      try {
        return await analyst.ask(name, args, (progress) => output.progress(progress, null));
      } finally {
        output.endProgress();
        analyst.stop();
      }
    },
  };
}

async function closing<T>(
  project: Project,
  output: Output,
  use: (project: Project) => Promise<T>,
): Promise<T> {
  try {
    for (const warning of project.warnings) output.note(`warning: ${warning}`);
    return await use(project);
  } finally {
    await project.close();
  }
}

async function runToEnd(
  project: Project,
  begin: (queue: JobQueue) => Promise<JobId>,
  output: Output,
  workerScript: string,
): Promise<JobRecord> {
  const queue = new JobQueue(project, childProcessHost(workerScript));
  const unsubscribe = queue.subscribe((event) => {
    if (event.type === 'progress') output.progress(event.progress, event.etaMs);
    if (event.type === 'log') output.note(event.text);
  });
  try {
    const job = await awaitJob(queue, await begin(queue), output);
    for (const follower of queue.followers(job.id)) {
      output.endProgress();
      const { title } = await awaitJob(queue, follower, output);
      output.note(`Done: ${title}`);
    }
    return job;
  } finally {
    output.endProgress();
    unsubscribe();
    await queue.close();
  }
}

async function awaitJob(queue: JobQueue, id: JobId, output: Output): Promise<JobRecord> {
  const stopListening = onInterrupt(() => {
    output.note('Stopping; press Ctrl+C again to end at once.');
    void queue.pause(id);
  });
  try {
    const job = await queue.finished(id);
    if (job.error) throw AppError.fromInfo(job.error);
    if (job.state === 'interrupted') throw stopped();
    return job;
  } finally {
    stopListening();
  }
}

function stopped(): AppError {
  return new AppError(
    'CANCELLED',
    'The job was stopped.',
    'Go on where it stood with "secateur resume <project>".',
  );
}

/** Calls back on the first Ctrl+C (or polite kill); the next one ends the process as usual. */
function onInterrupt(listener: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const stop = (): void => {
    for (const signal of signals) process.removeListener(signal, heard);
  };
  const heard = (): void => {
    stop();
    listener();
  };
  for (const signal of signals) process.on(signal, heard);
  return stop;
}
