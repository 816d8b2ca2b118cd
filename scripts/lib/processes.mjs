// Runs other programs and finds them on the PATH.
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** How much of a program's output is kept for an error message. */
const TAIL_BYTES = 16_384;
/** Between asking a program to end and ending it. */
const KILL_GRACE_MS = 3_000;
/** Signals that a wrapper hands on to the program that it wraps. */
const FORWARDED = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/**
 * @typedef {object} Outcome
 * @property {number} code the exit code; 124 if the time limit ended it, 127 if it could not be started
 * @property {string} stdout the last 16 KiB
 * @property {string} stderr the last 16 KiB
 */

/** Keeps the end of a stream. */
class Tail {
  text = '';

  /** @param {Buffer} chunk */
  add(chunk) {
    this.text = (this.text + chunk.toString('utf8')).slice(-TAIL_BYTES);
  }
}

/**
 * Runs a program to its end with its output captured. Never throws: the caller judges the exit code.
 * With a time limit, whatever the program has started ends with it.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number }} [options]
 * @returns {Promise<Outcome>}
 */
export function capture(command, args, { cwd, env = process.env, timeoutMs } = {}) {
  return new Promise((done) => {
    const stdout = new Tail();
    const stderr = new Tail();
    const child = spawn(command, args, {
      ...{ cwd, env, stdio: ['ignore', 'pipe', 'pipe'] },
      // A group of its own can be ended as a whole.
      detached: timeoutMs !== undefined && process.platform !== 'win32',
    });
    const limit = timeoutMs === undefined ? undefined : new TimeLimit(child, timeoutMs);
    child.stdout.on('data', (chunk) => stdout.add(chunk));
    child.stderr.on('data', (chunk) => stderr.add(chunk));
    child.on('error', (error) => {
      limit?.lift();
      done({ code: 127, stdout: stdout.text, stderr: `${stderr.text}${error.message}` });
    });
    child.on('close', (code, signal) => {
      limit?.lift();
      const exit = limit?.reached ? 124 : (code ?? 128 + signalNumber(signal));
      done({ code: exit, stdout: stdout.text, stderr: stderr.text });
    });
  });
}

/** Ends a process group when its time is over, or when this process is told to end. */
class TimeLimit {
  reached = false;

  /**
   * @param {import('node:child_process').ChildProcess} child
   * @param {number} ms
   */
  constructor(child, ms) {
    this.child = child;
    this.timer = setTimeout(() => {
      this.reached = true;
      this.end('SIGTERM');
      this.timer = setTimeout(() => this.end('SIGKILL'), KILL_GRACE_MS);
    }, ms);
    this.onSignal = (/** @type {NodeJS.Signals} */ signal) => {
      this.end('SIGTERM');
      this.lift();
      process.kill(process.pid, signal);
    };
    for (const signal of FORWARDED) process.on(signal, this.onSignal);
  }

  /** @param {NodeJS.Signals} signal */
  end(signal) {
    if (process.platform === 'win32' || this.child.pid === undefined) {
      this.child.kill(signal);
      return;
    }
    try {
      process.kill(-this.child.pid, signal);
    } catch {
      // The group is gone already.
    }
  }

  lift() {
    clearTimeout(this.timer);
    for (const signal of FORWARDED) process.off(signal, this.onSignal);
  }
}

/**
 * Runs a program in this terminal, hands signals on to it, and resolves to its exit code
 * (128 + signal number if a signal ended it, as a shell would say).
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, stdout?: 'inherit' | 2 }} [options]
 *   `stdout: 2` sends the program's output to standard error
 * @returns {Promise<number>}
 */
export function passThrough(command, args, { cwd, env = process.env, stdout = 'inherit' } = {}) {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { cwd, env, stdio: ['inherit', stdout, 'inherit'] });
    const forward = FORWARDED.map((signal) => {
      // A terminal sends Ctrl-C to both processes: handing it on as well would look like pressing it twice.
      const sentToBoth = signal === 'SIGINT' && process.stdin.isTTY;
      const listener = () => void (sentToBoth || child.kill(signal));
      process.on(signal, listener);
      return () => process.off(signal, listener);
    });
    child.on('error', fail);
    child.on('close', (code, signal) => {
      for (const stop of forward) stop();
      done(code ?? 128 + signalNumber(signal));
    });
  });
}

/** @param {NodeJS.Signals | null} signal */
function signalNumber(signal) {
  return (
    { SIGHUP: 1, SIGINT: 2, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 }[
      /** @type {string} */ (signal)
    ] ?? 1
  );
}

/**
 * The first of the named programs that is on the PATH.
 * @param {readonly string[]} names
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string | undefined} its full path
 */
export function findProgram(names, env = process.env) {
  const folders = (env.PATH ?? env.Path ?? '').split(delimiter).filter(Boolean);
  const endings = process.platform === 'win32' ? ['.exe', '.cmd', '.bat'] : [''];
  for (const name of names) {
    for (const folder of folders) {
      for (const ending of endings) {
        const candidate = join(folder, name + ending);
        try {
          accessSync(candidate, constants.X_OK);
          return candidate;
        } catch {
          // Not here: look on.
        }
      }
    }
  }
  return undefined;
}
