// Training inside of a job: progress of the whole, a line in the log after each epoch, and a checkpoint beside the
// project's data, so that a job that is broken off goes on with the same result as if it had not been.

import { mkdir, readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { dirname, join } from 'node:path';

import type { Progress } from '../../engine/context';
import type { Dataset } from '../../engine/data/types';
import { AppError, toAppError } from '../../engine/errors';
import type { Model } from '../../engine/graph/types';
import { formatError } from '../../engine/measure/score';
import { startStopwatch } from '../../engine/measure/stopwatch';
import {
  decodeCheckpoint,
  encodeCheckpoint,
  type TrainCheckpoint,
} from '../../engine/train/checkpoint';
import { requireMemory, stepFootprint } from '../../engine/train/footprint';
import { train, type TrainHooks } from '../../engine/train/trainer';
import type { EpochRecord, TrainOptions, TrainResult } from '../../engine/train/types';
import { atomicWrite } from '../../project/atomic-write';
import type { VersionId } from '../../project/types';
import type { JobContext, JobSpec } from '../types';
import { withCompute } from './compute';
import { loadVersion } from './versions';

/** Writing checkpoints takes at most this share of the time. */
const checkpointShare = 0.05;
/** Seconds of training that are lost at most when long epochs are broken off; a pause loses none. */
const stepCheckpointInterval = 60;

export interface JobTraining {
  readonly model: Model;
  readonly dataset: Dataset;
  readonly options: TrainOptions;
  readonly teacher: VersionId | undefined;
  /** Saves what was good before a run diverged. */
  readonly rescue: (result: TrainResult) => Promise<unknown>;
}

/**
 * Trains as the engine does, from the checkpoint of an earlier run of the job where there is one. The validation of
 * an epoch counts as a part of the training: its own count of images would throw the bar of the whole back to 0.
 * @throws AppError OUT_OF_MEMORY before anything is trained, when a step surely takes more than there is; else as `train`
 */
export async function trainInJob(
  spec: JobSpec,
  { model, dataset, options, teacher, rescue }: JobTraining,
  context: JobContext,
): Promise<TrainResult> {
  const slots = options.optimizer.kind === 'sgd' ? 1 : 2;
  requireMemory(
    stepFootprint(model, slots, dataset.task),
    Math.min(options.batchSize, dataset.counts.train),
    machineMemory(),
  );
  const checkpoints = new Checkpoints(join(spec.checkpointDir, `${context.position()}.train`));
  const resume = await checkpoints.read(context);
  if (resume !== null) context.log('info', `Going on ${placeOf(resume, options)}.`);
  let latest: Progress | null = null;
  const progress = (now: Progress): void => {
    if (now.phase === 'training') latest = now;
    context.progress(latest ? { ...latest, label: labelOf(latest, now) } : now);
  };
  let rescued: number | null = null;
  try {
    const hooks: TrainHooks = {
      onEpoch: async (record, checkpoint) => {
        context.log('info', epochLine(record, options.epochs));
        if (checkpoints.isDue(0)) await checkpoints.write(checkpoint, context);
      },
      onStep: (checkpoint) =>
        checkpoints.isDue(stepCheckpointInterval)
          ? checkpoints.write(checkpoint, context)
          : undefined,
      onAborted: (checkpoint) =>
        context.isPausing() ? checkpoints.write(checkpoint, context) : undefined,
      onDiverged: async (result) => {
        await rescue(result);
        rescued = result.bestEpoch;
      },
    };
    const taught = teacher === undefined ? null : (await loadVersion(spec, teacher)).model;
    const begunOn = resume?.backend ?? null;
    return await withCompute({ model, dataset, options, context, begunOn }, (compute) => {
      context.trainingFrom(resume?.points ?? 0, compute.detail);
      const run = { resume, teacher: taught, compute };
      return train(model, dataset, options, { ...context, progress }, hooks, run);
    });
  } catch (error) {
    if (rescued === null || !(error instanceof AppError)) throw error;
    const { code, message, hint, details } = error;
    const kept = `The weights of epoch ${rescued}, good before that, are kept as a version.`;
    throw new AppError(code, message, `${hint} ${kept}`, { ...(details && { details }) });
  }
}

/** Bytes that this process can have at most: what the machine has, or a container allows. */
function machineMemory(): number {
  const allowed = process.constrainedMemory();
  // Without a limit it is 0 or a number beyond all machines.
  return allowed > 0 ? Math.min(allowed, totalmem()) : totalmem();
}

/** The checkpoint of one training of a job. */
class Checkpoints {
  readonly #file: string;
  /** Seconds that the last write took. */
  #cost = 0;
  #sinceWrite = startStopwatch();

  constructor(file: string) {
    this.#file = file;
  }

  /** Null where there is none. One that cannot be read is not used: the training begins again. */
  async read(context: JobContext): Promise<TrainCheckpoint | null> {
    const bytes = await readFile(this.#file).catch(() => null);
    if (bytes === null) return null;
    try {
      return decodeCheckpoint(bytes);
    } catch (error) {
      context.log('warn', `${toAppError(error).message} The training begins again.`);
      return null;
    }
  }

  /** Whether the last one is as many seconds old, and as old as large weights demand. */
  isDue(seconds: number): boolean {
    return this.#sinceWrite() >= Math.max(seconds, this.#cost / checkpointShare);
  }

  async write(checkpoint: () => Promise<TrainCheckpoint>, context: JobContext): Promise<void> {
    const elapsed = startStopwatch();
    try {
      await mkdir(dirname(this.#file), { recursive: true });
      await atomicWrite(this.#file, encodeCheckpoint(await checkpoint()));
    } catch (error) {
      // A full disk must not end a training that can do without.
      context.log('warn', `The checkpoint was not written: ${toAppError(error).message}`);
    }
    this.#cost = elapsed();
    this.#sinceWrite = startStopwatch();
  }
}

function placeOf({ history, within }: TrainCheckpoint, { epochs }: TrainOptions): string {
  return within === null
    ? `behind epoch ${history.length} of ${epochs}`
    : `within epoch ${history.length + 1} of ${epochs}, behind batch ${within.step}`;
}

const labelOf = (training: Progress, now: Progress): string =>
  now.phase === 'training' ? now.label : `${training.label}: validating`;

function epochLine(record: EpochRecord, epochs: number): string {
  const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
  const figure = (
    name: string,
    value: number | null | undefined,
    text: (value: number) => string,
  ): readonly string[] => (value === null || value === undefined ? [] : [`${name} ${text(value)}`]);
  return [
    `Epoch ${record.epoch} of ${epochs}: loss ${record.trainLoss.toFixed(4)}`,
    ...figure('training', record.trainAccuracy, percent),
    ...figure('training MAE', record.trainMae, formatError),
    ...figure('validation', record.valAccuracy, percent),
    ...figure('macro-F1', record.valMacroF1, percent),
    ...figure('validation MAE', record.valMae, formatError),
    `${Math.round(record.imagesPerSecond)} images/s`,
  ].join(', ');
}
