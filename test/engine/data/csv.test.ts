// Comma-separated values: what RFC 4180 allows is read as it says, and what it does not is named with its line.
import { describe, expect, it } from 'vitest';
import { CsvError, parseCsv } from '../../../src-main/engine/data/csv';

const cellsOf = (text: string): (readonly string[])[] => parseCsv(text).map(({ cells }) => cells);

describe('parseCsv', () => {
  it.each([
    ['', []],
    ['a,b', [['a', 'b']]],
    [
      'a,b\r\nc,d\r\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    ['a\n\nb\n', [['a'], ['b']]],
    [',\n', [['', '']]],
    ['a,', [['a', '']]],
    ['"a,b","c ""d""",""\n', [['a,b', 'c "d"', '']]],
    [' a ,b', [[' a ', 'b']]],
    [
      '"x\ny",z\nlast,',
      [
        ['x\ny', 'z'],
        ['last', ''],
      ],
    ],
  ])('reads %j', (text, expected) => {
    expect(cellsOf(text)).toEqual(expected);
  });

  it('counts lines, also those within quotes', () => {
    const records = parseCsv('a\r\n"b\n\nc"\n\nd');
    expect(records.map(({ line }) => line)).toEqual([1, 2, 6]);
  });

  it.each([
    ['a\nb"c', 2, 'a quote stands within a cell'],
    ['a\n"b"c', 2, 'text stands behind a closing quote'],
    ['a\n\n"b""', 3, 'a quote is never closed'],
    ['"', 1, 'a quote is never closed'],
  ])('refuses %j', (text, line, message) => {
    expect(() => parseCsv(text)).toThrow(new CsvError(line, message));
    expect(() => parseCsv(text)).toThrow(expect.objectContaining({ line }));
  });

  it('reads a long quoted cell', () => {
    const long = 'x""'.repeat(300_000);
    expect(cellsOf(`"${long}"`)).toEqual([['x"'.repeat(300_000)]]);
  });
});
