import { describe, expect, it } from 'vitest';
import { ancestry, lineageRows } from '../../../src-renderer/state/lineage';
import { version } from '../records';

describe('the version tree', () => {
  const versions = [
    version({ id: 'root', createdAt: '2026-01-01' }),
    version({ id: 'late', parent: 'root', createdAt: '2026-01-05' }),
    version({ id: 'early', parent: 'root', createdAt: '2026-01-02' }),
    version({ id: 'tuned', parent: 'early', createdAt: '2026-01-03' }),
    version({ id: 'other', createdAt: '2026-01-04' }),
    version({ id: 'orphan', parent: 'gone', createdAt: '2026-01-06' }),
  ];

  it('keeps the newest child in the lane of its parent and branches earlier ones off', () => {
    const rows = lineageRows(versions).map((row) => [
      row.version.id,
      row.depth,
      row.lane,
      row.parentLane,
      row.passing,
    ]);
    expect(rows).toEqual([
      ['root', 0, 0, null, []],
      ['early', 1, 1, 0, [0]],
      ['tuned', 2, 1, 1, [0]],
      ['late', 1, 0, 0, []],
      ['other', 0, 0, null, []],
      ['orphan', 0, 0, null, []],
    ]);
  });

  it('shows every version once, whatever the order they come in', () => {
    const reversed = lineageRows(versions.toReversed()).map((row) => row.version.id);
    expect(reversed).toEqual(lineageRows(versions).map((row) => row.version.id));
    expect(new Set(reversed).size).toBe(versions.length);
  });

  it('names the ancestors from the first down', () => {
    expect(ancestry(versions, 'tuned').map(({ id }) => id)).toEqual(['root', 'early', 'tuned']);
    expect(ancestry(versions, 'orphan').map(({ id }) => id)).toEqual(['orphan']);
  });
});
