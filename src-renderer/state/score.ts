// The one figure that stands for a version in lists, by what its data set asks.
import type { Task } from '../../src-main/engine/data/types';
import type { Scored } from '../../src-main/engine/measure/score';

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
export const scoreKindOf = (task: Task): 'accuracy' | 'error' =>
  task === 'values' ? 'error' : 'accuracy';
