// Latency on both runtimes. Nothing is asserted about how long anything takes.

import { describe, expect, it } from 'vitest';
import { silentContext, type Progress } from '../../../src-main/engine/context';
import { AppError } from '../../../src-main/engine/errors';
import { measureLatency, quantile } from '../../../src-main/engine/measure/latency';
import { buildZoo } from '../../../src-main/engine/zoo';

const model = buildZoo('lenet5', { seed: 1 });

describe('measureLatency', () => {
  for (const runtime of ['litert', 'tfjs'] as const) {
    it(`measures on ${runtime} and says on what`, async () => {
      const reports: Progress[] = [];
      const context = { ...silentContext, progress: (p: Progress) => void reports.push(p) };
      const options = { runtime, threads: 1, warmup: 2, runs: 21 };
      const latency = await measureLatency(model, options, context);
      expect(latency).toMatchObject({ runtime, batch: 1, warmup: 2, runs: 21 });
      expect(latency.minMs).toBeGreaterThan(0);
      expect(latency.medianMs).toBeGreaterThanOrEqual(latency.minMs);
      expect(latency.p95Ms).toBeGreaterThanOrEqual(latency.medianMs);
      expect(latency.device).toMatch(/, \d+ cores$/);
      expect(latency.runtimeDetail).toContain(runtime === 'litert' ? 'LiteRT' : 'TensorFlow');
      expect(reports.map(({ done, total }) => [done, total])).toEqual([
        [0, 21],
        [10, 21],
        [20, 21],
      ]);
    });
  }

  it('stops when the job is cancelled meanwhile', async () => {
    const controller = new AbortController();
    const context = {
      ...silentContext,
      signal: controller.signal,
      progress: () => {
        setTimeout(() => {
          controller.abort(new AppError('CANCELLED', 'cancelled', 'start again'));
        });
      },
    };
    const options = { runtime: 'litert', threads: 1, warmup: 0, runs: 1_000_000 } as const;
    await expect(measureLatency(model, options, context)).rejects.toMatchObject({
      code: 'CANCELLED',
    });
  });
});

it('quantile lies between the two values around it', () => {
  const sorted = [1, 2, 4, 8, 16];
  expect(quantile(sorted, 0.5)).toBe(4);
  expect(quantile(sorted, 0)).toBe(1);
  expect(quantile(sorted, 1)).toBe(16);
  // 0.95 * 4 = 3.8: four fifths of the way from 8 to 16.
  expect(quantile(sorted, 0.95)).toBeCloseTo(14.4, 10);
  expect(quantile([3], 0.95)).toBe(3);
});
