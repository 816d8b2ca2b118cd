// Training inside of a job: progress of the whole, and a line in the log after each epoch.

import type { Progress } from '../../engine/context';
import type { Dataset } from '../../engine/data/types';
import type { Model } from '../../engine/graph/types';
import { train } from '../../engine/train/trainer';
import type { EpochRecord, TrainOptions, TrainResult } from '../../engine/train/types';
import type { JobContext } from '../types';

/**
 * Trains as the engine does, with a line in the log after each epoch. The validation of an epoch counts as a part
 * of the training: its own count of images would throw the bar of the whole back to 0.
 */
export function trainInJob(
  model: Model,
  dataset: Dataset,
  options: TrainOptions,
  context: JobContext,
): Promise<TrainResult> {
  let latest: Progress | null = null;
  const progress = (now: Progress): void => {
    if (now.phase === 'training') latest = now;
    context.progress(latest ? { ...latest, label: labelOf(latest, now) } : now);
  };
  return train(
    model,
    dataset,
    options,
    { ...context, progress },
    {
      onEpoch: (record) => context.log('info', epochLine(record, options.epochs)),
    },
  );
}

const labelOf = (training: Progress, now: Progress): string =>
  now.phase === 'training' ? now.label : `${training.label}: validating`;

function epochLine(record: EpochRecord, epochs: number): string {
  const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
  return [
    `Epoch ${record.epoch} of ${epochs}: loss ${record.trainLoss.toFixed(4)}`,
    `training ${percent(record.trainAccuracy)}`,
    ...(record.valAccuracy === null ? [] : [`validation ${percent(record.valAccuracy)}`]),
    `${Math.round(record.imagesPerSecond)} images/s`,
  ].join(', ');
}
