// The one figure that stands for a version in lists, by what its data set asks.
import type { Task } from '../../src-main/engine/data/types';
import type { Scored } from '../../src-main/engine/measure/score';
import { errorText } from '../format';

export const scoreNames: Readonly<Record<Task, string>> = {
  classes: 'Top-1',
  labels: 'Macro-F1',
  values: 'MAE',
};

/** Top-1 or macro-F1 as a share, or a mean absolute error. */
export function scoreOf(scored: Scored): number {
  switch (scored.task) {
    case 'classes':
      return scored.top1;
    case 'labels':
      return scored.macroF1;
    case 'values':
      return scored.mae;
  }
}

/** Errors are no shares, and the less the better. */
export type ScoreKind = 'accuracy' | 'error';

export const scoreKindOf = (task: Task): ScoreKind => (task === 'values' ? 'error' : 'accuracy');

/** The score on the axis of a chart. */
export const scoreAxis = (task: Task): string =>
  task === 'values' ? `${scoreNames[task]}, less is better` : scoreNames[task];

/** How far runs lie apart, behind their mean; points where they are shares. */
export function spreadText(kind: ScoreKind, spread: number | null): string {
  if (spread === null) return '';
  return ` ± ${kind === 'error' ? errorText(spread) : (spread * 100).toFixed(1)}`;
}
