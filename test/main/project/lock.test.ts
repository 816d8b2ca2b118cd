import { spawn, spawnSync } from 'node:child_process';
import { cp, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ProjectLock } from '../../../src-main/project/lock';
import { errorOf, tempFolder } from '../support';

interface Content {
  pid: number;
  processStart: string | null;
  host: string;
  program: string;
  since: string;
  inode: string;
}

describe('ProjectLock', () => {
  let path: string;

  beforeEach(async () => {
    path = join(await tempFolder(), 'project.lock');
  });

  const content = async (): Promise<Content> => JSON.parse(await readFile(path, 'utf8')) as Content;

  /** Writes a lock as another process would have, with the true inode unless told otherwise. */
  async function writeLock(changes: Partial<Content>): Promise<void> {
    await writeFile(path, '');
    const inode = String((await stat(path, { bigint: true })).ino);
    const lock: Content = {
      pid: process.pid,
      processStart: null,
      host: hostname(),
      program: 'node',
      since: '2026-01-02T03:04:05.000Z',
      inode,
      ...changes,
    };
    await writeFile(path, JSON.stringify(lock));
  }

  /** The id of a process that has just ended. */
  const deadPid = (): number => spawnSync(process.execPath, ['-e', '0']).pid;

  it('keeps a second one out and says which process has it', async () => {
    const lock = await ProjectLock.acquire(path);
    expect(lock.takenOver).toBe(false);
    const error = await errorOf(ProjectLock.acquire(path), 'PROJECT_LOCKED');
    expect(error.message).toContain(`process ${process.pid}`);
    expect(error.details).toMatchObject({ pid: process.pid });
    await lock.release();
    await (await ProjectLock.acquire(path)).release();
    await expect(stat(path)).rejects.toThrow('ENOENT');
  });

  it('takes over the lock of a process that is dead', async () => {
    await writeLock({ pid: deadPid() });
    const lock = await ProjectLock.acquire(path);
    expect(lock.takenOver).toBe(true);
    expect((await content()).pid).toBe(process.pid);
  });

  it('takes over the lock of a process that was killed', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    onTestFinished(() => void child.kill('SIGKILL'));
    await writeLock({ pid: child.pid! });
    await errorOf(ProjectLock.acquire(path), 'PROJECT_LOCKED');
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    expect((await ProjectLock.acquire(path)).takenOver).toBe(true);
  });

  it.runIf(process.platform === 'linux')(
    'takes over when the number belongs to another process by now',
    async () => {
      await writeLock({ processStart: '12345' });
      expect((await ProjectLock.acquire(path)).takenOver).toBe(true);
    },
  );

  it('respects a process on another machine, and says what to do if it is gone', async () => {
    await writeLock({ pid: deadPid(), host: 'elsewhere' });
    const error = await errorOf(ProjectLock.acquire(path), 'PROJECT_LOCKED');
    expect(error.message).toContain('on elsewhere');
    expect(error.hint).toContain(path);
  });

  it('does not lock the copy of a project that was open', async () => {
    const lock = await ProjectLock.acquire(path);
    const copy = join(await tempFolder(), 'project.lock');
    await cp(path, copy);
    expect((await ProjectLock.acquire(copy)).takenOver).toBe(true);
    await errorOf(ProjectLock.acquire(path), 'PROJECT_LOCKED');
    await lock.release();
  });

  it('holds while its folder moves', async () => {
    await ProjectLock.acquire(path);
    const moved = join(await tempFolder(), 'project.lock');
    await rename(path, moved);
    await errorOf(ProjectLock.acquire(moved), 'PROJECT_LOCKED');
  });

  it.each(['', '{"pid":', 'null', '{}'])('takes over a lock that was cut off: %j', async (text) => {
    await writeFile(path, text);
    expect((await ProjectLock.acquire(path)).takenOver).toBe(true);
  });

  it('lets only one of many take over', async () => {
    for (let round = 0; round < 20; round++) {
      await writeLock({ pid: deadPid() });
      const attempts = await Promise.allSettled(
        Array.from({ length: 10 }, () => ProjectLock.acquire(path)),
      );
      const taken = attempts.filter(({ status }) => status === 'fulfilled');
      expect(taken, `round ${round}`).toHaveLength(1);
    }
  });

  it('leaves a lock alone that is no longer its own', async () => {
    const lock = await ProjectLock.acquire(path);
    await writeLock({ program: 'another' });
    await lock.release();
    expect((await content()).program).toBe('another');
  });

  it('gives a coded error where it cannot be written', async () => {
    await errorOf(ProjectLock.acquire(join(path, 'no', 'project.lock')), 'FILE_UNREADABLE');
  });
});
