// The cache folder: finished parts only. A part is made in a private folder and moved into place at once,
// so an interrupted or a second run never meets half of one.
import { createHash, randomBytes } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError } from './report.mjs';

const LOCK_POLL_MS = 250;

/**
 * Makes `<cache>/<name>` once: `fill` writes into an empty private folder that is then renamed.
 * @param {string} cache
 * @param {string} name relative path of the part
 * @param {(folder: string) => Promise<unknown>} fill
 * @param {(owner: string) => void} [onWait] called once if another process is making it
 * @returns {Promise<string>} the part's folder
 */
export async function cached(cache, name, fill, onWait) {
  const target = join(cache, name);
  if (existsSync(target)) return target;
  return withLock(
    join(cache, 'locks', name.replaceAll('/', '+')),
    async () => {
      if (existsSync(target)) return target;
      return withScratch(cache, async (scratch) => {
        await fill(scratch);
        mkdirSync(dirname(target), { recursive: true });
        renameSync(scratch, target);
        return target;
      });
    },
    onWait,
  );
}

/**
 * Gives `work` an empty folder inside the cache (same disk: renames are atomic) and removes what is left of it.
 * @template T
 * @param {string} cache
 * @param {(folder: string) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withScratch(cache, work) {
  const scratch = join(cache, 'tmp', `${process.pid}-${randomBytes(6).toString('hex')}`);
  mkdirSync(scratch, { recursive: true });
  try {
    return await work(scratch);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * Removes what killed runs left in the cache's scratch area.
 * @param {string} cache
 */
export function sweepScratch(cache) {
  const area = join(cache, 'tmp');
  if (!existsSync(area)) return;
  for (const name of readdirSync(area)) {
    if (!isAlive(Number.parseInt(name, 10))) {
      rmSync(join(area, name), { recursive: true, force: true });
    }
  }
}

/**
 * Runs `work` while no other process on this machine runs something under the same lock file.
 * A lock whose owner has died is taken over.
 * @template T
 * @param {string} lock
 * @param {() => Promise<T>} work
 * @param {(owner: string) => void} [onWait] called once if somebody else is at it
 * @returns {Promise<T>}
 */
export async function withLock(lock, work, onWait) {
  mkdirSync(dirname(lock), { recursive: true });
  for (let told = false; !tryLock(lock); await sleep(LOCK_POLL_MS)) {
    if (told) continue;
    onWait?.(`process ${lockOwner(lock)}, ${lock}`);
    told = true;
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

/**
 * The lock appears with its owner's number already in it, because a link is made to a finished file.
 * @param {string} lock
 */
function tryLock(lock) {
  const mine = `${lock}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(mine, String(process.pid));
  try {
    linkSync(mine, lock);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
  } finally {
    rmSync(mine);
  }
  const owner = lockOwner(lock);
  if (owner !== undefined && !isAlive(owner)) rmSync(lock, { force: true });
  return false;
}

/**
 * @param {string} lock
 * @returns {number | undefined} undefined if the lock has just been given back
 */
function lockOwner(lock) {
  try {
    return Number(readFileSync(lock, 'utf8'));
  } catch {
    return undefined;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH';
  }
}

/**
 * Compares a file with its pinned digest, written as in a lock file: `sha512-<base64>`.
 * @param {string} file
 * @param {string} integrity
 * @throws {SetupError} SETUP_CHECKSUM
 */
export async function verifyIntegrity(file, integrity) {
  const dash = integrity.indexOf('-');
  const hash = createHash(integrity.slice(0, dash));
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  const found = hash.digest('base64');
  if (found === integrity.slice(dash + 1)) return;
  throw new SetupError(
    'SETUP_CHECKSUM',
    `${file} is not the file that Secateur was tested with: its ${integrity.slice(0, dash)} is ${found}, expected ${integrity.slice(dash + 1)}`,
    'A proxy or a mirror may have changed the download. Try again on another network: npm run setup',
  );
}
