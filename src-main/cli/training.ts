// Flags of a training, shared by the commands that train.

import type { Command } from 'commander';

import type { TrainingFlags, Warmup } from '../jobs/training-flags';
import { choice, number } from './options';

/** What commander makes of the flags: the schedule has another name where `--schedule` is one of pruning. */
export interface TrainFlags extends Omit<TrainingFlags, 'lrSchedule'> {
  readonly teacher?: string;
}

/** @param schedule name of the flag for the schedule of the learning rate */
export function addTrainingFlags(command: Command, schedule: string): Command {
  return command
    .option(
      '--optimizer <name>',
      'sgd (default), adam or adamw',
      choice('--optimizer', ['sgd', 'adam', 'adamw'] as const),
    )
    .option('--lr <rate>', 'learning rate', number('--lr', { above: 0, max: 100 }))
    .option('--batch <n>', 'batch size', number('--batch', { min: 1, integer: true }))
    .option('--momentum <m>', 'momentum of SGD', number('--momentum', { min: 0, max: 0.9999 }))
    .option('--weight-decay <d>', 'weight decay', number('--weight-decay', { min: 0, max: 1 }))
    .option(
      `${schedule} <kind>`,
      'of the learning rate: cosine (default), one-cycle, step or constant',
      choice(schedule, ['constant', 'cosine', 'step', 'one-cycle'] as const),
    )
    .option(
      '--warmup <n>',
      'epochs over which the rate rises to where the schedule begins (1, 0.5), or a share of all (10%)',
      warmup,
    )
    .option('--no-flip', 'do not mirror images')
    .option(
      '--pad-crop <n>',
      'random crop after padding by n pixels',
      number('--pad-crop', { min: 0, max: 64, integer: true }),
    )
    .option(
      '--value-loss <name>',
      'of data with values: mse (default), the mean squared error, or mae, the mean absolute one',
      choice('--value-loss', ['mse', 'mae'] as const),
    )
    .option('--sparsity <s>', 'L1 penalty on BN gamma', number('--sparsity', { min: 0, max: 1 }))
    .option(
      '--label-smoothing <s>',
      'share of each label spread over all classes (0.1); not for values',
      number('--label-smoothing', { min: 0, max: 0.9999 }),
    )
    .option(
      '--mixup <a>',
      'mix pairs of images by shares of Beta(a, a) (0.2)',
      number('--mixup', { min: 0, max: 100 }),
    )
    .option(
      '--clip <norm>',
      'scale gradients down to this norm together (0 is off; 1 for values)',
      number('--clip', { min: 0 }),
    )
    .option(
      '--ema <decay>',
      'keep a moving average of the weights (0.999)',
      number('--ema', { min: 0, max: 0.999999 }),
    )
    .option(
      '--patience <n>',
      'stop after n epochs without a better validation',
      number('--patience', { min: 1, integer: true }),
    )
    .option('--teacher <version>', 'learn from what this version answers, too; for classes only')
    .option(
      '--temperature <t>',
      'of the answers of the teacher (4)',
      number('--temperature', { min: 1, max: 100 }),
    )
    .option(
      '--alpha <a>',
      'share of the labels in the loss; the rest is the teacher (0.1)',
      number('--alpha', { min: 0, max: 1 }),
    )
    .option(
      '--hints <beta>',
      'weight of hints: be active where the feature maps of the teacher are (0 is off, 10 a start)',
      number('--hints', { min: 0, max: 100_000 }),
    )
    .option('--samples <n>', 'images an epoch', number('--samples', { min: 1, integer: true }));
}

/** '0.5' epochs or '10%' of them. */
function warmup(text: string): Warmup {
  const share = text.trim().endsWith('%');
  const value = number('--warmup', { min: 0, max: share ? 100 : 1000 })(
    share ? text.trim().slice(0, -1) : text,
  );
  return share ? { share: value / 100 } : { epochs: value };
}
