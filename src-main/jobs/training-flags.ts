// The options of a training as flags of the command line, in both directions: what flags make of the defaults, and
// which flags make given options.

import { isDeepStrictEqual } from 'node:util';
import type { Task } from '../engine/data/types';
import { AppError } from '../engine/errors';
import {
  defaultClip,
  distillDefaults,
  fineTuneDefaults,
  fullTrainingDefaults,
  optimizerDefaults,
  scheduleDefaults,
  slimmingSparsity,
  type OptimizerDefaults,
  type TrainPurpose,
} from '../engine/train/defaults';
import type {
  OptimizerOptions,
  ScheduleOptions,
  TrainOptions,
  ValueLoss,
} from '../engine/train/types';

/** Epochs, or a share of all epochs. */
export type Warmup = { readonly epochs: number } | { readonly share: number };

/** Undefined is the default. */
export interface TrainingFlags {
  readonly optimizer?: OptimizerOptions['kind'] | undefined;
  readonly lr?: number | undefined;
  readonly batch?: number | undefined;
  readonly momentum?: number | undefined;
  readonly weightDecay?: number | undefined;
  readonly lrSchedule?: ScheduleOptions['kind'] | undefined;
  readonly warmup?: Warmup | undefined;
  readonly valueLoss?: ValueLoss | undefined;
  readonly flip?: boolean | undefined;
  readonly padCrop?: number | undefined;
  readonly sparsity?: number | undefined;
  readonly labelSmoothing?: number | undefined;
  readonly mixup?: number | undefined;
  /** 0 leaves gradients as they are. */
  readonly clip?: number | undefined;
  readonly ema?: number | undefined;
  readonly patience?: number | undefined;
  readonly temperature?: number | undefined;
  readonly alpha?: number | undefined;
  readonly hints?: number | undefined;
  readonly samples?: number | undefined;
  readonly seed?: number | undefined;
}

/** What a training is for, and on. */
export interface TrainingContext {
  readonly purpose: TrainPurpose;
  /** Of the data. */
  readonly task: Task;
  readonly hasTeacher: boolean;
}

/** @throws AppError INVALID_ARGUMENT for flags that do not go together */
export function trainingOptions(
  { purpose, task, hasTeacher }: TrainingContext,
  epochs: number,
  flags: TrainingFlags,
): TrainOptions {
  const base = purpose === 'full' ? fullTrainingDefaults(epochs) : fineTuneDefaults(epochs);
  const { temperature, alpha, hints } = flags;
  if (!hasTeacher && (temperature ?? alpha ?? hints) !== undefined) {
    throw new AppError(
      'INVALID_ARGUMENT',
      '--temperature, --alpha and --hints say how to learn from a teacher, and none is named.',
      'Name a version with --teacher.',
    );
  }
  return {
    ...base,
    batchSize: flags.batch ?? base.batchSize,
    seed: flags.seed ?? base.seed,
    optimizer: optimizerOf(optimizerDefaults[purpose], flags),
    schedule: scheduleOf(base.schedule, epochs, flags),
    augment: {
      flip: flags.flip ?? base.augment.flip,
      padCrop: flags.padCrop ?? base.augment.padCrop,
    },
    valueLoss: flags.valueLoss ?? base.valueLoss,
    gammaSparsity: flags.sparsity ?? base.gammaSparsity,
    labelSmoothing: flags.labelSmoothing ?? base.labelSmoothing,
    mixup: flags.mixup ?? base.mixup,
    clipNorm: (flags.clip ?? defaultClip[task]) || null,
    ema: flags.ema ?? base.ema,
    patience: flags.patience ?? base.patience,
    distill: hasTeacher
      ? {
          temperature: temperature ?? distillDefaults.temperature,
          alpha: alpha ?? distillDefaults.alpha,
          hints: hints ?? distillDefaults.hints,
        }
      : null,
    samplesPerEpoch: flags.samples ?? base.samplesPerEpoch,
  };
}

/**
 * The training before a cut by gamma, as the fine-tuning behind it but for the penalty; its last epoch is kept, whose
 * gammas have come closest to 0.
 */
export function sparsifyOptions(task: Task, epochs: number, flags: TrainingFlags): TrainOptions {
  const untaught = { temperature: undefined, alpha: undefined, hints: undefined };
  const alone = { ...flags, ...untaught, patience: undefined };
  return {
    ...trainingOptions({ purpose: 'fine-tune', task, hasTeacher: false }, epochs, alone),
    gammaSparsity: flags.sparsity ?? slimmingSparsity,
    keepBest: false,
  };
}

