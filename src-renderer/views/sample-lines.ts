// What stands below a picture whose image has labels or values: what is true of it, and what a version says.
import type { Task } from '../../src-main/engine/data/types';
import type { SampleImage } from '../../src-main/ipc/contract';
import { plainNumber } from '../format';

export interface SampleLine {
  readonly text: string;
  /** Numbers behind the text, never cut off. */
  readonly numbers: string | null;
  /** Whether a version said it, and was right. */
  readonly said: 'right' | 'wrong' | null;
}

/** Values below a picture; its title has all of them. */
const most = 3;

/** Empty where the image has a class, or nothing is told of it. */
export function sampleLines(
  { targets, answers }: Pick<SampleImage, 'targets' | 'answers'>,
  task: Task,
  names: readonly string[],
): readonly SampleLine[] {
  if (targets === null || task === 'classes') return [];
  return task === 'labels'
    ? labelLines(targets, answers, names)
    : valueLines(targets, answers, names);
}

function labelLines(
  targets: readonly number[],
  answers: readonly number[] | null,
  names: readonly string[],
): readonly SampleLine[] {
  const applying = (row: readonly number[]): string =>
    row.flatMap((share, i) => (share > 0.5 ? [nameOf(names, i)] : [])).join(', ') || 'no label';
  const truth = applying(targets);
  const first: SampleLine = { text: truth, numbers: null, said: null };
  if (answers === null) return [first];
  const said = applying(answers);
  return said === truth
    ? [first, { text: '✓', numbers: null, said: 'right' }]
    : [first, { text: `✗ ${said}`, numbers: null, said: 'wrong' }];
}

function valueLines(
  targets: readonly number[],
  answers: readonly number[] | null,
  names: readonly string[],
): readonly SampleLine[] {
  return targets.map((value, i) => {
    const answer = answers?.[i];
    const said = answer === undefined ? '' : ` → ${threeDigits(answer)}`;
    return { text: nameOf(names, i), numbers: `${plainNumber(value)}${said}`, said: null };
  });
}

/** The lines that there is room for, and how many are left out. */
export function shownLines(lines: readonly SampleLine[]): readonly SampleLine[] {
  if (lines.length <= most) return lines;
  const rest = lines.length - most + 1;
  return [...lines.slice(0, most - 1), { text: `and ${rest} more`, numbers: null, said: null }];
}

/** All lines as one text. */
export const linesText = (lines: readonly SampleLine[]): string =>
  lines.map(({ text, numbers }) => (numbers === null ? text : `${text} ${numbers}`)).join('\n');

/** An answer is no more exact than that. */
const threeDigits = (value: number): string => plainNumber(Number(value.toPrecision(3)));

const nameOf = (names: readonly string[], index: number): string => names[index] ?? String(index);
