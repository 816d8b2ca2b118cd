import { describe, expect, it } from 'vitest';
import type { LayerRow } from '../../../src-main/project/types';
import {
  companions,
  meetings,
  nextSort,
  sortedLayers,
} from '../../../src-renderer/views/version/layers';

const row = (name: string, macs: number, group: number | null): LayerRow => ({
  node: name,
  name,
  op: 'conv2d',
  outputShape: [8, 8, 4],
  params: macs / 10,
  macs,
  channels: { original: 4, parent: 4, now: 4 },
  group,
  report: null,
});
const rows = [row('stem', 30, 1), row('branch', 90, 2), row('trunk', 30, 1)];

describe('the layer table', () => {
  it('sorts by cost and keeps equal layers in the order of the graph', () => {
    const names = (descending: boolean): readonly string[] =>
      sortedLayers(rows, { key: 'macs', descending }).map(({ name }) => name);
    expect(names(true)).toEqual(['branch', 'stem', 'trunk']);
    expect(names(false)).toEqual(['stem', 'trunk', 'branch']);
  });

  it('starts with the largest and turns round on the second click', () => {
    const first = nextSort({ key: 'order', descending: false }, 'macs');
    expect(first).toEqual({ key: 'macs', descending: true });
    expect(nextSort(first, 'macs')).toEqual({ key: 'macs', descending: false });
  });

  it('names the layers that are cut together', () => {
    const groups = [
      {
        id: 1,
        producers: ['stem', 'trunk'],
        members: ['stem', 'trunk'],
        ties: [],
        channels: 4,
        free: 4,
        frozen: null,
      },
    ];
    expect(companions(rows[0]!, groups, rows)).toEqual(['trunk']);
    expect(companions(rows[1]!, groups, rows)).toEqual([]);
  });

  it('says where layers meet that move together', () => {
    const group = { id: 1, producers: [], members: [], channels: 4, free: 4, frozen: null };
    const tie = { node: 'branch', kind: 'op', between: ['stem', null] } as const;
    expect(meetings(rows[0]!, [{ ...group, ties: [tie] }], rows)).toEqual([
      { at: 'branch', op: 'conv2d', kind: 'op', between: ['stem', 'the input'] },
    ]);
    expect(meetings(rows[1]!, [{ ...group, ties: [tie] }], rows)).toEqual([]);
  });
});
