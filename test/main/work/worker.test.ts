import { fork } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Analyst } from '../../../src-main/jobs/analyst';
import { childProcessHost, startChildProcess } from '../../../src-main/jobs/hosts/child-process';
import { JobQueue } from '../../../src-main/jobs/queue';
import type { JobEvent, JobRequest } from '../../../src-main/jobs/types';
import { writeFiles } from '../../../src-main/jobs/work/new-folder';
import { writeModel } from '../../../src-main/engine/formats/table';
import type { JobRecord } from '../../../src-main/project/types';
import { builtScript } from '../cli/program';
import { toyModel } from '../../engine/train/toy';
import { errorOf, tempFolder } from '../support';
import { toyProject, type Toy } from './support';

describe('the built worker in a process of its own', () => {
  async function runJob(
    { project }: Toy,
    request: JobRequest,
    events: JobEvent[] = [],
  ): Promise<JobRecord> {
    const queue = new JobQueue(project, childProcessHost(builtScript('worker.js')));
    queue.subscribe((event) => events.push(event));
    const record = await queue.finished(await queue.start(request));
    await queue.close();
    return record;
  }

  it('does a job and hands over its results', async () => {
    const toy = await toyProject();
    const events: JobEvent[] = [];
    const record = await runJob(
      toy,
      { kind: 'evaluate', versions: [toy.version], data: toy.data, split: 'val' },
      events,
    );
    expect(record).toMatchObject({ state: 'done', error: null });
    expect(await toy.project.evaluations(toy.version)).toHaveLength(1);
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'progress',
        progress: expect.objectContaining({ phase: 'evaluating', total: 16 }) as unknown,
      }),
    );
  }, 60_000);

  it('fails with the code of what is wrong', async () => {
    const toy = await toyProject();
    const request: JobRequest = {
      kind: 'import',
      path: join(await tempFolder(), 'none.json'),
      name: null,
      preprocessing: null,
      labels: null,
      data: null,
      measure: false,
    };
    expect(await runJob(toy, request)).toMatchObject({
      state: 'failed',
      error: { code: 'FILE_UNREADABLE' },
    });
  });

  it('answers questions, refuses some, and goes on', async () => {
    const analyst = new Analyst(() => startChildProcess(builtScript('worker.js')));
    onTestFinished(() => analyst.stop());
    const folder = await tempFolder();
    await writeFiles(
      folder,
      await writeModel(toyModel(), 'tfjs-layers', { precision: 'fp32', name: 'toy' }),
    );
    const path = join(folder, 'model.json');
    const bad = join(folder, 'bad.json');
    await writeFile(bad, '{ "format": ');
    // Asked together: each gets its own answer.
    const [found, error] = await Promise.all([
      analyst.ask('inspect', { path }),
      errorOf(analyst.ask('inspect', { path: bad }), 'MODEL_CORRUPT'),
      errorOf(analyst.ask('inspect', { path: folder + '-none' }), 'FILE_UNREADABLE'),
    ]);
    expect(found).toMatchObject({ format: 'tfjs-layers', classes: 4, inputShape: [8, 8, 3] });
    expect(error.hint).not.toBe('');
    expect((await analyst.ask('inspect', { path })).modelName).toBe(found.modelName);
  });

  it('is started again after it was ended in the middle of a question', async () => {
    const analyst = new Analyst(() => startChildProcess(builtScript('worker.js')));
    onTestFinished(() => analyst.stop());
    const question = { path: join(await tempFolder(), 'none') };
    const pending = errorOf(analyst.ask('inspect', question), 'WORKER_CRASHED');
    analyst.stop();
    const again = analyst.ask('inspect', question);
    await pending;
    await errorOf(again, 'FILE_UNREADABLE');
  });

  it.each(['strict', 'warn', 'none'])(
    'ends visibly on a promise that nobody looks after, where Node is told to %s',
    async (mode) => {
      // Newer Electron only warns. The rejection comes from a script that is loaded before the worker.
      const script = join(await tempFolder(), 'reject.cjs');
      await writeFile(script, "setTimeout(() => Promise.reject(new Error('nobody looks')), 200);");
      const child = fork(builtScript('worker.js'), [], {
        execArgv: ['--require', script, `--unhandled-rejections=${mode}`],
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      });
      let stderr = '';
      child.stderr!.on('data', (text: Buffer) => (stderr += text.toString()));
      const code = await new Promise((resolve) => child.once('close', resolve));
      expect(code).toBe(1);
      expect(stderr).toContain('nobody looks');
    },
  );
});
