// The jobs that follow from another one, through a real queue with workers that do as they are told.

import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { defaultPruneOptions } from '../../../src-main/engine/prune';
import { fineTuneDefaults, fullTrainingDefaults } from '../../../src-main/engine/train/defaults';
import { childProcessHost } from '../../../src-main/jobs/hosts/child-process';
import { JobQueue } from '../../../src-main/jobs/queue';
import type { ControlsRequest, PruneRequest, TrainRequest } from '../../../src-main/jobs/types';
import type { Project } from '../../../src-main/project/project';
import type { JobEvent } from '../../../src-main/jobs/types';
import type { JobRecord } from '../../../src-main/project/types';
import { addDataset, addVersion, newProject, openProject } from '../support';

const script = join(import.meta.dirname, '..', '..', 'fixtures', 'workers', 'worker.mjs');

describe('the controls of a pruning', () => {
  let project: Project;
  let queue: JobQueue;
  let events: JobEvent[];
  let request: PruneRequest;

  beforeEach(async () => {
    project = await newProject();
    events = [];
    queue = new JobQueue(project, childProcessHost(script));
    queue.subscribe((event) => events.push(event));
    onTestFinished(() => queue.close().catch(() => undefined));
    request = {
      kind: 'prune',
      version: await addVersion(project),
      options: defaultPruneOptions,
      steps: 1,
      data: await addDataset(project),
      recalibrate: false,
      fineTune: { ...fineTuneDefaults(3), batchSize: 32, seed: 5 },
      controls: { budgets: ['e', 'b'], originalEpochs: 12, seeds: 2 },
      measure: false,
      // What the worker does.
      name: 'cut',
    };
  });

  const run = async (changes: Partial<PruneRequest> = {}): Promise<JobRecord> =>
    queue.finished(await queue.start({ ...request, ...changes }));

  const followersOf = async ({ id }: JobRecord): Promise<readonly JobRecord[]> => {
    const jobs = await project.repositories.jobs.list();
    return queue.followers(id).flatMap((follower) => jobs.filter((job) => job.id === follower));
  };

  it('are queued once the slim network is there, by budget and seed', async () => {
    const job = await run();
    const followers = await followersOf(job);
    const [slim] = job.versions;
    expect(followers.map(({ request: made }) => made)).toEqual(
      (
        [
          ['e', 12, 5],
          ['e', 12, 6],
          // 3.8 G MACs to 0.38 G.
          ['b', 120, 5],
          ['b', 120, 6],
        ] as const
      ).map(([budget, epochs, seed]): TrainRequest => ({
        kind: 'train',
        version: slim!,
        data: request.data!,
        options: { ...fullTrainingDefaults(epochs), batchSize: 32, seed },
        init: { budget, originalEpochs: 12, gamma: 1 },
        measure: false,
        name: `slim-scratch-${budget}-seed${seed}`,
      })),
    );
    expect(followers[2]!.title).toBe('Train slim from scratch for 120 epochs (Scratch-B)');
    const done = events.findIndex(
      ({ type, jobId }) => type === 'state' && jobId === followers[0]!.id,
    );
    expect(done).toBeGreaterThan(0);
    expect(queue.isBusy).toBe(true);
  });

  it('are named plainly where there is one of a kind', async () => {
    const controls: ControlsRequest = { budgets: ['b'], originalEpochs: 4, seeds: 1 };
    const [follower] = await followersOf(await run({ controls }));
    expect(follower!.request).toMatchObject({ name: 'slim-scratch-b', options: { epochs: 40 } });
  });

  it('wait in the project when it is closed before their turn', async () => {
    const job = await run();
    const followers = queue.followers(job.id);
    await queue.close();
    await project.close();
    const { repositories } = await openProject(project.folder);
    const jobs = await repositories.jobs.list();
    const states = followers.map((id) => jobs.find((one) => one.id === id)!);
    expect(states).toHaveLength(4);
    expect(states.slice(1)).toMatchObject(
      new Array(3).fill({ state: 'interrupted', resumable: true }),
    );
  });

  it('are not queued behind a job that failed, nor where none are asked for', async () => {
    const failed = await run({ name: 'fail' });
    expect(failed.state).toBe('failed');
    const plain = ({ controls: _, ...rest }: PruneRequest): PruneRequest => rest;
    const alone = await queue.finished(await queue.start(plain(request)));
    expect(alone.state).toBe('done');
    expect([...queue.followers(failed.id), ...queue.followers(alone.id)]).toEqual([]);
    expect(queue.isBusy).toBe(false);
  });

  it('are left out when their data set is gone by then, which is told', async () => {
    queue.subscribe(({ type }) => {
      if (type === 'output') void project.trash('dataset', request.data!);
    });
    const job = await run();
    expect(job.state).toBe('done');
    expect(queue.followers(job.id)).toEqual([]);
    const warnings = events.filter((event) => event.type === 'log' && event.level === 'warn');
    expect(warnings).toHaveLength(4);
    expect(warnings[0]).toMatchObject({ jobId: job.id, text: expect.stringContaining('left out') });
  });
});
