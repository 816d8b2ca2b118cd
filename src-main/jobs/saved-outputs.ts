// What a job has given to the project before it was broken off: a resumed one does none of it again.

import { AppError } from '../engine/errors';
import type { JobOutput } from './types';

/** Sensitivity maps are resumed point by point, by any job that asks for the same map. */
export type RepeatableType = Exclude<JobOutput['type'], 'sensitivity' | 'sensitivity-point'>;

export interface SavedOutput {
  readonly type: RepeatableType;
  readonly id: string;
}

export function isRepeatable(type: JobOutput['type']): type is RepeatableType {
  return type !== 'sensitivity' && type !== 'sensitivity-point';
}

/**
 * Gives a job's earlier outputs back in the order in which it made them. Jobs do the same things in the same
 * order each time, so that the next output is either the next of these or new.
 */
export class SavedOutputs {
  /** Outputs passed so far, earlier and new: tells the trainings of one job apart. */
  position = 0;
  readonly #earlier: readonly SavedOutput[];

  constructor(earlier: readonly SavedOutput[]) {
    this.#earlier = earlier;
  }

  /** The id of the next output if an earlier run made it, else null. @throws AppError INTERNAL out of order */
  take(type: RepeatableType): string | null {
    const next = this.#earlier[this.position];
    if (next === undefined) return null;
    if (next.type !== type) {
      throw new AppError(
        'INTERNAL',
        `A resumed job made a ${type} where it had made a ${next.type} before.`,
        'Start the job again instead of resuming it.',
      );
    }
    this.position += 1;
    return next.id;
  }

  /** Counts a new output. */
  add(type: JobOutput['type']): void {
    if (isRepeatable(type)) this.position += 1;
  }
}
