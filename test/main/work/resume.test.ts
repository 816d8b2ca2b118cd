// Jobs that are broken off and resumed end as if they had not been: the same versions, bit for bit, each made once.

import { readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createRng } from '../../../src-main/engine/graph/rng';
import { defaultPruneOptions } from '../../../src-main/engine/prune';
import { fineTuneDefaults } from '../../../src-main/engine/train/defaults';
import { scoreOf } from '../../../src-main/engine/measure/score';
import type { WorkerHost, WorkerProcess } from '../../../src-main/jobs/host';
import { childProcessHost } from '../../../src-main/jobs/hosts/child-process';
import { JobQueue } from '../../../src-main/jobs/queue';
import type { JobRequest, PruneRequest } from '../../../src-main/jobs/types';
import type { Project } from '../../../src-main/project/project';
import type { JobId, JobRecord } from '../../../src-main/project/types';
import { builtScript } from '../cli/program';
import { errorOf } from '../support';
import { cancellation, run, toyProject, type Toy } from './support';

/** Cuts in steps, recalibrates and fine-tunes after each. */
function iterative({ version, data }: Toy, steps: number, epochs: number): PruneRequest {
  return {
    kind: 'prune',
    version,
    data,
    options: { ...defaultPruneOptions, target: { macs: 0.4 } },
    steps,
    recalibrate: true,
    fineTune: { ...fineTuneDefaults(epochs), batchSize: 16 },
    measure: false,
    name: 'cut',
  };
}

/** Names, blobs (named by their checksum) and accuracies of all versions, and how often each was evaluated. */
async function contentOf(project: Project): Promise<unknown> {
  const versions = await project.versions();
  return Promise.all(
    versions.map(async ({ id, name, operation, accuracy }) => ({
      name,
      operation,
      blob: basename((await project.versionSource(id)).file),
      score: accuracy && scoreOf(accuracy),
      evaluations: (await project.evaluations(id)).length,
    })),
  );
}

async function pointsOf(project: Project, job: JobId): Promise<readonly string[]> {
  const metrics = await project.metrics(job);
  return metrics.map(({ step, epoch }) => `${epoch} ${step}`);
}

describe('a job that is broken off', () => {
  it('goes on behind what it had saved, wherever that was', async () => {
    const whole = await toyProject();
    const unbroken = await run(whole.project, iterative(whole, 2, 2));
    const total = unbroken.progress.length;
    const expected = await contentOf(whole.project);
    const rng = createRng(11);
    for (const place of Array.from({ length: 6 }, () => 1 + rng.int(total - 1))) {
      const toy = await toyProject();
      let seen = 0;
      const stop = (): boolean => ++seen === place;
      const job = { id: '' };
      const request = iterative(toy, 2, 2);
      const onStart = (id: JobId): void => void (job.id = id);
      await expect(run(toy.project, request, { cancelAt: stop, onStart })).rejects.toBe(
        cancellation,
      );
      const { outputs } = await run(toy.project, request, { resume: job.id });
      expect(outputs.length, `stopped at ${place}`).toBeLessThanOrEqual(unbroken.outputs.length);
      expect(await contentOf(toy.project), `stopped at ${place}`).toEqual(expected);
    }
  }, 240_000);

  it('says so where it would make other things than before', async () => {
    const toy = await toyProject();
    const { job } = await run(toy.project, iterative(toy, 1, 1));
    const other: JobRequest = {
      kind: 'evaluate',
      versions: [toy.version],
      data: toy.data,
      split: 'test',
    };
    await errorOf(run(toy.project, other, { resume: job }), 'INTERNAL');
  }, 60_000);
});

/** The real worker, which can be killed while it works. */
class FragileHost implements WorkerHost {
  readonly #host = childProcessHost(builtScript('worker.js'));
  #current: WorkerProcess | null = null;

  start(...args: Parameters<WorkerHost['start']>): WorkerProcess {
    this.#current = this.#host.start(...args);
    return this.#current;
  }

  kill(): void {
    this.#current?.kill();
  }
}

function fragileQueue(project: Project): { queue: JobQueue; host: FragileHost } {
  const host = new FragileHost();
  const queue = new JobQueue(project, host);
  onTestFinished(() => queue.close().catch(() => undefined));
  return { queue, host };
}

describe('the queue', () => {
  it('ends with the same result after twenty kills at random moments', async () => {
    const [steps, epochs, kills] = [5, 4, 20];
    const whole = await toyProject();
    const unbroken = await run(whole.project, iterative(whole, steps, epochs));
    const expected = await contentOf(whole.project);

    const toy = await toyProject();
    const { queue, host } = fragileQueue(toy.project);
    const id = await queue.start(iterative(toy, steps, epochs));
    const rng = createRng(3);
    let record: JobRecord | null = null;
    let killed = 0;
    while (record?.state !== 'done') {
      const timer = setTimeout(() => host.kill(), killed < kills ? rng.uniform(200, 2200) : 1e8);
      record = await queue.finished(id);
      clearTimeout(timer);
      if (record.state === 'done') break;
      killed += 1;
      expect(record).toMatchObject({ state: 'failed', error: { code: 'WORKER_CRASHED' } });
      await queue.resume(id);
    }
    expect(killed).toBeGreaterThanOrEqual(5);
    expect(await contentOf(toy.project)).toEqual(expected);
    // Points of the curves are not there twice, and none is missing.
    expect(await pointsOf(toy.project, id)).toEqual(
      unbroken.metrics.map(({ step, epoch }) => `${epoch} ${step}`),
    );
    expect(await readdir(toy.project.paths.checkpoints)).toEqual([]);
  }, 240_000);

  it('pauses between two batches and goes on when asked', async () => {
    const toy = await toyProject();
    const { queue } = fragileQueue(toy.project);
    const id = await queue.start(iterative(toy, 2, 30));
    const log: string[] = [];
    const training = new Promise<void>((resolve) => {
      queue.subscribe((event) => {
        if (event.type === 'log') log.push(event.text);
        if (event.type === 'progress' && event.progress.phase === 'training') resolve();
      });
    });
    await training;
    await queue.pause(id);
    expect(await queue.finished(id)).toMatchObject({ state: 'interrupted', error: null });
    const made = (await toy.project.versions()).length;
    expect(await readdir(toy.project.paths.checkpoints)).toEqual([id]);
    await queue.resume(id);
    expect(await queue.finished(id)).toMatchObject({ state: 'done' });
    // Nothing that was trained is trained again.
    expect(log).toContainEqual(
      expect.stringMatching(
        /^Going on (within epoch \d+ of 30, behind batch \d+|behind epoch \d+ of 30)\.$/,
      ),
    );
    const names = (await toy.project.versions()).map(({ name }) => name);
    expect(names.length).toBeGreaterThan(made);
    expect(new Set(names).size).toBe(names.length);
    await errorOf(queue.resume(id), 'INVALID_ARGUMENT');
  }, 120_000);
});
