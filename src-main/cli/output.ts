// How the command line speaks: results on stdout (a table, or one JSON object), all else on stderr.

import type { AppError } from '../engine/errors';
import type { Progress } from '../engine/context';

export interface Output {
  readonly json: boolean;
  /** Prints the result of a command: the object with --json, else the lines. */
  result(value: object, lines: readonly string[]): void;
  /** A remark for people. */
  note(text: string): void;
  progress(progress: Progress, etaMs: number | null): void;
  /** Ends a progress bar, so that the next line starts on its own. */
  endProgress(): void;
  error(error: AppError): void;
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

export function createOutput(json: boolean): Output {
  const live = process.stderr.isTTY;
  let lastLabel = '';
  let barShown = false;
  const endProgress = (): void => {
    if (barShown) process.stderr.write('\n');
    barShown = false;
    lastLabel = '';
  };
  return {
    json,
    result: (value, lines) => {
      endProgress();
      process.stdout.write(json ? `${JSON.stringify(value)}\n` : `${lines.join('\n')}\n`);
    },
    note: (text) => {
      endProgress();
      process.stderr.write(`${text}\n`);
    },
    progress: ({ label, done, total }, etaMs) => {
      if (!live) {
        // Without a terminal one line a phase is enough.
        if (label !== lastLabel) process.stderr.write(`${label}\n`);
        lastLabel = label;
        return;
      }
      const eta = etaMs === null ? '' : `  about ${clock(etaMs)} left`;
      const counts = total > 0 ? `  ${bar(done, total)} ${done}/${total}${eta}` : '';
      process.stderr.write(`\r\u001b[K${label}${counts}`);
      barShown = true;
    },
    endProgress,
    error: (error) => {
      endProgress();
      if (json) process.stdout.write(`${JSON.stringify({ error: error.toInfo() })}\n`);
      process.stderr.write(`error: ${error.code}: ${error.message}\nhint: ${error.hint}\n`);
    },
  };
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
