// The one figure that stands for an evaluation in lists and comparisons, and how it is written.

import type { Task } from '../data/types';
import type { Accuracy, LabelScores, ValueErrors } from './types';

/** Top-1 of classes, macro-F1 of labels, mean absolute error of values. */
export type Scored =
  | Pick<Accuracy, 'task' | 'top1'>
  | Pick<LabelScores, 'task' | 'macroF1'>
  | Pick<ValueErrors, 'task' | 'mae'>;

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

/** The figure alone, without what else was measured. */
export function scoredOf(scored: Scored): Scored {
  switch (scored.task) {
    case 'classes':
      return { task: scored.task, top1: scored.top1 };
    case 'labels':
      return { task: scored.task, macroF1: scored.macroF1 };
    case 'values':
      return { task: scored.task, mae: scored.mae };
  }
}

export const scoreNames: Readonly<Record<Task, string>> = {
  classes: 'top-1',
  labels: 'macro-F1',
  values: 'MAE',
};

/** An error as people read it, to four digits: 0.01234, 12.35. */
export function formatError(error: number): string {
  return error === 0 ? '0' : String(Number(error.toPrecision(4)));
}

/** '92.31 %', or an error as it is. */
export function formatScore(task: Task, score: number): string {
  return task === 'values' ? formatError(score) : `${(score * 100).toFixed(2)} %`;
}

/** What is added to another score to come to this one: '+1.20 pt', '-0.0312'. */
export function formatScoreChange(task: Task, score: number, other: number): string {
  const change = score - other;
  const sign = change > 0 ? '+' : '';
  return task === 'values'
    ? `${sign}${formatError(change)}`
    : `${sign}${(change * 100).toFixed(2)} pt`;
}
