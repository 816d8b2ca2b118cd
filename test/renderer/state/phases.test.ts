import { describe, expect, it } from 'vitest';
import type { PruneRequest } from '../../../src-main/jobs/types';
import {
  endPhases,
  phasesToCome,
  plannedPhases,
  recordPhase,
} from '../../../src-renderer/state/phases';
import type { Phase, PhaseRecord } from '../../../src-renderer/state/phases';

const run = (...steps: readonly (readonly [Phase, number])[]): readonly PhaseRecord[] =>
  steps.reduce<readonly PhaseRecord[]>(
    (records, [phase, at]) => recordPhase(records, { phase, label: `${phase} ${at}` }, at),
    [],
  );

describe('phases of a job', () => {
  it('end when the next begins, with the last label they had', () => {
    expect(run(['planning', 0], ['planning', 5], ['pruning', 10])).toEqual([
      { phase: 'planning', label: 'planning 5', startedMs: 0, endedMs: 10 },
      { phase: 'pruning', label: 'pruning 10', startedMs: 10, endedMs: null },
    ]);
  });

  it('count validation between epochs as training', () => {
    const phases = run(['training', 0], ['evaluating', 10], ['training', 12], ['evaluating', 20]);
    expect(phases.map(({ phase, startedMs, endedMs }) => [phase, startedMs, endedMs])).toEqual([
      ['training', 0, 20],
      ['evaluating', 20, null],
    ]);
  });

  it('end with the job', () => {
    expect(endPhases(run(['reading', 3]), 9)[0]?.endedMs).toBe(9);
  });
});

describe('phases to come', () => {
  const request = {
    kind: 'prune',
    steps: 1,
    data: 'd1',
    recalibrate: true,
    fineTune: null,
    measure: true,
  } as PruneRequest;

  it('are those that the request asks for', () => {
    expect(plannedPhases(request)).toEqual([
      'planning',
      'pruning',
      'checking',
      'evaluating',
      'calibrating',
      'evaluating',
      'measuring',
    ]);
    const bare = { ...request, data: null, recalibrate: false, measure: false, steps: 2 };
    expect(plannedPhases(bare)).toEqual([
      ...['planning', 'pruning', 'checking'],
      ...['planning', 'pruning', 'checking'],
    ]);
  });

  it('are what the job has not gone through, passing over what nobody planned', () => {
    const seen = run(
      ['planning', 0],
      ['pruning', 1],
      ['checking', 2],
      ['writing', 3],
      ['evaluating', 4],
    );
    expect(phasesToCome(plannedPhases(request), seen)).toEqual([
      'calibrating',
      'evaluating',
      'measuring',
    ]);
  });
});
