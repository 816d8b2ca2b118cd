import { writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../../src-main/engine/errors';
import { createInProcessHost } from '../../../src-main/jobs/hosts/in-process';
import type { RunJob } from '../../../src-main/jobs/job-server';
import { JobQueue } from '../../../src-main/jobs/queue';
import type { JobEvent, MeasureRequest } from '../../../src-main/jobs/types';
import type { Project } from '../../../src-main/project/project';
import type { JobRecord } from '../../../src-main/project/types';
import { addVersion, draftOf, newProject } from '../support';

describe('a job in this process', () => {
  let project: Project;
  let request: MeasureRequest;

  beforeEach(async () => {
    project = await newProject();
    const versions = [await addVersion(project)];
    request = { kind: 'measure', versions, runtime: 'litert', threads: 1, runs: 1 };
  });

  async function run(
    runJob: RunJob,
    onEvent: (event: JobEvent, queue: JobQueue) => void = () => undefined,
  ): Promise<JobRecord> {
    const queue = new JobQueue(project, createInProcessHost(runJob), { graceMs: 100 });
    queue.subscribe((event) => onEvent(event, queue));
    const record = await queue.finished(await queue.start(request));
    await queue.close();
    return record;
  }

  it('is given its files and hands over its results', async () => {
    const events: JobEvent[] = [];
    const record = await run(
      async (spec, context) => {
        const parent = spec.versions[request.versions[0]!]!;
        expect(parent).toMatchObject({ name: 'sample', lineage: [{ name: 'sample' }] });
        const file = join(spec.tempDir, 'staged');
        await writeFile(file, 'weights');
        const sha256 = createHash('sha256').update('weights').digest('hex');
        const draft = draftOf({ file, sha256, bytes: 7 }, { parent: parent.id });
        context.progress({ phase: 'writing', label: 'Saving', done: 1, total: 1 });
        context.log('info', await context.save({ type: 'version', draft }));
      },
      (event) => events.push(event),
    );
    expect(record).toMatchObject({ state: 'done', log: record.versions });
    expect((await project.findVersion(record.versions[0]!)).parent).toBe(request.versions[0]);
    expect(events.map(({ type }) => type)).toContain('progress');
  });

  it('fails with the error that it throws', async () => {
    const record = await run(() =>
      Promise.reject(new AppError('TRAIN_DIVERGED', 'The loss is NaN.', 'Lower the rate.')),
    );
    expect(record).toMatchObject({
      state: 'failed',
      error: { code: 'TRAIN_DIVERGED', hint: 'Lower the rate.' },
    });
  });

  it('fails with the error of a result that is not taken in', async () => {
    const record = await run(async (_, context) => {
      await context.save({ type: 'export', version: 'v-none' } as never);
    });
    expect(record.error).toMatchObject({ code: 'NOT_FOUND' });
  });

  const cancelWhenRunning = (event: JobEvent, queue: JobQueue): void => {
    if (event.type === 'progress') void queue.cancel(event.jobId);
  };
  const reportProgress: RunJob = (_, context) => {
    context.progress({ phase: 'measuring', label: 'Measuring', done: 0, total: 0 });
    return Promise.resolve();
  };

  it('hears that it is cancelled', async () => {
    const record = await run(async (spec, context) => {
      await reportProgress(spec, context);
      await new Promise((_, reject) => {
        context.signal.addEventListener('abort', () => reject(context.signal.reason as Error));
      });
    }, cancelWhenRunning);
    expect(record).toMatchObject({ state: 'cancelled', error: { code: 'CANCELLED' } });
  });

  it('is left alone when it does not listen', async () => {
    const record = await run(async (spec, context) => {
      await reportProgress(spec, context);
      await new Promise(() => undefined);
    }, cancelWhenRunning);
    expect(record.state).toBe('cancelled');
  });
});
