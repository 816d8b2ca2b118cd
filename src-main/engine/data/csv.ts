// Reads comma-separated values by RFC 4180, strictly: quotes that make no sense are errors, never guessed at.

/** A record and the line of the file that it begins on, counted from 1. */
export interface CsvRecord {
  readonly line: number;
  readonly cells: readonly string[];
}

/** What is wrong with a text, and where. */
export class CsvError extends Error {
  constructor(
    readonly line: number,
    message: string,
  ) {
    super(message);
  }
}

const lineEnds = /\r\n|\n|\r/g;
const lineEnd = /\r\n|\n|\r/y;
const plainCell = /[^",\r\n]*/y;

/**
 * The records of a text; lines without any character are passed over.
 * @throws CsvError for a quote within an unquoted cell, text behind a closing quote, or a quote that is never closed
 */
export function parseCsv(text: string): readonly CsvRecord[] {
  const records: CsvRecord[] = [];
  let cells: string[] = [];
  let [at, line, start] = [0, 1, 1];
  while (at < text.length) {
    const isQuoted = text[at] === '"';
    const whole = isQuoted ? quotedCell(text, at, line) : match(plainCell, text, at);
    cells.push(isQuoted ? whole.slice(1, -1).replaceAll('""', '"') : whole);
    if (isQuoted) line += whole.match(lineEnds)?.length ?? 0;
    at += whole.length;
    if (text[at] === ',') {
      at++;
      if (at < text.length) continue;
      // A comma at the very end has an empty cell behind it.
      cells.push('');
    }
    const end = match(lineEnd, text, at);
    if (end === '' && at < text.length) {
      throw new CsvError(
        line,
        isQuoted ? 'text stands behind a closing quote' : 'a quote stands within a cell',
      );
    }
    if (cells.length > 1 || whole !== '') records.push({ line: start, cells });
    cells = [];
    at += end.length;
    start = ++line;
  }
  return records;
}

/** What a sticky expression matches at a place; '' for nothing. */
function match(expression: RegExp, text: string, at: number): string {
  expression.lastIndex = at;
  return expression.exec(text)?.[0] ?? '';
}

/** The cell from one quote to the one that closes it; two in a row stand for one within. */
function quotedCell(text: string, open: number, line: number): string {
  for (let at = text.indexOf('"', open + 1); at >= 0; at = text.indexOf('"', at + 2)) {
    if (text[at + 1] !== '"') return text.slice(open, at + 1);
  }
  throw new CsvError(line, 'a quote is never closed');
}
