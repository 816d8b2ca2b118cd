import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { childProcessHost } from '../../../src-main/jobs/hosts/child-process';
import { JobQueue, type QueueOptions } from '../../../src-main/jobs/queue';
import type { ImportRequest, JobEvent } from '../../../src-main/jobs/types';
import type { Project } from '../../../src-main/project/project';
import type { JobId, JobRecord } from '../../../src-main/project/types';
import { addVersion, errorOf, newProject, openProject } from '../support';

const script = join(import.meta.dirname, '..', '..', 'fixtures', 'workers', 'worker.mjs');

/** A request that the worker of the tests answers as `behaviour` says. */
function requestTo(behaviour: string, changes: Partial<ImportRequest> = {}): ImportRequest {
  return {
    kind: 'import',
    path: script,
    name: behaviour,
    preprocessing: null,
    labels: null,
    data: null,
    measure: false,
    ...changes,
  };
}

describe('JobQueue', () => {
  let project: Project;
  let queue: JobQueue;
  let events: JobEvent[];

  function newQueue(options: QueueOptions = {}): JobQueue {
    const made = new JobQueue(project, childProcessHost(script), options);
    made.subscribe((event) => events.push(event));
    onTestFinished(() => made.close().catch(() => undefined));
    return made;
  }

  beforeEach(async () => {
    project = await newProject();
    events = [];
    queue = newQueue();
  });

  const run = async (behaviour: string): Promise<JobRecord> =>
    queue.finished(await queue.start(requestTo(behaviour)));

  const of = <T extends JobEvent['type']>(type: T): Extract<JobEvent, { type: T }>[] =>
    events.filter((event): event is Extract<JobEvent, { type: T }> => event.type === type);

  const statesOf = (job: JobId): string[] =>
    of('state')
      .filter(({ jobId }) => jobId === job)
      .map(({ state }) => state);

  /** Waits for the first event of a kind. */
  const first = (wanted: (event: JobEvent) => boolean): Promise<JobEvent> =>
    new Promise((resolve) => {
      const known = events.find(wanted);
      if (known) return resolve(known);
      const stop = queue.subscribe((event) => {
        if (!wanted(event)) return;
        stop();
        resolve(event);
      });
    });

  it('does a job, commits what it makes and keeps how it went', async () => {
    const job = await run('make');

    const [version] = await project.versions();
    expect(job).toMatchObject({
      title: 'Import make',
      request: requestTo('make'),
      state: 'done',
      error: null,
      versions: [version!.id],
      log: ['half way', `saved ${version!.id}`],
    });
    expect(Date.parse(job.endedAt!)).toBeGreaterThanOrEqual(Date.parse(job.startedAt!));
    expect(statesOf(job.id)).toEqual(['queued', 'running', 'done']);
    expect(of('output')).toEqual([
      { type: 'output', jobId: job.id, kind: 'version', id: version!.id },
    ]);
    expect(await project.metrics(job.id)).toEqual([
      { step: 1, epoch: 1, values: { trainLoss: 0.5 } },
    ]);
    const { file } = await project.versionSource(version!.id);
    expect(await readFile(file, 'utf8')).toBe(`weights of ${job.id}`);
    expect(await readdir(project.paths.temp)).toEqual([]);
    expect(await readdir(project.paths.backups)).toHaveLength(1);
    expect(queue.isBusy).toBe(false);
  });

  it('is not busy any more when it says that the last job has ended', async () => {
    const busy: boolean[] = [];
    queue.subscribe((event) => {
      if (event.type === 'state') busy.push(queue.isBusy);
    });
    await run('make');
    expect(busy).toEqual([true, true, false]);
  });

  it('does one job at a time, in the order of asking', async () => {
    const ids = await Promise.all(
      ['make', 'fail', 'make'].map((how) => queue.start(requestTo(how))),
    );
    const ended = await Promise.all(ids.map((id) => queue.finished(id)));
    expect(ended.map(({ state }) => state)).toEqual(['done', 'failed', 'done']);
    const running = of('state').filter(({ state }) => state !== 'queued');
    const order = running.map(({ jobId, state }) => `${ids.indexOf(jobId)} ${state}`);
    expect(order).toEqual(['0 running', '0 done', '1 running', '1 failed', '2 running', '2 done']);
  });

  it('takes in everything that was sent before "done"', async () => {
    expect(await run('save-without-waiting')).toMatchObject({ state: 'done' });
    expect(await project.versions()).toHaveLength(1);
  });

  it('does not wait for a worker that stays after its job', async () => {
    expect(await run('done-and-stay')).toMatchObject({ state: 'done' });
  });

  it('passes on the error of a job', async () => {
    const job = await run('fail');
    expect(job).toMatchObject({
      state: 'failed',
      error: { code: 'MODEL_CORRUPT', message: 'It is cut off.', hint: 'Get it again.' },
    });
    expect(of('state').at(-1)).toMatchObject({ state: 'failed', error: job.error });
  });

  it('resumes what broke off, and not what failed by itself or is done', async () => {
    for (const behaviour of ['fail', 'make']) {
      const job = await run(behaviour);
      expect(job.resumable, behaviour).toBe(false);
      const error = await errorOf(queue.resume(job.id), 'INVALID_ARGUMENT');
      expect(error.message).toContain(job.title);
    }
    const broken = await run('kill');
    expect(broken.resumable).toBe(true);
    await queue.resume(broken.id);
    expect(await queue.finished(broken.id)).toMatchObject({ id: broken.id, state: 'failed' });
  });

  describe('when the worker ends without a word', () => {
    it.each([
      ['quit', 'exit code 0'],
      ['throw', 'exit code 1'],
      ['kill', 'signal SIGKILL'],
    ])('fails the job: %s', async (behaviour, how) => {
      const job = await run(behaviour);
      expect(job.state).toBe('failed');
      expect(job.error).toMatchObject({ code: 'WORKER_CRASHED' });
      expect(job.error!.message).toContain(how);
      expect(await project.versions()).toEqual([]);
    });

    it('keeps what it printed', async () => {
      const job = await run('throw');
      expect(job.log.join('\n')).toContain('about to throw');
      const log = (job.error!.details!['log'] as string[]).join('\n');
      expect(log).toContain('thrown on purpose');
    });

    it('keeps what was saved before, and goes on with the next job', async () => {
      const job = await run('abort');
      expect(job).toMatchObject({ state: 'failed', error: { code: 'WORKER_CRASHED' } });
      expect(job.error!.message).toContain('SIGABRT');
      expect(job.versions).toHaveLength(1);
      expect((await run('make')).state).toBe('done');
    });
  });

  it('takes in nothing whose checksum is wrong', async () => {
    expect(await run('wrong-checksum')).toMatchObject({
      state: 'failed',
      error: { code: 'PROJECT_CORRUPT' },
    });
    expect(await project.versions()).toEqual([]);
    expect(await readdir(project.paths.blobs)).toEqual([]);
  });

  it('moves no file but those in the temp folder of the job', async () => {
    const secret = join(project.folder, 'secret');
    await writeFile(secret, 'weights');
    const id = await queue.start(requestTo('steal-a-file', { path: secret }));
    expect(await queue.finished(id)).toMatchObject({ error: { code: 'INVALID_ARGUMENT' } });
    expect(await readFile(secret, 'utf8')).toBe('weights');
  });

  describe('cancel', () => {
    it('takes a waiting job out', async () => {
      const running = await queue.start(requestTo('obey'));
      const waiting = await queue.start(requestTo('make'));
      await queue.cancel(waiting);
      expect(await queue.finished(waiting)).toMatchObject({
        state: 'cancelled',
        startedAt: null,
        error: { code: 'CANCELLED' },
      });
      await queue.cancel(running);
      await queue.finished(running);
      expect(await project.versions()).toEqual([]);
    });

    it('asks a running job, and takes in nothing that it still sends', async () => {
      const id = await queue.start(requestTo('obey'));
      await first(({ type }) => type === 'progress');
      await queue.cancel(id);
      const job = await queue.finished(id);
      expect(job).toMatchObject({ state: 'cancelled', error: { code: 'CANCELLED' } });
      expect(statesOf(id)).toEqual(['queued', 'running', 'cancelling', 'cancelled']);
      expect(await project.versions()).toEqual([]);
      expect(await readdir(project.paths.temp)).toEqual([]);
      expect(await readdir(project.paths.blobs)).toEqual([]);
    });

    it('kills a worker that does not obey in time', async () => {
      queue = newQueue({ graceMs: 200 });
      const id = await queue.start(requestTo('hang'));
      await first(({ type }) => type === 'progress');
      await queue.cancel(id);
      await queue.cancel(id);
      expect((await queue.finished(id)).state).toBe('cancelled');
      expect(statesOf(id).filter((state) => state === 'cancelling')).toHaveLength(1);
      expect(await readdir(project.paths.temp)).toEqual([]);
      expect((await run('make')).state).toBe('done');
    });

    it('works before the worker has started', async () => {
      const id = await queue.start(requestTo('obey'));
      await queue.cancel(id);
      expect((await queue.finished(id)).state).toBe('cancelled');
    });

    it('does nothing to a job that has ended, and knows no others', async () => {
      const job = await run('make');
      await queue.cancel(job.id);
      expect((await project.state()).jobs[0]!.state).toBe('done');
      await errorOf(queue.cancel('j-none'), 'NOT_FOUND');
    });
  });

  it('starts an ended job again, and takes ended jobs off the list', async () => {
    const failed = await run('fail');
    const again = await queue.finished(await queue.retry(failed.id));
    expect(again.request).toEqual(failed.request);
    expect(again.id).not.toBe(failed.id);
    await queue.dismiss(failed.id);
    expect((await project.state()).jobs.map(({ id }) => id)).toEqual([again.id]);
    await errorOf(queue.dismiss(failed.id), 'NOT_FOUND');

    const made = await run('make');
    await queue.dismiss(made.id);
    expect(await project.versions()).toHaveLength(1);

    const running = await queue.start(requestTo('obey'));
    await errorOf(queue.dismiss(running), 'INVALID_ARGUMENT');
    await errorOf(queue.retry(running), 'INVALID_ARGUMENT');
  });

  it('reports a flood ten times a second at most, keeps all figures and the last 200 lines', async () => {
    const job = await run('flood');
    const reports = of('progress');
    const seconds = (Date.parse(job.endedAt!) - Date.parse(job.startedAt!)) / 1000;
    expect(reports.length).toBeGreaterThan(1);
    expect(reports.length).toBeLessThanOrEqual(seconds * 10 + 1);
    expect(reports[0]!.etaMs).toBeNull();
    expect(of('metric')).toHaveLength(5000);
    const metrics = await project.metrics(job.id);
    expect(metrics.map(({ step }) => step)).toEqual(Array.from({ length: 5000 }, (_, i) => i + 1));
    expect(job.log).toHaveLength(200);
    expect(job.log[0]).toBe('line 4801');
  });

  it('lets numbers through that JSON has not', async () => {
    await run('numbers');
    expect(of('metric')[0]!.metric.values['trainLoss']).toBeNaN();
  });

  it('gives a worker nothing of the environment but what it needs', async () => {
    process.env['SECRET_TOKEN'] = 'x';
    process.env['NODE_OPTIONS'] = '--no-warnings';
    onTestFinished(() => {
      delete process.env['SECRET_TOKEN'];
      delete process.env['NODE_OPTIONS'];
    });
    const names = JSON.parse((await run('environment')).log[0]!) as string[];
    expect(names).toContain('PATH');
    expect(names).not.toContain('SECRET_TOKEN');
    expect(names).not.toContain('NODE_OPTIONS');
  });

  describe('refuses before anything starts', () => {
    it.each([
      ['an unknown version', { kind: 'measure', versions: ['v-none'] }, 'NOT_FOUND'],
      ['an unknown data set', { data: 'd-none' }, 'NOT_FOUND'],
      ['a relative path', { path: 'model.json' }, 'INVALID_ARGUMENT'],
      ['a bad name', { name: 'a/b' }, 'INVALID_ARGUMENT'],
    ] as const)('%s', async (_, changes, code) => {
      await errorOf(
        queue.start({ ...requestTo('make'), ...changes } as unknown as ImportRequest),
        code,
      );
      expect((await project.state()).jobs).toEqual([]);
    });

    it('a damaged version', async () => {
      const id = await addVersion(project);
      await writeFile((await project.versionRow(id)).file, 'x');
      const request = {
        kind: 'measure',
        versions: [id],
        runtime: 'litert',
        threads: 1,
        runs: 1,
      } as const;
      await errorOf(queue.start(request), 'PROJECT_CORRUPT');
    });
  });

  it('asks for twice the space that a job is going to need', async () => {
    let asked = '';
    queue = newQueue({
      freeBytes: (folder) => {
        asked = folder;
        return Promise.resolve(40_000_000);
      },
    });
    expect((await run('make')).state).toBe('done');
    expect(asked).toBe(project.folder);
    const big = join(project.folder, 'big.json');
    await writeFile(big, Buffer.alloc(6_000_000));
    const id = await queue.start(requestTo('make', { path: big }));
    const job = await queue.finished(id);
    expect(job).toMatchObject({ state: 'failed', error: { code: 'DISK_FULL' } });
    expect(job.error!.details).toEqual({
      bytesNeeded: 2 * (16 * 1024 * 1024 + 6_000_000),
      bytesFree: 40_000_000,
    });
    expect(await project.versions()).toHaveLength(1);
  });

  it('leaves running and waiting jobs to be started again when the project is closed', async () => {
    queue = newQueue({ graceMs: 200 });
    const running = await queue.start(requestTo('hang'));
    const waiting = await queue.start(requestTo('make'));
    await first(({ type }) => type === 'progress');
    const ending = errorOf(queue.finished(running), 'CANCELLED');
    await queue.close();
    await ending;
    await project.close();

    project = await openProject(project.folder);
    const { jobs, versions } = await project.state();
    expect(versions).toEqual([]);
    expect(jobs.map(({ id, state }) => [id, state])).toEqual([
      [running, 'interrupted'],
      [waiting, 'interrupted'],
    ]);
    expect(jobs[0]!.error!.message).toContain('Training');
    queue = newQueue();
    expect(queue.isBusy).toBe(false);
    expect((await queue.finished(await queue.retry(waiting))).state).toBe('done');
  });
});
