// The phases of a job: those it went through with their times, and those still to come.
import type { Progress } from '../../src-main/engine/context';
import type { JobRequest } from '../../src-main/jobs/types';

export type Phase = Progress['phase'];

export interface PhaseRecord {
  readonly phase: Phase;
  readonly label: string;
  readonly startedMs: number;
  /** Null while it runs. */
  readonly endedMs: number | null;
}

/**
 * Adds a report of progress at `elapsedMs` of the job: a new phase ends the one before. Training that goes on
 * after an evaluation is the same training: it was the validation of an epoch.
 */
export function recordPhase(
  records: readonly PhaseRecord[],
  progress: Pick<Progress, 'phase' | 'label'>,
  elapsedMs: number,
): readonly PhaseRecord[] {
  const last = records.at(-1);
  if (last?.phase === progress.phase && last.endedMs === null) {
    if (last.label === progress.label) return records;
    return [...records.slice(0, -1), { ...last, label: progress.label }];
  }
  const { phase, label } = progress;
  const before = records.at(-2);
  if (phase === 'training' && last?.phase === 'evaluating' && before?.phase === 'training') {
    return [...records.slice(0, -2), { ...before, label, endedMs: null }];
  }
  return [...endPhases(records, elapsedMs), { phase, label, startedMs: elapsedMs, endedMs: null }];
}

/** Ends the phase that runs, if one does. */
export function endPhases(
  records: readonly PhaseRecord[],
  elapsedMs: number,
): readonly PhaseRecord[] {
  return records.map((record) =>
    record.endedMs === null ? { ...record, endedMs: elapsedMs } : record,
  );
}

/** The phases that a request goes through, in order; saving in between is not counted as one. */
export function plannedPhases(request: JobRequest): readonly Phase[] {
  switch (request.kind) {
    case 'import':
      return [
        'reading',
        ...some(request.data !== null, 'evaluating'),
        ...some(request.measure, 'measuring'),
      ];
    case 'zoo':
      return ['writing'];
    case 'prune': {
      const step: readonly Phase[] = [
        ...some(request.sparsify !== undefined, 'training', 'evaluating'),
        'planning',
        'pruning',
        'checking',
        ...some(request.data !== null, 'evaluating'),
        ...some(request.recalibrate, 'calibrating', 'evaluating'),
        ...some(request.fineTune !== null, 'training', 'evaluating'),
      ];
      const steps = Array.from({ length: request.steps }, () => step).flat();
      return [...steps, ...some(request.measure, 'measuring')];
    }
    case 'train':
      return ['training', 'evaluating', ...some(request.measure, 'measuring')];
    case 'recalibrate':
      return ['calibrating', 'evaluating'];
    case 'evaluate':
      return request.versions.map(() => 'evaluating');
    case 'measure':
      return request.versions.map(() => 'measuring');
    case 'sensitivity':
      return ['evaluating'];
    case 'export':
      return ['exporting', ...some(request.precision === 'int8', 'calibrating'), 'verifying'];
    case 'add-data':
      return ['decoding', 'writing'];
  }
}

function some(wanted: boolean, ...phases: readonly Phase[]): readonly Phase[] {
  return wanted ? phases : [];
}

/** What is left of a plan after the phases seen; phases that the plan does not know are passed over. */
export function phasesToCome(
  planned: readonly Phase[],
  seen: readonly Pick<PhaseRecord, 'phase'>[],
): readonly Phase[] {
  let at = 0;
  for (const { phase } of seen) {
    const found = planned.indexOf(phase, at);
    if (found >= 0) at = found + 1;
  }
  return planned.slice(at);
}
