// A folder of images with a table labels.csv: any number of labels an image, or values (regression).
//
// The table has a header. Its column `file` names an image, relative to the folder; `split`, which may be left out,
// says train, val or test. What is told of the image stands either in one column `labels`, names separated by ; or |,
// or in a column each: labels where every cell is 0 or 1, values otherwise.

import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, join, normalize, sep } from 'node:path';
import { AppError } from '../../errors';
import { CsvError, parseCsv, type CsvRecord } from '../csv';
import { mapOrdered } from '../map-ordered';
import { readFailure } from '../read-failure';
import type { SplitName, Task } from '../types';
import { imagesInOrder, naturalShape, splitNameOf, type ShapeOptions } from './image-folder';
import { readNames } from './raw';
import type { Source, SourcePart } from './types';

export const tableName = 'labels.csv';

const largestTable = 256 * 1024 * 1024;
/** Files that are looked for at the same time. */
const statWidth = 16;

interface Row {
  /** Of the table, from 1. */
  readonly line: number;
  readonly file: string;
  readonly split: SplitName;
  readonly target: Float32Array;
}

interface Told {
  readonly task: Exclude<Task, 'classes'>;
  readonly names: readonly string[];
  readonly targets: readonly Float32Array[];
  readonly notes: readonly string[];
}

/**
 * Opens a folder that has a labels.csv.
 * @throws AppError DATA_CORRUPT for a table that cannot be right, with file and line; DATA_IMAGE_UNREADABLE,
 *   INVALID_ARGUMENT, FILE_UNREADABLE
 */
export async function openImageCsv(folder: string, options: ShapeOptions): Promise<Source> {
  const table = join(folder, tableName);
  const [header, ...records] = await readTable(table);
  if (header === undefined || records.length === 0) throw wrong(table, 1, 'it lists no images');
  const columns = columnsOf(table, header);
  for (const { line, cells } of records) {
    if (cells.length === header.cells.length) continue;
    throw wrong(table, line, `${cells.length} cells, the header has ${header.cells.length}`);
  }
  const told = columns.names.includes('labels')
    ? await namedLabels(folder, table, columns, records)
    : ownColumns(table, columns, records);
  const files = await filesOf(folder, table, columns, records);
  const rows = records.map((record, i): Row => {
    const split = splitOf(table, columns, record);
    return { line: record.line, file: files[i]!, split, target: told.targets[i]! };
  });
  const splits = [...new Set(rows.map(({ split }) => split))];
  const shape = await naturalShape(files, options);
  return {
    format: 'image-csv',
    task: told.task,
    classes: told.names,
    shape,
    parts: splits.map((split) =>
      partOf(
        split,
        rows.filter((row) => row.split === split),
      ),
    ),
    notes: told.notes,
  };
}

function partOf(split: SplitName, rows: readonly Row[]): SourcePart {
  const files = rows.map(({ file }) => file);
  return {
    split,
    labels: new Int32Array(rows.length),
    targets: rows.map(({ target }) => target),
    samples: (request) => imagesInOrder(files, request),
  };
}

