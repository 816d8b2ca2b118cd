import { describe, expect, it } from 'vitest';
import {
  currentStep,
  firstProblem,
  neighbours,
  stepStatuses,
} from '../../../src-renderer/state/wizard';
import type { WizardStep } from '../../../src-renderer/state/wizard';

interface Draft {
  readonly file: string | null;
}

const steps: readonly WizardStep<Draft>[] = [
  {
    id: 'file',
    title: 'File',
    problem: ({ file }) => (file ? null : 'choose a file'),
    summary: ({ file }) => file,
  },
  { id: 'options', title: 'Options', problem: () => null, summary: () => 'defaults' },
  { id: 'run', title: 'Run', problem: () => null, summary: () => null },
];

describe('a wizard', () => {
  it('begins with its first step, and with the one that is named', () => {
    expect(currentStep(steps, null).id).toBe('file');
    expect(currentStep(steps, 'run').id).toBe('run');
    expect(currentStep(steps, 'nonsense').id).toBe('file');
  });

  it('lets one visit the last step, but says what keeps it from starting', () => {
    const statuses = stepStatuses(steps, { file: null }, 'run');
    expect(statuses.find(({ current }) => current)?.id).toBe('run');
    expect(firstProblem(statuses)).toMatchObject({ id: 'file', problem: 'choose a file' });
  });

  it('has no problem once every step is content', () => {
    const statuses = stepStatuses(steps, { file: 'model.json' }, 'run');
    expect(firstProblem(statuses)).toBeNull();
    expect(statuses.map(({ summary }) => summary)).toEqual(['model.json', 'defaults', null]);
  });

  it('knows the steps before and after', () => {
    const at = (id: string): readonly (string | undefined)[] => {
      const { previous, next } = neighbours(stepStatuses(steps, { file: null }, id));
      return [previous?.id, next?.id];
    };
    expect(at('file')).toEqual([undefined, 'options']);
    expect(at('options')).toEqual(['file', 'run']);
    expect(at('run')).toEqual(['options', undefined]);
  });
});
