import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  answer,
  builtScript,
  expectRefusal,
  makeImages,
  secateur,
  start,
  type Running,
} from './program';

interface State {
  readonly versions: readonly { name: string }[];
  readonly jobs: readonly { state: string; error: { code: string } | null }[];
}

/** The process that does the job: the only child of the program. */
async function workerOf({ child }: Running): Promise<number> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    // pid (name) state ppid: the name may hold anything.
    if (stat.slice(stat.lastIndexOf(')')).split(' ')[2] === String(child.pid)) return Number(pid);
  }
  throw new Error('The program has no worker.');
}

const linux = process.platform === 'linux';

describe.skipIf(process.platform === 'win32')('Ctrl+C', { timeout: 180_000 }, () => {
  let folder: string;
  let project: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'secateur-cli-'));
    await makeImages(join(folder, 'images'));
    await answer(
      'zoo',
      'write',
      'lenet5',
      join(folder, 'm'),
      '--input',
      '12,12,1',
      '--classes',
      '3',
    );
  }, 60_000);

  beforeEach(async () => {
    project = await mkdtemp(join(folder, 'project-'));
    await answer('create', project);
    await answer('import', project, join(folder, 'm', 'model.json'), '--name', 'lenet');
    const images = join(folder, 'images');
    await answer('data', 'add', project, images, '--name', 'shapes', '--channels', '1');
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** A training that would take minutes, once it is under way, in a process group as a terminal makes them. */
  async function training(): Promise<Running> {
    const words = ['train', project, 'lenet', '--data', 'shapes', '--epochs', '5000', '--json'];
    const running = start(process.execPath, [builtScript('cli.js'), ...words], { detached: true });
    onTestFinished(() => {
      if (running.child.exitCode === null) running.child.kill('SIGKILL');
    });
    await vi.waitFor(() => expect(running.stderr()).toContain('Epoch 2 of 5000'), {
      timeout: 120_000,
      interval: 50,
    });
    return running;
  }

  const interrupt = ({ child }: Running): boolean => process.kill(-child.pid!, 'SIGINT');
  const stateOf = (): Promise<State> => answer<State>('list', project);

  async function expectNothingLeft(jobState: string): Promise<void> {
    const { versions, jobs } = await stateOf();
    expect(versions.map(({ name }) => name)).toEqual(['lenet']);
    expect(jobs.at(-1)?.state).toBe(jobState);
    const blobs = await readdir(join(project, 'blobs'));
    expect(blobs).toHaveLength(2);
  }

  it('cancels between two batches and leaves no version', async () => {
    const running = await training();
    interrupt(running);
    const ended = await running.ended;
    expectRefusal(ended, 'CANCELLED');
    expect(ended.stderr).toContain('press Ctrl+C again');
    expect(await readdir(project)).not.toContain('project.lock');
    await expectNothingLeft('interrupted');
    // The project goes on to work.
    await answer('prune', project, 'lenet', '--method', 'l1', '--macs', '0.5');
  });

  it('obeys a polite kill of the program alone, too', async () => {
    const running = await training();
    running.child.kill('SIGTERM');
    expectRefusal(await running.ended, 'CANCELLED');
    await expectNothingLeft('interrupted');
  });

  it.runIf(linux)(
    'ends at once when pressed twice, and the next start sees to the rest',
    async () => {
      const running = await training();
      // Stopped for a moment, the worker cannot obey the first one before the second comes.
      const worker = await workerOf(running);
      process.kill(worker, 'SIGSTOP');
      interrupt(running);
      await vi.waitFor(() => expect(running.stderr()).toContain('press Ctrl+C again'));
      interrupt(running);
      expect((await running.ended).signal).toBe('SIGINT');
      process.kill(worker, 'SIGCONT');
      await vi.waitFor(() => expect(() => process.kill(worker, 0)).toThrow(), { timeout: 10_000 });
      await expectNothingLeft('interrupted');
    },
  );

  it.runIf(linux)(
    'tells of a worker that is killed with the end of its output, and goes on',
    async () => {
      const running = await training();
      process.kill(await workerOf(running), 'SIGKILL');
      const ended = await running.ended;
      const error = expectRefusal(ended, 'WORKER_CRASHED');
      expect(error.message).toContain('SIGKILL');
      expect(error.details).toMatchObject({ signal: 'SIGKILL', log: expect.any(Array) as unknown });
      await expectNothingLeft('failed');
      expect((await secateur('list', project)).stdout).toContain('failed: Fine-tune lenet');
    },
  );
});