async function readTable(table: string): Promise<readonly CsvRecord[]> {
  const bytes = await stat(table).then(
    ({ size }) => (size <= largestTable ? readFile(table) : null),
    (error: unknown) => {
      throw readFailure(error);
    },
  );
  if (bytes === null) throw wrong(table, 1, 'it is larger than 256 MiB');
  try {
    return parseCsv(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    if (error instanceof CsvError) throw wrong(table, error.line, error.message);
    throw wrong(table, 1, 'it is no text in UTF-8');
  }
}

interface Columns {
  /** Names of all columns, in order. */
  readonly names: readonly string[];
  readonly file: number;
  /** -1 where there is none. */
  readonly split: number;
}

function columnsOf(table: string, { line, cells }: CsvRecord): Columns {
  const names = cells.map((name) => name.trim());
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw wrong(table, line, `the column "${twice}" is there twice`);
  if (names.includes('')) throw wrong(table, line, 'a column has no name');
  const file = names.indexOf('file');
  if (file < 0) throw wrong(table, line, 'there is no column "file"');
  const others = names.filter((name) => name !== 'file' && name !== 'split');
  if (others.length === 0) throw wrong(table, line, 'no column tells anything of the images');
  const unknown = others.find((name) => name !== 'labels');
  if (others.includes('labels') && unknown !== undefined) {
    throw wrong(table, line, `the column "${unknown}" is unknown beside "labels"`);
  }
  return { names, file, split: names.indexOf('split') };
}

/** Names in one cell. Their order is that of labels.txt, where there is one, else by name. */
async function namedLabels(
  folder: string,
  table: string,
  { names: columns }: Columns,
  records: readonly CsvRecord[],
): Promise<Told> {
  const column = columns.indexOf('labels');
  const rows = records.map(({ cells }) =>
    cells[column]!.split(/[;|]/)
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  );
  const listed = await readNames(folder, 'labels.txt');
  const names = listed ?? [...new Set(rows.flat())].sort();
  if (names.length === 0) throw wrong(table, 1, 'no image has any label');
  const indexOf = new Map(names.map((name, i) => [name, i]));
  const targets = rows.map((given, i) => {
    const target = new Float32Array(names.length);
    for (const name of given) {
      const index = indexOf.get(name);
      if (index === undefined) {
        throw wrong(table, records[i]!.line, `the label "${name}" is not in labels.txt`);
      }
      target[index] = 1;
    }
    return target;
  });
  const bare = rows.filter((given) => given.length === 0).length;
  const notes = bare === 0 ? [] : [`Images without any label: ${bare}.`];
  return { task: 'labels', names, targets, notes };
}

/** A column for each label or value. */
function ownColumns(table: string, columns: Columns, records: readonly CsvRecord[]): Told {
  const own = columns.names.flatMap((name, i) =>
    i === columns.file || i === columns.split ? [] : [{ name, i }],
  );
  const names = own.map(({ name }) => name);
  const areLabels = records.every(({ cells }) =>
    own.every(({ i }) => /^\s*[01]\s*$/.test(cells[i]!)),
  );
  const targets = records.map(({ line, cells }) =>
    Float32Array.from(own, ({ name, i }) => numberIn(table, line, name, cells[i]!)),
  );
  return areLabels
    ? {
        task: 'labels',
        names,
        targets,
        notes: [
          'Every cell is 0 or 1: the columns are labels. Written as 0.0 and 1.0, they are values.',
        ],
      }
    : { task: 'values', names, targets, notes: [] };
}

function numberIn(table: string, line: number, name: string, text: string): number {
  const value = Math.fround(Number(text));
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw wrong(table, line, `"${text}" in the column "${name}" is not a number`);
}

function splitOf(table: string, { split }: Columns, { line, cells }: CsvRecord): SplitName {
  if (split < 0) return 'train';
  const name = splitNameOf(cells[split]!.trim());
  if (name !== undefined) return name;
  throw wrong(table, line, `the split "${cells[split]}" is none of train, val and test`);
}

/** The images of the records; each is there, once, and within the folder. */
async function filesOf(
  folder: string,
  table: string,
  { file: column }: Columns,
  records: readonly CsvRecord[],
): Promise<readonly string[]> {
  const seen = new Map<string, number>();
  const find = async ({ line, cells }: CsvRecord): Promise<string> => {
    const name = cells[column]!.trim();
    const path = normalize(name);
    if (name === '' || isAbsolute(path) || path.split(sep)[0] === '..') {
      throw wrong(table, line, `"${name}" is no file within the folder`);
    }
    const earlier = seen.get(path);
    if (earlier !== undefined) {
      throw wrong(table, line, `"${name}" is there already, in line ${earlier}`);
    }
    seen.set(path, line);
    const file = join(folder, path);
    const found = await stat(file).catch(() => null);
    if (!found?.isFile()) throw wrong(table, line, `there is no image "${name}"`);
    return file;
  };
  const files: string[] = [];
  for await (const file of mapOrdered(records, statWidth, find)) files.push(file);
  return files;
}

function wrong(file: string, line: number, what: string): AppError {
  return new AppError(
    'DATA_CORRUPT',
    `${file}, line ${line}: ${what}.`,
    'Correct the table: a column "file", then either "labels" (names separated by ; or |) or a column of numbers ' +
      'for each value, and, if you like, "split". Rename it where sub-folders are the classes.',
    { details: { file, line } },
  );
}
