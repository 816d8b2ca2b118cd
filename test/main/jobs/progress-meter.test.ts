import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Progress } from '../../../src-main/engine/context';
import { ProgressMeter, type MeteredProgress } from '../../../src-main/jobs/progress-meter';

describe('ProgressMeter', () => {
  let reports: MeteredProgress[];
  let meter: ProgressMeter;

  beforeEach(() => {
    vi.useFakeTimers();
    reports = [];
    meter = new ProgressMeter(
      (metered) => reports.push(metered),
      () => Date.now(),
    );
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  const at = (done: number, total: number, phase: Progress['phase'] = 'training'): void =>
    meter.update({ phase, label: phase, done, total });

  it('reports ten times a second and always ends with the newest', () => {
    for (let i = 1; i <= 1000; i++) {
      at(i, 1000);
      vi.advanceTimersByTime(1);
    }
    vi.advanceTimersByTime(1000);
    expect(reports).toHaveLength(11);
    expect(reports.at(-1)!.progress.done).toBe(1000);
    expect(reports.map(({ elapsedMs }) => elapsedMs)).toEqual(
      Array.from({ length: 11 }, (_, i) => 100 * i),
    );
  });

  it('says nothing after it was stopped', () => {
    at(1, 100);
    at(2, 100);
    meter.stop();
    vi.advanceTimersByTime(1000);
    expect(reports).toHaveLength(1);
  });

  /** Does `count` units of work at `msPerUnit`; the estimate at their end. */
  const work = (from: number, count: number, total: number, msPerUnit: number): number | null => {
    for (let done = from + 1; done <= from + count; done++) {
      vi.advanceTimersByTime(msPerUnit);
      at(done, total);
    }
    vi.advanceTimersByTime(200);
    return reports.at(-1)!.etaMs;
  };

  it('estimates nothing before a twentieth is done, nor without a total', () => {
    at(0, 1000);
    expect(work(0, 49, 1000, 100)).toBeNull();
    expect(work(49, 51, 1000, 100)).not.toBeNull();
    expect(work(0, 500, 0, 1)).toBeNull();
  });

  it('estimates from the rate', () => {
    at(0, 1000);
    const eta = work(0, 100, 1000, 100)!;
    expect(Math.abs(eta - 90_000)).toBeLessThan(500);
  });

  it('follows a change of the rate, as the average moves on', () => {
    at(0, 2000);
    work(0, 500, 2000, 100);
    const eta = work(500, 500, 2000, 200)!;
    expect(Math.abs(eta - 1000 * 200)).toBeLessThan(4000);
  });

  it('begins anew with each phase', () => {
    at(0, 1000);
    work(0, 1000, 1000, 1);
    at(60, 1000, 'evaluating');
    vi.advanceTimersByTime(100);
    expect(reports.at(-1)).toMatchObject({ progress: { phase: 'evaluating' }, etaMs: null });
  });
});
