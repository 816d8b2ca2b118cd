import { describe, expect, it } from 'vitest';
import {
  candidateCount,
  groupName,
  isFinished,
  plannedPoints,
  sensitivityRows,
  sensitivityTable,
  usableMap,
} from '../../../src-renderer/state/sensitivity';
import type { SensitivityMap } from '../../../src-main/engine/prune/sensitivity/types';
import type { Group } from '../../../src-main/engine/prune/types';
import type { SensitivityRecord } from '../../../src-main/project/types';

const map: SensitivityMap = {
  options: { criterion: 'l1', grid: [0.75, 0.5, 0.1], samples: 100, recalibrate: true, seed: 0 },
  split: 'val',
  samples: 100,
  baseline: { top1: 0.9, loss: 0.3 },
  groups: [
    { group: 2, layers: ['stem', 'block', 'last'], channels: 8, widths: [6, 4, 1] },
    { group: 5, layers: ['narrow'], channels: 2, widths: [1] },
  ],
  points: [
    { group: 2, kept: 6, top1: 0.91, loss: 0.29 },
    { group: 2, kept: 4, top1: 0.85, loss: 0.5 },
  ],
};

const record = (changes: Partial<SensitivityMap>, id: string): SensitivityRecord => ({
  id,
  version: 'v',
  data: 'd',
  createdAt: '2026-01-01T00:00:00.000Z',
  map: { ...map, ...changes },
});

describe('a sensitivity map in the window', () => {
  it('has a row for each group and a cell for each share, at the nearest width', () => {
    const [first, second] = sensitivityRows(map);
    expect(first).toMatchObject({ group: 2, name: 'stem + 2 more', channels: 8 });
    expect(first!.cells.map(({ share, kept }) => [share, kept])).toEqual([
      [0.75, 6],
      [0.5, 4],
      [0.1, 1],
    ]);
    expect(first!.cells.map(({ score }) => score && Number(score.drop.toFixed(6)))).toEqual([
      -0.01,
      0.05,
      null,
    ]);
    expect(second!.name).toBe('narrow');
    expect(second!.cells.map(({ kept }) => kept)).toEqual([1, 1, 1]);
  });

  it('is finished with a point for every width', () => {
    expect(plannedPoints(map)).toBe(4);
    expect(isFinished(map)).toBe(false);
    const point = { top1: 0.5, loss: 1 };
    const points = [
      ...map.points,
      { group: 2, kept: 1, ...point },
      { group: 5, kept: 1, ...point },
    ];
    expect(isFinished({ ...map, points })).toBe(true);
    const records = [record({ points }, 'old'), record({ points }, 'new'), record({}, 'half')];
    const wanted = { criterion: 'l1', trunk: 'group', grouped: 'slots' } as const;
    expect(usableMap(records, wanted)?.id).toBe('new');
    expect(usableMap(records, { ...wanted, criterion: 'l2' })).toBeNull();
    expect(usableMap([record({}, 'half')], wanted)).toBeNull();
  });

  it('serves cuts of the same trunk and groups only', () => {
    const full = { groups: [], points: [] };
    const selected = { ...map.options, trunk: 'select', grouped: 'groups' } as const;
    const records = [record({ ...full, options: selected }, 'selected'), record(full, 'plain')];
    const wanted = { criterion: 'l1', trunk: 'group', grouped: 'slots' } as const;
    expect(usableMap(records, wanted)?.id).toBe('plain');
    expect(usableMap(records, { ...wanted, trunk: 'select' })).toBeNull();
    expect(usableMap(records, { ...wanted, trunk: 'select', grouped: 'groups' })?.id).toBe(
      'selected',
    );
  });

  it('is written as a table of its points', () => {
    const { columns, rows } = sensitivityTable(map);
    expect(columns).toEqual(['layers', 'channels', 'kept', 'share', 'top1', 'loss', 'drop']);
    expect(rows).toEqual([
      ['stem + block + last', 8, 6, 0.75, 0.91, 0.29, -0.01],
      ['stem + block + last', 8, 4, 0.5, 0.85, 0.5, 0.05],
    ]);
  });

  it('names a group by its first layer', () => {
    expect([groupName(['a']), groupName(['a', 'b'])]).toEqual(['a', 'a + 1 more']);
  });

  it('foretells how many candidates a run has', () => {
    const groups = [
      { free: 8, channels: 8 },
      { free: 2, channels: 2 },
      { free: 0, channels: 64 },
      { free: 1, channels: 1 },
    ] as Group[];
    expect(candidateCount(groups, map.options.grid)).toBe(4);
  });
});
