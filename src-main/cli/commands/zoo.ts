// zoo: built-in architectures, listed or written as a new, initialised model.

import { resolve } from 'node:path';
import type { Command } from 'commander';

import { formatWriter } from '../../engine/formats/table';
import { graphCost } from '../../engine/graph/cost';
import { buildZoo, zooArchitectures, zooCost } from '../../engine/zoo';
import { placeFolder, requireVacant, writeFiles } from '../../jobs/work/new-folder';
import { formatCount } from '../format';
import { list, number } from '../options';
import { table } from '../output';
import type { Runtime } from '../runtime';
import { gammaFlag } from '../scratch';

interface WriteOptions {
  readonly seed: number;
  readonly input?: readonly string[];
  readonly classes?: number;
  readonly gamma?: number;
}

export function addZoo(program: Command, runtime: Runtime): void {
  const zoo = program.command('zoo').description('built-in architectures');

  zoo
    .command('list', { isDefault: true })
    .description('list them')
    .action(() => {
      const rows = zooArchitectures.map((architecture) => ({
        ...architecture,
        ...pick(zooCost(architecture.id)),
      }));
      runtime.output.result({ architectures: rows }, [
        ...table(
          ['id', 'title', 'input', 'params', 'MACs'],
          rows.map((row) => [
            row.id,
            row.title,
            row.inputShape.join('x'),
            formatCount(row.params),
            formatCount(row.macs),
          ]),
          new Set([3, 4]),
        ),
      ]);
    });

  zoo
    .command('write')
    .description('write a new model with random weights as TF.js Layers files')
    .argument('<arch>', 'an id of `zoo list`')
    .argument('<folder>', 'a new or empty folder for model.json and its weights')
    .option('--input <h,w,c>', 'input shape; the usual one by default', list)
    .option(
      '--classes <n>',
      'number of classes, labels or values',
      number('--classes', { min: 1, integer: true }),
    )
    .option(...gammaFlag)
    .option('--seed <n>', 'seed of the weights', number('--seed', { min: 0, integer: true }), 0)
    .action(async (arch: string, target: string, options: WriteOptions) => {
      const side = number('--input', { min: 1, max: 4096, integer: true });
      const model = buildZoo(arch, {
        seed: options.seed,
        ...(options.input === undefined ? {} : { inputShape: options.input.map(side) }),
        ...(options.classes === undefined ? {} : { classes: options.classes }),
        ...(options.gamma === undefined ? {} : { gamma: options.gamma }),
      });
      const writer = formatWriter('tfjs-layers');
      const files = await writer.write(model, { precision: 'fp32', name: arch });
      const folder = resolve(target);
      await requireVacant(folder);
      await placeFolder(folder, (staging) => writeFiles(staging, files));
      const cost = graphCost(model.graph);
      runtime.output.result(
        { architecture: arch, folder, files: files.map((file) => file.path), ...pick(cost) },
        [`${arch} written to ${folder}: ${formatCount(cost.params)} parameters`],
      );
    });
}

function pick({ params, macs }: { params: number; macs: number }): {
  params: number;
  macs: number;
} {
  return { params, macs };
}
