// lr-find <project> <version>: what the loss does at each learning rate, and which one to take.

import type { Command } from 'commander';

import type { RateCurve } from '../../engine/train/types';
import { trainingOptions, type TrainingFlags } from '../../jobs/training-flags';
import { table } from '../output';
import type { Runtime } from '../runtime';
import { addScratchFlags, scratchStart, type ScratchFlags } from '../scratch';
import { addTrainingFlags, type TrainFlags } from '../training';
import { number } from '../options';

interface Flags extends TrainFlags, ScratchFlags {
  readonly data: string;
  readonly schedule?: TrainingFlags['lrSchedule'];
  readonly seed?: number;
}

/** Rows that a terminal shows of a curve. */
const rows = 25;

const rateText = (rate: number): string => rate.toExponential(1);

function curveLines({ points }: RateCurve): readonly string[] {
  const every = Math.ceil(points.length / rows);
  const shown = points.filter((_, i) => i % every === 0 || i === points.length - 1);
  const highest = Math.max(...shown.map(({ smoothed }) => smoothed));
  return table(
    ['rate', 'loss', ''],
    shown.map(({ learningRate, smoothed }) => [
      rateText(learningRate),
      smoothed.toFixed(4),
      '#'.repeat(Math.round((40 * smoothed) / highest)),
    ]),
    new Set([0, 1]),
  );
}

export function addLrFind(program: Command, runtime: Runtime): void {
  const command = program
    .command('lr-find')
    .argument('<project>', 'a project folder')
    .argument('<version>', 'a version by name or id')
    .requiredOption('--data <name>', 'a data set of the project');
  addTrainingFlags(command, '--schedule');
  addScratchFlags(command)
    .option('--seed <n>', 'seed', number('--seed', { min: 0, integer: true }))
    .description('try learning rates from far too low to far too high, and suggest one')
    .addHelpText(
      'after',
      '\nTakes the flags of train, so that it tries what will be trained; nothing is kept.' +
        '\nExample: secateur lr-find ./demo slim --data fashion',
    )
    .action((folder: string, name: string, flags: Flags) =>
      runtime.withProject(folder, async (project) => {
        const version = await project.findVersion(name);
        const data = await project.findDataset(flags.data);
        const teacher = flags.teacher ? await project.findVersion(flags.teacher) : null;
        const start = scratchStart(flags);
        const options = trainingOptions(
          {
            purpose: start ? 'full' : 'fine-tune',
            task: data.task,
            hasTeacher: teacher !== null,
          },
          1,
          { ...flags, lrSchedule: flags.schedule },
        );
        const curve = await runtime.ask('findRate', {
          file: (await project.versionSource(version.id)).file,
          teacherFile: teacher && (await project.versionSource(teacher.id)).file,
          data: await project.datasetSource(data.id),
          options,
          init: start ?? 'weights',
        });
        const { steepest, lowest, suggestion } = curve;
        runtime.output.result({ version: version.name, data: data.name, ...curve }, [
          ...curveLines(curve),
          '',
          `lowest at ${rateText(lowest)}${steepest === null ? '' : `, falls fastest at ${rateText(steepest)}`}` +
            `; take --lr ${rateText(suggestion)}`,
        ]);
      }),
    );
}
