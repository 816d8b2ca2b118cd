// export <project> <version>: files that a device runs, verified by their real runtime.

import { resolve } from 'node:path';
import type { Command } from 'commander';

import { formatEntry, formats } from '../../engine/formats/catalogue';
import { needsImages } from '../../engine/formats/precisions';
import type { Precision, WriteFormat } from '../../engine/formats/types';
import type { Verification } from '../../engine/measure/types';
import { calibrationMethods, type QuantizationReport } from '../../engine/quantize/types';
import { quantizeDefaults } from '../../jobs/quantize-defaults';
import type { QuantizeChoices } from '../../jobs/types';
import { formatBytes, formatDecibels, formatDifference, formatPercent } from '../format';
import { choice, list } from '../options';
import { table } from '../output';
import type { Runtime } from '../runtime';

interface ExportFlags {
  readonly format: WriteFormat;
  readonly precision: Precision;
  readonly data?: string;
  readonly calibration?: QuantizeChoices['method'];
  readonly io?: QuantizeChoices['io'];
  readonly keepFloat?: readonly string[];
  readonly out?: string;
}

/** Layers that are printed; JSON has all of them. */
const printedLayers = 10;

export function addExport(program: Command, runtime: Runtime): void {
  const precisions = [...new Set(formats.flatMap((format) => formatEntry(format).precisions))];
  const methods = ['auto', ...calibrationMethods] as const;
  const ports = ['int8', 'float'] as const;
  program
    .command('export')
    .argument('<project>', 'a project folder')
    .argument('<version>', 'a version by name or id')
    .requiredOption('--format <format>', formats.join(', '), choice('--format', formats))
    .option(
      '--precision <precision>',
      `number format: ${precisions.join(', ')}, as far as the format has them`,
      choice('--precision', precisions),
      'fp32',
    )
    .option('--data <name>', 'verify on images of this data set; int8 is calibrated on it, too')
    .option(
      '--calibration <method>',
      `how int8 finds ranges: ${methods.join(', ')} (the best of the others on images)`,
      choice('--calibration', methods),
    )
    .option(
      '--io <numbers>',
      'inputs and outputs of an int8 model: int8, float',
      choice('--io', ports),
    )
    .option('--keep-float <a,b,..>', 'layers of an int8 model that stay float', list)
    .option('--out <dir>', "a new or empty folder; the project's exports folder by default")
    .description('write files and prove them with the real runtime')
    .action((folder: string, name: string, flags: ExportFlags) =>
      runtime.withProject(folder, async (project) => {
        const version = await project.findVersion(name);
        const data = flags.data === undefined ? null : await project.findDataset(flags.data);
        const isInt8 = flags.precision === 'int8';
        if (isInt8 && data === null) throw needsImages();
        const job = await runtime.run(project, {
          kind: 'export',
          version: version.id,
          format: flags.format,
          precision: flags.precision,
          data: data?.id ?? null,
          ...(isInt8 ? { quantize: choicesOf(flags) } : {}),
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
            ...(verification ? verificationLines(verification) : []),
          ],
        );
      }),
    );
}

function choicesOf({ calibration, io, keepFloat }: ExportFlags): QuantizeChoices {
  const base = quantizeDefaults;
  return {
    method: calibration ?? base.method,
    io: io ?? base.io,
    keepFloat: keepFloat ?? base.keepFloat,
  };
}

function verificationLines(verification: Verification): readonly string[] {
  const { accuracy, cosine, tolerance, top1Agreement } = verification;
  return [
    `${verification.runtime} on ${verification.samples} samples: at most ` +
      `${formatDifference(verification.maxAbsDiff)} apart` +
      (top1Agreement === null ? '' : `, ${formatPercent(top1Agreement)} agree on the class`),
    ...(tolerance === null
      ? [
          `mean difference ${formatDifference(verification.meanAbsDiff)}, cosine ${(cosine ?? 1).toFixed(5)}` +
            (accuracy
              ? `, top-1 ${formatPercent(accuracy.file)} (version ${formatPercent(accuracy.version)})`
              : ''),
        ]
      : []),
    ...(verification.quantization ? quantizationLines(verification.quantization) : []),
  ];
}

function quantizationLines(report: QuantizationReport): readonly string[] {
  const { trials, layers, floatLayers } = report;
  const tried = trials.map(({ method, decibels }) => `${method} ${formatDecibels(decibels)}`);
  const outputs = tried.length > 0 ? ` (outputs: ${tried.join(', ')})` : '';
  return [
    `calibrated on ${report.images} images by ${report.method}${outputs}`,
    '',
    ...table(
      ['layers with most noise', 'operator', 'signal to noise'],
      layers
        .slice(0, printedLayers)
        .map(({ layer, operator, decibels }) => [layer, operator, formatDecibels(decibels)]),
      new Set([2]),
    ),
    ...floatLayers.map(({ layer, reason }) => `float: ${layer} (${reason})`),
  ];
}
