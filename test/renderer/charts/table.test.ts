import { describe, expect, it } from 'vitest';
import { curvesTable, lossCurves } from '../../../src-renderer/charts/curve';
import { toCsv } from '../../../src-renderer/charts/table';

describe('tables of charts', () => {
  it('are written as CSV with quotes where they are needed', () => {
    const csv = toCsv({
      columns: ['name', 'ms'],
      rows: [
        ['a, "b"', 1.5],
        ['c', null],
      ],
    });
    expect(csv).toBe('name,ms\r\n"a, ""b""",1.5\r\nc,\r\n');
  });

  it('bring curves with points of their own onto common rows', () => {
    const table = curvesTable(lossCurves, {
      trainLoss: { x: [0.5, 1], y: [3, 2] },
      valLoss: { x: [1], y: [2.5] },
    });
    expect(table).toEqual({
      columns: ['epoch', 'training', 'validation'],
      rows: [
        [0.5, 3, null],
        [1, 2, 2.5],
      ],
    });
  });
});
