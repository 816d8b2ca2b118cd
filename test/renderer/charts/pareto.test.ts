import { describe, expect, it } from 'vitest';
import { paretoFront } from '../../../src-renderer/charts/pareto';

const point = (id: string, x: number, y: number): { id: string; x: number; y: number } => ({
  id,
  x,
  y,
});
const front = (...points: Parameters<typeof point>[]): readonly string[] =>
  paretoFront(points.map((one) => point(...one))).map(({ id }) => id);

describe('the Pareto front', () => {
  it('holds what no other point beats in cost and accuracy at once, by rising cost', () => {
    expect(
      front(
        ['base', 10, 0.92],
        ['slim', 4, 0.9],
        ['bad', 5, 0.7],
        ['tiny', 2, 0.4],
        ['worse', 11, 0.92],
      ),
    ).toEqual(['tiny', 'slim', 'base']);
  });

  it('drops a point that is equal in one and worse in the other', () => {
    expect(front(['a', 4, 0.9], ['b', 4, 0.8], ['c', 5, 0.9])).toEqual(['a']);
  });

  it('has the least errors where the figure is one', () => {
    const points = [point('base', 10, 0.1), point('slim', 4, 0.2), point('bad', 5, 0.7)];
    expect(paretoFront(points, 'error').map(({ id }) => id)).toEqual(['slim', 'base']);
  });

  it('keeps equal points, and is empty for none', () => {
    expect(front(['a', 4, 0.9], ['b', 4, 0.9])).toEqual(['a', 'b']);
    expect(front()).toEqual([]);
  });
});
