// train <project> <version>: fine-tune, or train the same architecture from scratch.

import type { Command } from 'commander';

import { trainingOptions, type TrainingFlags } from '../../jobs/training-flags';
import { formatAccuracy, versionJson } from '../format';
import { number } from '../options';
import { noteOtherName } from '../output';
import type { Runtime } from '../runtime';
import { addScratchFlags, startOf, type ScratchFlags } from '../scratch';
import { addTrainingFlags, type TrainFlags } from '../training';

interface Flags extends TrainFlags, ScratchFlags {
  readonly data: string;
  readonly epochs?: number;
  readonly schedule?: TrainingFlags['lrSchedule'];
  readonly measure?: boolean;
  readonly name?: string;
}

export function addTrain(program: Command, runtime: Runtime): void {
  const command = program
    .command('train')
    .argument('<project>', 'a project folder')
    .argument('<version>', 'a version by name or id')
    .requiredOption('--data <name>', 'a data set of the project')
    .option(
      '--epochs <n>',
      'epochs; with --scratch those that the original was trained for',
      number('--epochs', { min: 1, max: 10_000, integer: true }),
    );
  addTrainingFlags(command, '--schedule');
  addScratchFlags(command)
    .option('--seed <n>', 'seed', number('--seed', { min: 0, integer: true }))
    .option('--measure', 'measure latency of the result')
    .option('--name <name>', 'name of the result')
    .description('fine-tune a version on a data set')
    .addHelpText(
      'after',
      '\nExamples: secateur train ./demo slim --data fashion --epochs 3' +
        '\n          secateur train ./demo slim --data fashion --epochs 40 --scratch b',
    )
    .action((folder: string, versionName: string, flags: Flags) =>
      runtime.withProject(folder, async (project) => {
        const version = await project.findVersion(versionName);
        const data = await project.findDataset(flags.data);
        const teacher = flags.teacher && (await project.findVersion(flags.teacher)).id;
        const { init, epochs } = await startOf(project, version, flags);
        const options = trainingOptions(
          {
            purpose: init === 'weights' ? 'fine-tune' : 'full',
            task: data.task,
            hasTeacher: teacher !== undefined,
          },
          epochs,
          { ...flags, lrSchedule: flags.schedule },
        );
        const job = await runtime.run(project, {
          kind: 'train',
          version: version.id,
          data: data.id,
          options,
          ...(teacher === undefined ? {} : { teacher }),
          init,
          measure: flags.measure ?? false,
          name: flags.name ?? null,
        });
        const made = await project.findVersion(job.versions.at(-1) ?? '');
        const { history } = await project.versionRow(made.id);
        noteOtherName(runtime.output, flags.name, made);
        runtime.output.result({ ...versionJson(made), history }, [
          `${made.name}: ${formatAccuracy(made)} on ${data.name} (${version.name}: ${formatAccuracy(version)})`,
        ]);
      }),
    );
}
