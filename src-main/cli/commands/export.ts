// export <project> <version>: files that a device runs, verified by their real runtime.

import { resolve } from 'node:path';
import type { Command } from 'commander';

import type { WriteFormat } from '../../engine/formats/types';
import { writers } from '../../engine/formats/table';
import { formatBytes, formatDifference, formatPercent } from '../format';
import { choice } from '../options';
import type { Runtime } from '../runtime';

interface ExportFlags {
  readonly format: WriteFormat;
  readonly precision: 'fp32';
  readonly data?: string;
  readonly out?: string;
}

export function addExport(program: Command, runtime: Runtime): void {
  const formats = writers.map(({ format }) => format);
  program
    .command('export')
    .argument('<project>', 'a project folder')
    .argument('<version>', 'a version by name or id')
    .requiredOption('--format <format>', formats.join(', '), choice('--format', formats))
    .option(
      '--precision <precision>',
      'number format of the weights',
      choice('--precision', ['fp32'] as const),
      'fp32',
    )
    .option('--data <name>', 'verify on images of this data set')
    .option('--out <dir>', "a new or empty folder; the project's exports folder by default")
    .description('write files and prove them with the real runtime')
    .action((folder: string, name: string, flags: ExportFlags) =>
      runtime.withProject(folder, async (project) => {
        const version = await project.findVersion(name);
        const data = flags.data === undefined ? null : await project.findDataset(flags.data);
        const job = await runtime.run(project, {
          kind: 'export',
          version: version.id,
          format: flags.format,
          precision: flags.precision,
          data: data?.id ?? null,
          folder: flags.out === undefined ? null : resolve(flags.out),
        });
        const made = (await project.exports(version.id)).find(({ id }) => id === job.exports[0]);
        if (!made) return;
        const { verification } = made;
        runtime.output.result(
          {
            version: version.name,
            format: made.format,
            precision: made.precision,
            folder: made.folder,
            files: made.files,
            verification,
          },
          [
            `${made.folder}`,
            ...made.files.map((file) => `  ${file.path}  ${formatBytes(file.bytes)}`),
            ...(verification
              ? [
                  `${verification.runtime} on ${verification.samples} samples: at most ` +
                    `${formatDifference(verification.maxAbsDiff)} apart, ` +
                    `${formatPercent(verification.top1Agreement)} agree on the class`,
                ]
              : []),
          ],
        );
      }),
    );
}
