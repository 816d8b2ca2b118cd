// Names and ids: what a version or data set may be called, and how one is found by what was typed.

import { randomBytes } from 'node:crypto';
import { AppError } from '../engine/errors';

const maxLength = 120;
const idPattern = /^[vdje]-[0-9a-f]{12}$/;
/** Names become parts of file names: nothing that a file system refuses, no control characters. */
const refused = /[\\/:*?"<>|\p{Cc}]/u;
const allRefused = new RegExp(refused, 'gu');

/**
 * Random, not counted: after a restored backup no id is given to something else.
 * @param kind version, data set, job, export or sensitivity map
 */
export function newId(kind: 'v' | 'd' | 'j' | 'e' | 's'): string {
  return `${kind}-${randomBytes(6).toString('hex')}`;
}

/**
 * A name as typed by a person, without blanks around it.
 * @throws AppError INVALID_ARGUMENT
 */
export function checkedName(typed: string): string {
  const name = typed.trim();
  const problem = problemOf(name);
  if (problem === null) return name;
  throw new AppError(
    'INVALID_ARGUMENT',
    `${problem}.`,
    `Choose another name, up to ${maxLength} characters, without \\ / : * ? " < > | and without a dot or dash in front.`,
    { details: { field: 'name' } },
  );
}

function problemOf(name: string): string | null {
  if (name === '') return 'A name must not be empty';
  if (name.length > maxLength) return `A name has at most ${maxLength} characters`;
  if (refused.test(name) || /^[.-]|\.$/.test(name)) {
    return `"${name}" has characters that file names and commands cannot have there`;
  }
  return idPattern.test(name) ? `"${name}" looks like an id` : null;
}

/** The nearest allowed name to one that a file or a job suggests. */
export function cleanName(suggested: string, fallback: string): string {
  const clean = suggested
    .replaceAll(allRefused, '-')
    .trim()
    .slice(0, maxLength)
    .replaceAll(/^[.\s-]+|[.\s]+$/g, '');
  return clean === '' || idPattern.test(clean) ? fallback : clean;
}

/**
 * The name itself, or with the first free "-2", "-3" ... behind it: it needs no quotes on a command line.
 * Names that differ in case only count as the same, since many file systems think so.
 */
export function uniqueName(name: string, taken: Iterable<string>): string {
  const used = new Set([...taken].map((one) => one.toLowerCase()));
  if (!used.has(name.toLowerCase())) return name;
  for (let number = 2; ; number++) {
    const suffix = `-${number}`;
    const candidate = name.slice(0, maxLength - suffix.length) + suffix;
    if (!used.has(candidate.toLowerCase())) return candidate;
  }
}

/**
 * Finds an entry by id or by name.
 * @param what for the message: "version", "data set"
 * @throws AppError NOT_FOUND naming the nearest
 */
export function findByReference<T extends { readonly id: string; readonly name: string }>(
  entries: readonly T[],
  reference: string,
  what: string,
): T {
  const wanted = reference.toLowerCase();
  const found =
    entries.find(({ id }) => id === reference) ??
    entries.find(({ name }) => name.toLowerCase() === wanted);
  if (found) return found;
  const names = entries.map(({ name }) => name);
  throw new AppError(
    'NOT_FOUND',
    `There is no ${what} "${reference}" in this project.`,
    hintFor(wanted, names, what),
    { details: { reference, known: names } },
  );
}

function hintFor(wanted: string, names: readonly string[], what: string): string {
  if (names.length === 0) return `The project has no ${what}.`;
  const [nearest] = [...names].sort(
    (a, b) => editDistance(wanted, a.toLowerCase()) - editDistance(wanted, b.toLowerCase()),
  );
  return `Did you mean "${nearest}"?`;
}

/** Levenshtein distance: insertions, deletions and replacements of one character. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [row, character] of [...a].entries()) {
    const current = [row + 1];
    for (let column = 1; column <= b.length; column++) {
      const replace = (previous[column - 1] ?? 0) + (b[column - 1] === character ? 0 : 1);
      const insertOrDelete = Math.min(previous[column] ?? 0, current[column - 1] ?? 0) + 1;
      current.push(Math.min(replace, insertOrDelete));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
