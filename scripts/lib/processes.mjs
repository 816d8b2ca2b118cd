// Runs other programs and finds them on the PATH.
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** How much of a program's output is kept for an error message. */
const TAIL_BYTES = 16_384;

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
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number }} [options]
 * @returns {Promise<Outcome>}
 */
export function capture(command, args, { cwd, env = process.env, timeoutMs } = {}) {
  return new Promise((done) => {
    const stdout = new Tail();
    const stderr = new Tail();
    let timedOut = false;
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const timer = timeoutMs
      ? setTimeout(() => {
          timedOut = true;
          child.kill('SIGKILL');
        }, timeoutMs)
      : undefined;
    child.stdout.on('data', (chunk) => stdout.add(chunk));
    child.stderr.on('data', (chunk) => stderr.add(chunk));
    child.on('error', (error) => {
      clearTimeout(timer);
      done({ code: 127, stdout: stdout.text, stderr: `${stderr.text}${error.message}` });
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const exit = timedOut ? 124 : (code ?? (signal ? 128 : 1));
      done({ code: exit, stdout: stdout.text, stderr: stderr.text });
    });
  });
}

/** Signals that a wrapper hands on to the program that it wraps. */
const FORWARDED = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

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
      const listener = () => void child.kill(signal);
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
