import { describe, expect, it } from 'vitest';
import {
  classChanges,
  classChangesTable,
  mostChanged,
} from '../../../src-renderer/charts/class-changes';

const tested = (...perClass: readonly number[]) => ({
  perClass,
  confusion: perClass.map((recall) => [recall * 10, 10 - recall * 10]),
});

describe('changes of classes', () => {
  const a = tested(0.9, 0.5, 0.7);
  const b = tested(0.8, 0.9, 0.7);

  it('stand in the order of what was lost', () => {
    const changes = classChanges(a, b, ['cat', 'dog']);
    expect(changes.map(({ label, from, to }) => [label, from, to])).toEqual([
      ['cat', 0.9, 0.8],
      ['2', 0.7, 0.7],
      ['dog', 0.5, 0.9],
    ]);
    expect(classChangesTable(changes, 'before', 'after')).toEqual({
      columns: ['class', 'before', 'after', 'change in points', 'images'],
      rows: [
        ['cat', 0.9, 0.8, -10, 10],
        ['2', 0.7, 0.7, 0, 10],
        ['dog', 0.5, 0.9, 40, 10],
      ],
    });
  });

  it('leave out classes without images', () => {
    const empty = {
      perClass: [0, 1],
      confusion: [
        [0, 0],
        [0, 3],
      ],
    };
    expect(classChanges(empty, empty, []).map(({ index }) => index)).toEqual([1]);
  });

  it('show both ends of a long list', () => {
    const many = tested(...Array.from({ length: 9 }, (_, i) => i / 10));
    const changes = classChanges(tested(...new Array<number>(9).fill(0.4)), many, []);
    expect(mostChanged(changes, 4).map(({ index }) => index)).toEqual([0, 1, 7, 8]);
    expect(mostChanged(changes, 9)).toHaveLength(9);
  });
});
