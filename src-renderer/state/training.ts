// Options of a training that follow its data.
import type { TrainDefaults } from '../../src-main/ipc/contract';
import type { Task } from '../../src-main/engine/data/types';
import type { TrainOptions } from '../../src-main/engine/train/types';

/** Options for data of another task: what stands at the default of the one is put to that of the other. */
export function forTask(
  options: TrainOptions,
  { clip }: Pick<TrainDefaults, 'clip'>,
  from: Task,
  to: Task,
): TrainOptions {
  return options.clipNorm === clip[from] ? { ...options, clipNorm: clip[to] } : options;
}
