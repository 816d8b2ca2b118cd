// How the command line speaks: results on stdout (a table, or one JSON object), all else on stderr.

import type { AppError } from '../engine/errors';
import type { Progress } from '../engine/context';

export interface Output {
  /** Prints the result of a command: the object with --json, else the lines. */
  result(value: object, lines: readonly string[]): void;
  /** A remark for people. */
  note(text: string): void;
  progress(progress: Progress, etaMs: number | null): void;
  /** Ends the progress of a job. */
  endProgress(): void;
  error(error: AppError): void;
}

/** Where it goes. `isTTY` and `columns` are those of a terminal. */
export interface Streams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: {
    write(text: string): unknown;
    readonly isTTY?: boolean;
    readonly columns?: number;
  };
}

const barWidth = 24;

/** 75_000 ms as '1:15'. */
export function clock(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

function bar(done: number, total: number): string {
  const filled = Math.round((Math.min(done, total) / total) * barWidth);
  return `${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}`;
}

function progressLine({ label, done, total }: Progress, etaMs: number | null): string {
  if (total <= 0) return label;
  const eta = etaMs === null || done >= total ? '' : `  about ${clock(etaMs)} left`;
  return `${label}  ${bar(done, total)} ${done}/${total}${eta}`;
}

/** One line that is written over and over again, for a terminal. */
class LiveLine {
  private shown = false;

  constructor(private readonly terminal: Streams['stderr']) {}

  show(progress: Progress, etaMs: number | null): void {
    // A line that wraps could not be taken back.
    const text = progressLine(progress, etaMs).slice(0, (this.terminal.columns ?? 80) - 1);
    this.terminal.write(`\r\u001b[K${text}`);
    this.shown = true;
  }

  clear(): void {
    if (this.shown) this.terminal.write('\r\u001b[K');
    this.shown = false;
  }
}

/** One line for each thing that begins, for a log. Epochs have lines of their own in the log of the job. */
class PhaseLines {
  private last: Progress | null = null;

  constructor(private readonly log: Streams['stderr']) {}

  show(progress: Progress): void {
    if (this.last === null || !continues(progress, this.last)) {
      this.log.write(`${progress.phase === 'training' ? 'Training' : progress.label}\n`);
    }
    this.last = progress;
  }

  clear(): void {
    this.last = null;
  }
}

/** True for the same thing, and for the next part of one count: files of a model, epochs of a training. */
function continues(now: Progress, last: Progress): boolean {
  if (now.phase !== last.phase) return false;
  return (
    now.label === last.label || (now.total === last.total && now.done > 0 && now.done >= last.done)
  );
}

export function createOutput(json: boolean, { stdout, stderr }: Streams = process): Output {
  const progress = stderr.isTTY ? new LiveLine(stderr) : new PhaseLines(stderr);
  const note = (text: string): void => {
    if (progress instanceof LiveLine) progress.clear();
    stderr.write(`${text}\n`);
  };
  return {
    result: (value, lines) => {
      stdout.write(json ? `${JSON.stringify(value)}\n` : `${lines.join('\n')}\n`);
    },
    note,
    progress: (now, etaMs) => progress.show(now, etaMs),
    endProgress: () => progress.clear(),
    error: (error) => {
      if (json) stdout.write(`${JSON.stringify({ error: error.toInfo() })}\n`);
      const log = error.details?.['log'];
      if (Array.isArray(log)) for (const line of log) note(String(line));
      if (error.code === 'INTERNAL' && error.cause instanceof Error) note(error.cause.stack ?? '');
      note(`error: ${error.code}: ${error.message}\nhint: ${error.hint}`);
    },
  };
}

/** Names are never given twice: says how something is really called, for scripts that go on with its name. */
export function noteOtherName(
  output: Output,
  wanted: string | undefined,
  made: { readonly name: string },
): void {
  if (wanted === undefined || wanted === made.name) return;
  output.note(`note: "${wanted}" is taken; the new one is called "${made.name}".`);
}

/** Columns of text, padded; those listed in `right` are aligned to the right. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: ReadonlySet<number> = new Set(),
): readonly string[] {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) =>
        right.has(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)];
}
