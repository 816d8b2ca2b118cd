// The generator gives the published numbers, and fair draws.
import { describe, expect, it } from 'vitest';
import { createRng } from '../../../src-main/engine/graph/rng';

describe('createRng', () => {
  it('gives the numbers of the reference implementation', () => {
    const rng = createRng(0);
    rng.setState([1, 2, 3, 4]);
    // Printed by xoshiro128starstar.c with the state {1, 2, 3, 4}.
    const expected = [11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849];
    expect(expected.map(() => rng.uint32())).toEqual(expected);
  });

  it('seeds through SplitMix64', () => {
    // The first outputs of splitmix64.c for the seed 1234567, split into words.
    const outputs = [6457827717110365317n, 3203168211198807973n];
    const words = outputs.flatMap((value) => [Number(value & 0xffffffffn), Number(value >> 32n)]);
    expect(createRng(1234567).getState()).toEqual(words);
  });

  it('repeats for a seed and goes on from a saved state', () => {
    const [a, b] = [createRng(7), createRng(7)];
    expect(a.normal()).toBe(b.normal());
    const state = a.getState();
    const next = [a.uniform(), a.int(10), a.normal()];
    b.setState(state);
    expect([b.uniform(), b.int(10), b.normal()]).toEqual(next);
    expect(createRng(8).uint32()).not.toBe(createRng(7).uint32());
  });

  it('draws from the distributions that it names', () => {
    const rng = createRng(3);
    const count = 20_000;
    const mean = (values: number[]): number => values.reduce((sum, v) => sum + v, 0) / count;
    const normals = Array.from({ length: count }, () => rng.normal(2, 3));
    const average = mean(normals);
    expect(average).toBeCloseTo(2, 1);
    expect(Math.sqrt(mean(normals.map((v) => (v - average) ** 2)))).toBeCloseTo(3, 1);
    const filled = [...rng.fillNormal(new Float32Array(count - 1), 2, 3), 2];
    expect(mean(filled)).toBeCloseTo(2, 1);
    expect(Math.sqrt(mean(filled.map((v) => (v - 2) ** 2)))).toBeCloseTo(3, 1);
    const uniforms = Array.from({ length: count }, () => rng.uniform(-1, 3));
    expect(mean(uniforms)).toBeCloseTo(1, 1);
    expect(Math.min(...uniforms)).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...uniforms)).toBeLessThan(3);
    const counts = [0, 0, 0];
    for (let i = 0; i < count; i++) counts[rng.int(3)]!++;
    for (const n of counts) expect(n / count).toBeCloseTo(1 / 3, 1);
  });

  it('shuffles into every order', () => {
    const rng = createRng(5);
    const orders = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = rng.shuffle(['a', 'b', 'c']).join('');
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    expect(orders.size).toBe(6);
    for (const n of orders.values()) expect(n).toBeGreaterThan(850);
  });
});
