import { beforeEach, describe, expect, it, vi } from 'vitest';
import { AppError } from '../../../src-main/engine/errors';
import { serveJob, type RunJob } from '../../../src-main/jobs/job-server';
import type {
  JobOutput,
  JobSpec,
  WorkerCommand,
  WorkerMessage,
} from '../../../src-main/jobs/types';
import { latencyOf } from '../support';

const spec = { jobId: 'j-1' } as JobSpec;
const output: JobOutput = { type: 'measurement', version: 'v-1', latency: latencyOf(1) };

describe('serveJob', () => {
  let told: WorkerMessage[];

  beforeEach(() => {
    told = [];
  });

  const serve = (runJob: RunJob): ((command: WorkerCommand) => void) =>
    serveJob(runJob, (message) => told.push(message));

  const last = (type: WorkerMessage['type']): Promise<WorkerMessage> =>
    vi.waitFor(() => {
      const message = told.at(-1);
      expect(message?.type).toBe(type);
      return message!;
    });

  it('does nothing before it is told to start', () => {
    serve(() => expect.unreachable());
    expect(told).toEqual([]);
  });

  it('passes on what the job tells, and says "done" at its end', async () => {
    const progress = { phase: 'measuring', label: 'Measuring', done: 1, total: 2 } as const;
    const metric = { step: 1, epoch: 1, values: { trainLoss: 1 } };
    const obey = serve((given, context) => {
      expect(given).toBe(spec);
      context.progress(progress);
      context.metric(metric);
      context.log('warn', 'slow');
      return Promise.resolve();
    });
    obey({ type: 'start', spec });
    await last('done');
    expect(told).toEqual([
      { type: 'progress', progress },
      { type: 'metric', part: 0, metric },
      { type: 'log', level: 'warn', text: 'slow' },
      { type: 'done' },
    ]);
  });

  it('gives each result the answer that belongs to it, in whatever order they come', async () => {
    const obey = serve(async (_, context) => {
      const ids = await Promise.all([context.save(output), context.save(output)]);
      context.log('info', ids.join(' '));
    });
    obey({ type: 'start', spec });
    await last('save');
    const [first, second] = told.map((message) => (message.type === 'save' ? message.ref : -1));
    obey({ type: 'saved', ref: second!, id: 'two' });
    obey({ type: 'saved', ref: first!, id: 'one' });
    await last('done');
    expect(told).toContainEqual({ type: 'log', level: 'info', text: 'one two' });
  });

  it('fails when a result is not taken in, with the reason', async () => {
    const error = { code: 'DISK_FULL', message: 'The disk is full.', hint: 'Free some.' } as const;
    const obey = serve(async (_, context) => {
      await context.save(output);
    });
    obey({ type: 'start', spec });
    const save = await last('save');
    obey({ type: 'save-failed', ref: save.type === 'save' ? save.ref : -1, error });
    expect(await last('failed')).toEqual({ type: 'failed', error });
  });

  it('passes on the code of what the job throws', async () => {
    const thrown = new AppError('TRAIN_DIVERGED', 'The loss is NaN.', 'Lower the rate.');
    serve(() => Promise.reject(thrown))({ type: 'start', spec });
    expect(await last('failed')).toEqual({ type: 'failed', error: thrown.toInfo() });
  });

  it.each(['cancel', 'pause'] as const)('lets the job hear of a %s', async (type) => {
    let heardPause: boolean | null = null;
    const obey = serve(async (_, context) => {
      await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
      heardPause = context.isPausing();
      context.signal.throwIfAborted();
    });
    obey({ type: 'start', spec });
    obey({ type });
    expect(await last('failed')).toMatchObject({ error: { code: 'CANCELLED' } });
    expect(heardPause).toBe(type === 'pause');
  });
});
