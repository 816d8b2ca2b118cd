// One process at a time: a lock file that names its holder, so that the lock of a dead process can be told.

import { execFile } from 'node:child_process';
import { open, readFile, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { AppError, toAppError } from '../engine/errors';

interface Holder {
  readonly pid: number;
  /** When the process started, as the system tells it: a number used again does not pass for its holder. */
  readonly processStart: string | null;
  readonly host: string;
  readonly program: string;
  readonly since: string;
  /** Of the lock file itself: the copy of a project that was open is not locked. */
  readonly inode: string;
}

/** How long a lock file without readable content may still be on its way to be written. */
const writingMs = 200;

export class ProjectLock {
  readonly #path: string;
  readonly #content: string;
  /** True when the last holder ended without giving the lock back. */
  readonly takenOver: boolean;

  private constructor(path: string, content: string, takenOver: boolean) {
    this.#path = path;
    this.#content = content;
    this.takenOver = takenOver;
  }

  /** @throws AppError PROJECT_LOCKED naming the process, FILE_UNWRITABLE, DISK_FULL */
  static async acquire(path: string): Promise<ProjectLock> {
    let takenOver = false;
    for (;;) {
      const content = await create(path);
      if (content !== null) return new ProjectLock(path, content, takenOver);
      const found = await readLock(path);
      if (found === null) continue;
      const holder = parseHolder(found);
      if (holder !== null && (await holds(holder, path))) throw lockedBy(holder, path);
      takenOver = (await removeStale(path, found)) || takenOver;
    }
  }

  /** Gives the lock back, unless it is no longer this one's. */
  async release(): Promise<void> {
    const content = await readFile(this.#path, 'utf8').catch(() => null);
    if (content === this.#content) await rm(this.#path, { force: true });
  }
}

/** The content written, or null when a lock file is there already. */
async function create(path: string): Promise<string | null> {
  try {
    const handle = await open(path, 'wx');
    try {
      const holder: Holder = {
        pid: process.pid,
        processStart: await processStart(process.pid),
        host: hostname(),
        program: basename(process.execPath),
        since: new Date().toISOString(),
        inode: String((await handle.stat({ bigint: true })).ino),
      };
      const content = JSON.stringify(holder);
      await handle.writeFile(content);
      await handle.sync();
      return content;
    } finally {
      await handle.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return null;
    throw toAppError(error);
  }
}

async function readLock(path: string): Promise<string | null> {
  try {
    const content = await readFile(path, 'utf8');
    if (parseHolder(content) !== null) return content;
    await sleep(writingMs);
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw toAppError(error);
  }
}

function parseHolder(content: string): Holder | null {
  try {
    const holder = JSON.parse(content) as Partial<Holder> | null;
    return typeof holder?.pid === 'number' && typeof holder.host === 'string'
      ? (holder as Holder)
      : null;
  } catch {
    return null;
  }
}

async function holds(holder: Holder, path: string): Promise<boolean> {
  const inode = await stat(path, { bigint: true }).catch(() => null);
  if (inode !== null && String(inode.ino) !== holder.inode) return false;
  // A process on another machine cannot be asked; assume the best of it.
  if (holder.host !== hostname()) return true;
  if (!isAlive(holder.pid)) return false;
  const start = await processStart(holder.pid);
  return holder.processStart === null || start === holder.processStart;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Start time of a process; null where the system does not tell, or for one that only waits to be reaped. */
async function processStart(pid: number): Promise<string | null> {
  try {
    if (process.platform === 'linux') {
      const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ').at(-1)?.split(' ');
      return fields?.[0] === 'Z' ? null : (fields?.[19] ?? null);
    }
    if (process.platform === 'darwin') {
      const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]);
      return stdout.trim();
    }
  } catch {
    return null;
  }
  return null;
}

/** After this long whoever was to remove a stale lock has ended in the middle of it. */
const removingMs = 5000;

/**
 * Removes a lock that was found stale, unless another has taken it over in the meantime. One process at a time does
 * so, by a file of its own: between looking at a lock and removing it nobody may put a new one in its place.
 */
async function removeStale(path: string, expected: string): Promise<boolean> {
  const guard = `${path}.removing`;
  if (!(await createEmpty(guard))) {
    const found = await stat(guard).catch(() => null);
    if (found && Date.now() - found.mtimeMs > removingMs) await rm(guard, { force: true });
    await sleep(20);
    return false;
  }
  try {
    if ((await readFile(path, 'utf8').catch(() => null)) !== expected) return false;
    await rm(path);
    return true;
  } finally {
    await rm(guard, { force: true });
  }
}

/** False when there is such a file already. */
async function createEmpty(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx')).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw toAppError(error);
  }
}

function lockedBy(holder: Holder, path: string): AppError {
  const elsewhere = holder.host === hostname() ? '' : ` on ${holder.host}`;
  return new AppError(
    'PROJECT_LOCKED',
    `The project is open in another process: ${holder.program}, process ${holder.pid}${elsewhere}, since ${holder.since}.`,
    elsewhere === ''
      ? 'Close the project there and try again.'
      : `Close the project there. If nothing runs there any more, delete ${path}.`,
    { details: { pid: holder.pid, host: holder.host, program: holder.program } },
  );
}
