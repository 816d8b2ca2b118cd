// What the scripts say: one line per step with its time, and failures with a code and a way out.
import { performance } from 'node:perf_hooks';

/** A failure that the reader can do something about: a stable code, what is wrong, what would help. */
export class SetupError extends Error {
  /**
   * @param {string} code stable, upper case, for example SETUP_NO_PYTHON
   * @param {string} message what is wrong and where
   * @param {string} hint what to do, with the exact command where there is one
   */
  constructor(code, message, hint) {
    super(message);
    this.name = 'SetupError';
    this.code = code;
    this.hint = hint;
  }
}

/**
 * Milliseconds as people read them: "0.4 s", "12 s", "1 min 28 s".
 * @param {number} ms
 */
export function formatDuration(ms) {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/**
 * Prints steps on one stream. Standard error unless told, so that a command's own output stays clean.
 */
export class Reporter {
  /** @param {{ write(text: string): unknown }} stream */
  constructor(stream = process.stderr) {
    this.stream = stream;
  }

  /** @param {string} text */
  line(text) {
    this.stream.write(`${text}\n`);
  }

  /** @param {string} text */
  warn(text) {
    this.line(`warning: ${text}`);
  }

  /**
   * Runs a step and prints its line once it is over; long steps are announced first.
   * @template T
   * @param {string} name what the step does, in the imperative
   * @param {() => Promise<T> | T} work
   * @param {{ announce?: boolean }} [options] `announce`: say that it starts, for steps of minutes
   * @returns {Promise<T>}
   */
  async step(name, work, { announce = false } = {}) {
    if (announce) this.line(`  ... ${name}`);
    const started = performance.now();
    try {
      const result = await work();
      this.line(`  ok  ${name} (${formatDuration(performance.now() - started)})`);
      return result;
    } catch (error) {
      this.line(`  --  ${name} (failed after ${formatDuration(performance.now() - started)})`);
      throw error;
    }
  }

  /** @param {unknown} error */
  failure(error) {
    if (error instanceof SetupError) {
      this.line(`error: ${error.code}: ${error.message}`);
      this.line(`hint: ${error.hint}`);
      return;
    }
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') {
      this.line(`error: SETUP_DISK_FULL: ${error.message}`);
      this.line('hint: Set-up needs about 3 GB. Free some, or set SECATEUR_CACHE to another disk.');
      return;
    }
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.line(`error: SETUP_UNEXPECTED: ${text}`);
  }
}

/**
 * Runs a script's main function: prints a failure the same way everywhere and sets the exit code.
 * @param {(reporter: Reporter) => Promise<number | void>} main resolves to the exit code, 0 if nothing
 * @param {Reporter} [reporter]
 */
export async function runMain(main, reporter = new Reporter()) {
  try {
    process.exitCode = (await main(reporter)) ?? 0;
  } catch (error) {
    reporter.failure(error);
    process.exitCode = 1;
  }
}
