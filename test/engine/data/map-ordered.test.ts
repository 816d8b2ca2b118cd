// Concurrent work with results in order, whatever order it ends in.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { mapOrdered } from '../../../src-main/engine/data/map-ordered';

const items = Array.from({ length: 40 }, (_, i) => i);

describe('mapOrdered', () => {
  it('keeps the order and the number of calls under way', async () => {
    let running = 0;
    let most = 0;
    const work = async (item: number): Promise<number> => {
      most = Math.max(most, ++running);
      await sleep((item * 7) % 5);
      running--;
      return item * 2;
    };
    const results: number[] = [];
    for await (const result of mapOrdered(items, 4, work)) results.push(result);
    expect(results).toEqual(items.map((item) => item * 2));
    expect(most).toBe(4);
  });

  it('throws the first failure in order, after what came before it, and leaves nothing running', async () => {
    let running = 0;
    const work = async (item: number): Promise<number> => {
      running++;
      await sleep(item === 6 ? 0 : 3);
      running--;
      if (item === 5 || item === 6) throw new Error(`failed at ${item}`);
      return item;
    };
    const results: number[] = [];
    const loop = async (): Promise<void> => {
      for await (const result of mapOrdered(items, 4, work)) results.push(result);
    };
    await expect(loop()).rejects.toThrow('failed at 5');
    expect(results).toEqual([0, 1, 2, 3, 4]);
    expect(running).toBe(0);
  });

  it('waits for what is under way when the loop ends early', async () => {
    let running = 0;
    const work = async (item: number): Promise<number> => {
      running++;
      await sleep(2);
      running--;
      return item;
    };
    for await (const result of mapOrdered(items, 4, work)) if (result === 3) break;
    expect(running).toBe(0);
  });
});
