// recalibrate <project> <version>: batch norm statistics computed anew, as a version of its own.

import type { Command } from 'commander';

import { recalibrateDefaults } from '../../engine/train/defaults';
import { formatAccuracy, versionJson } from '../format';
import { number } from '../options';
import { noteOtherName } from '../output';
import type { Runtime } from '../runtime';

interface Flags {
  readonly data: string;
  readonly batches: number;
  readonly batch: number;
  readonly seed: number;
  readonly name?: string;
}

export function addRecalibrate(program: Command, runtime: Runtime): void {
  const base = recalibrateDefaults;
  const whole = { min: 1, integer: true };
  program
    .command('recalibrate')
    .argument('<project>', 'a project folder')
    .argument('<version>', 'a version by name or id')
    .requiredOption('--data <name>', 'a data set of the project')
    .option('--batches <n>', 'batches of training images', number('--batches', whole), base.batches)
    .option('--batch <n>', 'images in each', number('--batch', whole), base.batchSize)
    .option(
      '--seed <n>',
      'chooses the images',
      number('--seed', { min: 0, integer: true }),
      base.seed,
    )
    .option('--name <name>', 'name of the result')
    .description('recompute batch norm statistics of a cut version, without training')
    .addHelpText('after', '\nExample: secateur recalibrate ./demo slim --data fashion')
    .action((folder: string, versionName: string, flags: Flags) =>
      runtime.withProject(folder, async (project) => {
        const version = await project.findVersion(versionName);
        const data = await project.findDataset(flags.data);
        const job = await runtime.run(project, {
          kind: 'recalibrate',
          version: version.id,
          data: data.id,
          options: { batches: flags.batches, batchSize: flags.batch, seed: flags.seed },
          name: flags.name ?? null,
        });
        const made = await project.findVersion(job.versions.at(-1) ?? '');
        noteOtherName(runtime.output, flags.name, made);
        runtime.output.result(versionJson(made), [
          `${made.name}: ${formatAccuracy(made)} on ${data.name} (${version.name}: ${formatAccuracy(version)})`,
        ]);
      }),
    );
}