/** The flags that make these options, without those that stand at their defaults; null when no flags do. */
export function trainingFlags(
  purpose: TrainPurpose,
  task: Task,
  options: TrainOptions,
): TrainingFlags | null {
  const { epochs, optimizer, schedule, augment, distill } = options;
  const context = { purpose, task, hasTeacher: distill !== null };
  const base = trainingOptions(context, epochs, {});
  const standard = optimizerDefaults[purpose][optimizer.kind];
  const momentum = (of: OptimizerOptions): number | undefined =>
    of.kind === 'sgd' ? of.momentum : undefined;
  const chosen =
    schedule.kind === base.schedule.kind ? base.schedule : scheduleDefaults[schedule.kind];
  const flags: TrainingFlags = {
    optimizer: unless(optimizer.kind, base.optimizer.kind),
    lr: unless(optimizer.learningRate, standard.learningRate),
    batch: unless(options.batchSize, base.batchSize),
    momentum: unless(momentum(optimizer), momentum(standard)),
    weightDecay: unless(optimizer.weightDecay, standard.weightDecay),
    lrSchedule: unless(schedule.kind, base.schedule.kind),
    warmup:
      schedule.warmupEpochs === chosen.warmupEpochs ? undefined : { epochs: schedule.warmupEpochs },
    flip: unless(augment.flip, base.augment.flip),
    padCrop: unless(augment.padCrop, base.augment.padCrop),
    valueLoss: unless(options.valueLoss, base.valueLoss),
    sparsity: unless(options.gammaSparsity, base.gammaSparsity),
    labelSmoothing: unless(options.labelSmoothing, base.labelSmoothing),
    mixup: unless(options.mixup, base.mixup),
    clip: unless(options.clipNorm ?? 0, base.clipNorm ?? 0),
    ema: options.ema ?? undefined,
    patience: options.patience ?? undefined,
    temperature: unless(distill?.temperature, base.distill?.temperature),
    alpha: unless(distill?.alpha, base.distill?.alpha),
    hints: unless(distill?.hints, base.distill?.hints),
    samples: options.samplesPerEpoch ?? undefined,
    seed: unless(options.seed, base.seed),
  };
  const made = trainingOptions(context, epochs, flags);
  return isDeepStrictEqual(made, options) ? flags : null;
}

function optimizerOf(defaults: OptimizerDefaults, flags: TrainingFlags): OptimizerOptions {
  const base = defaults[flags.optimizer ?? 'sgd'];
  const changed = {
    learningRate: flags.lr ?? base.learningRate,
    weightDecay: flags.weightDecay ?? base.weightDecay,
  };
  if (base.kind === 'sgd') {
    return { ...base, ...changed, momentum: flags.momentum ?? base.momentum };
  }
  if (flags.momentum !== undefined) {
    throw new AppError(
      'INVALID_ARGUMENT',
      `--momentum is an option of SGD, and the optimizer is ${base.kind}.`,
      'Leave --momentum out, or take --optimizer sgd.',
    );
  }
  return { ...base, ...changed };
}

function scheduleOf(
  base: ScheduleOptions,
  epochs: number,
  { lrSchedule, warmup }: TrainingFlags,
): ScheduleOptions {
  const chosen =
    lrSchedule === undefined || lrSchedule === base.kind ? base : scheduleDefaults[lrSchedule];
  if (warmup === undefined) return chosen;
  return {
    ...chosen,
    warmupEpochs: 'share' in warmup ? warmup.share * epochs : warmup.epochs,
  };
}

const unless = <T>(value: T, standard: T): T | undefined =>
  value === standard ? undefined : value;

/** The words of a command line that stand for flags but the seed; `schedule` names that of the learning rate. */
export function trainingWords(flags: TrainingFlags, schedule: string): readonly string[] {
  const { warmup: rise, flip } = flags;
  const option = (name: string, value: string | number | undefined): readonly string[] =>
    value === undefined ? [] : [name, String(value)];
  return [
    ...option('--optimizer', flags.optimizer),
    ...option('--lr', flags.lr),
    ...option('--batch', flags.batch),
    ...option('--momentum', flags.momentum),
    ...option('--weight-decay', flags.weightDecay),
    ...option(schedule, flags.lrSchedule),
    ...option('--warmup', rise && ('share' in rise ? `${rise.share * 100}%` : rise.epochs)),
    ...(flip === false ? ['--no-flip'] : []),
    ...option('--pad-crop', flags.padCrop),
    ...option('--value-loss', flags.valueLoss),
    ...option('--sparsity', flags.sparsity),
    ...option('--label-smoothing', flags.labelSmoothing),
    ...option('--mixup', flags.mixup),
    ...option('--clip', flags.clip),
    ...option('--ema', flags.ema),
    ...option('--patience', flags.patience),
    ...option('--temperature', flags.temperature),
    ...option('--alpha', flags.alpha),
    ...option('--hints', flags.hints),
    ...option('--samples', flags.samples),
  ];
}
