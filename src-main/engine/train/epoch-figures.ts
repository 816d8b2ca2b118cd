// What is recorded of an epoch in each task, and which epoch is the better one.

import type { Task } from '../data/types';
import type { Evaluation } from '../measure/types';
import type { EpochRecord } from './types';

type TrainFigures = Pick<EpochRecord, 'trainAccuracy' | 'trainMae'>;
type ValidationFigures = Pick<EpochRecord, 'valLoss' | 'valAccuracy' | 'valMacroF1' | 'valMae'>;

/** @param score mean over samples of what `StepResult.score` sums up */
export function trainFigures(task: Task, score: number): TrainFigures {
  return task === 'values' ? { trainAccuracy: null, trainMae: score } : { trainAccuracy: score };
}

/** @param evaluation null where there is nothing to validate on */
export function validationFigures(task: Task, evaluation: Evaluation | null): ValidationFigures {
  const valLoss = evaluation?.loss ?? null;
  switch (evaluation?.task) {
    case 'classes':
      return { valLoss, valAccuracy: evaluation.top1 };
    case 'labels':
      return { valLoss, valAccuracy: evaluation.accuracy, valMacroF1: evaluation.macroF1 };
    case 'values':
      return { valLoss, valAccuracy: null, valMae: evaluation.mae };
    case undefined: {
      const none = { valLoss, valAccuracy: null };
      if (task === 'classes') return none;
      return task === 'labels' ? { ...none, valMacroF1: null } : { ...none, valMae: null };
    }
  }
}

/** The figures that there are, as points of curves. */
export function curvePoints(figures: TrainFigures | ValidationFigures): Record<string, number> {
  return Object.fromEntries(
    Object.entries(figures).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
  );
}

/**
 * Whether the validation of an epoch is better than that of an earlier one: a lower mean absolute error of values, a
 * higher macro-F1 of labels, a higher accuracy of classes; of equal ones the lower loss.
 */
export function isBetter(record: EpochRecord, earlier: EpochRecord): boolean {
  const [own, other] = [worth(record), worth(earlier)];
  return own > other || (own === other && (record.valLoss ?? 0) < (earlier.valLoss ?? 0));
}

function worth({ valAccuracy, valMacroF1, valMae }: EpochRecord): number {
  if (valMae !== undefined) return -(valMae ?? 0);
  return valMacroF1 ?? valAccuracy ?? 0;
}
