// train <project> <version>: fine-tune, or train the same architecture from scratch.

import type { Command } from 'commander';

import { fineTuneDefaults, fullTrainingDefaults } from '../../engine/train/defaults';
import type { ScheduleOptions, TrainOptions } from '../../engine/train/types';
import type { VersionSummary } from '../../project/types';
import { formatPercent, versionJson } from '../format';
import { choice, number } from '../options';
import { noteOtherName } from '../output';
import type { Runtime } from '../runtime';

interface TrainFlags {
  readonly data: string;
  readonly epochs: number;
  readonly lr?: number;
  readonly batch?: number;
  readonly momentum?: number;
  readonly weightDecay?: number;
  readonly schedule?: ScheduleOptions['kind'];
  readonly flip?: boolean;
  readonly padCrop?: number;
  readonly sparsity?: number;
  readonly samples?: number;
  readonly scratch?: boolean;
  readonly seed?: number;
  readonly measure?: boolean;
  readonly name?: string;
}

const schedules: Readonly<Record<ScheduleOptions['kind'], ScheduleOptions>> = {
  constant: { kind: 'constant' },
  cosine: { kind: 'cosine', warmupEpochs: 0, finalFactor: 0 },
  step: { kind: 'step', warmupEpochs: 0, milestones: [0.5, 0.75], factor: 0.1 },
};

function trainOptions(flags: TrainFlags): TrainOptions {
  const base = flags.scratch ? fullTrainingDefaults(flags.epochs) : fineTuneDefaults(flags.epochs);
  return {
    ...base,
    batchSize: flags.batch ?? base.batchSize,
    seed: flags.seed ?? base.seed,
    optimizer: {
      ...base.optimizer,
      learningRate: flags.lr ?? base.optimizer.learningRate,
      momentum: flags.momentum ?? base.optimizer.momentum,
      weightDecay: flags.weightDecay ?? base.optimizer.weightDecay,
    },
    schedule: flags.schedule === undefined ? base.schedule : schedules[flags.schedule],
    augment: {
      flip: flags.flip ?? base.augment.flip,
      padCrop: flags.padCrop ?? base.augment.padCrop,
    },
    gammaSparsity: flags.sparsity ?? base.gammaSparsity,
    samplesPerEpoch: flags.samples ?? base.samplesPerEpoch,
  };
}

export function addTrain(program: Command, runtime: Runtime): void {
  program
    .command('train')
    .argument('<project>', 'a project folder')
    .argument('<version>', 'a version by name or id')
    .requiredOption('--data <name>', 'a data set of the project')
    .requiredOption('--epochs <n>', 'epochs', number('--epochs', { min: 1, integer: true }))
    .option('--lr <rate>', 'learning rate', number('--lr', { min: 0 }))
    .option('--batch <n>', 'batch size', number('--batch', { min: 1, integer: true }))
    .option('--momentum <m>', 'momentum of SGD', number('--momentum', { min: 0, max: 0.9999 }))
    .option('--weight-decay <d>', 'L2 penalty', number('--weight-decay', { min: 0, max: 1 }))
    .option(
      '--schedule <kind>',
      'constant, cosine or step',
      choice('--schedule', ['constant', 'cosine', 'step'] as const),
    )
    .option('--no-flip', 'do not mirror images')
    .option(
      '--pad-crop <n>',
      'random crop after padding by n pixels',
      number('--pad-crop', { min: 0, max: 64, integer: true }),
    )
    .option('--sparsity <s>', 'L1 penalty on BN gamma', number('--sparsity', { min: 0, max: 1 }))
    .option('--samples <n>', 'images an epoch', number('--samples', { min: 1, integer: true }))
    .option('--scratch', 'start from new random weights')
    .option('--seed <n>', 'seed', number('--seed', { min: 0, integer: true }))
    .option('--measure', 'measure latency of the result')
    .option('--name <name>', 'name of the result')
    .description('fine-tune a version on a data set')
    .addHelpText('after', '\nExample: secateur train ./demo slim --data fashion --epochs 3')
    .action((folder: string, versionName: string, flags: TrainFlags) =>
      runtime.withProject(folder, async (project) => {
        const version = await project.findVersion(versionName);
        const data = await project.findDataset(flags.data);
        const job = await runtime.run(project, {
          kind: 'train',
          version: version.id,
          data: data.id,
          options: trainOptions(flags),
          init: flags.scratch ? 'scratch' : 'weights',
          measure: flags.measure ?? false,
          name: flags.name ?? null,
        });
        const made = await project.findVersion(job.versions.at(-1) ?? '');
        const { history } = await project.versionRow(made.id);
        noteOtherName(runtime.output, flags.name, made);
        const top1 = (figures: VersionSummary): string =>
          figures.accuracy ? formatPercent(figures.accuracy.top1) : 'not evaluated';
        runtime.output.result({ ...versionJson(made), history }, [
          `${made.name}: ${top1(made)} on ${data.name} (${version.name}: ${top1(version)})`,
        ]);
      }),
    );
}
