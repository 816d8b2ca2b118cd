// Commands on a project as a whole: create, list, data add, import, sample.

import { resolve } from 'node:path';
import type { Command } from 'commander';

import { defaultDecodeOptions } from '../../engine/data/defaults';
import { targetCount } from '../../engine/data/target-count';
import type { DecodeOptions } from '../../engine/data/types';
import type { DatasetRecord } from '../../project/types';
import { quote } from '../../jobs/command-line';
import { createSampleProject, sampleNames } from '../../jobs/sample';
import { sampleFolder } from '../../resources';
import { formatBytes, formatCount, formatMs, formatFigure, versionJson } from '../format';
import { choice, list, number } from '../options';
import { noteOtherName, table } from '../output';
import {
  addPreprocessingOptions,
  preprocessingOf,
  type PreprocessingFlags,
} from '../preprocessing';
import type { Runtime } from '../runtime';
import { kindNames } from './manage';

const fraction = (option: string): ((text: string) => number) =>
  number(option, { min: 0, max: 0.9 });

function datasetJson(dataset: DatasetRecord): object {
  const { id, name, format, task, classes, height, width, channels, counts, notes } = dataset;
  return { id, name, format, task, classes, height, width, channels, counts, notes };
}

function datasetLine(dataset: DatasetRecord): string {
  const { train, val, test } = dataset.counts;
  return (
    `${dataset.name}: ${train} training, ${val} validation, ${test} test images of ` +
    `${dataset.height} x ${dataset.width} x ${dataset.channels}, ${targetCount(dataset)}`
  );
}

export function addCreate(program: Command, runtime: Runtime): void {
  program
    .command('create')
    .argument('<project>', 'a new folder')
    .option('--name <name>', 'name of the project; the folder name by default')
    .description('make an empty project folder')
    .action((target: string, options: { name?: string }) =>
      runtime.withNewProject(target, options.name, ({ name, folder }) => {
        runtime.output.result({ name, folder }, [`Created ${name} in ${folder}`]);
        return Promise.resolve();
      }),
    );
}

export function addList(program: Command, runtime: Runtime): void {
  program
    .command('list')
    .argument('<project>', 'a project folder')
    .description('versions, data sets and jobs')
    .action((folder: string) =>
      runtime.withProject(folder, async (project) => {
        const state = await project.state();
        runtime.output.result(
          {
            name: state.name,
            baseline: state.baseline,
            versions: state.versions.map(versionJson),
            datasets: state.datasets.map(datasetJson),
            jobs: state.jobs.map(({ id, title, state: jobState, versions, error }) => ({
              id,
              title,
              state: jobState,
              versions,
              error,
            })),
            trash: state.trash,
          },
          [
            `${state.name}`,
            ...table(
              ['id', 'version', 'operation', 'size', 'latency', 'accuracy', 'MACs'],
              state.versions.map((version) => [
                version.id,
                version.name,
                version.operation,
                formatBytes(version.bytes),
                version.latency[0] ? formatMs(version.latency[0].medianMs) : '-',
                version.accuracy ? formatFigure(version.accuracy) : '-',
                formatCount(version.macs),
              ]),
              new Set([3, 4, 5, 6]),
            ),
            '',
            ...state.datasets.map(datasetLine),
            ...state.jobs.map((job) => `${job.state}: ${job.title}`),
            ...state.trash.map(({ kind, name }) => `in the trash: ${kindNames[kind]} ${name}`),
          ],
        );
      }),
    );
}

interface DataOptions {
  readonly name?: string;
  readonly size?: readonly string[];
  readonly channels?: '1' | '3';
  readonly fit?: 'cover' | 'fill';
  readonly val?: number;
  readonly test?: number;
  readonly seed?: number;
  readonly skipUnreadable?: boolean;
}

function decodeOptions(options: DataOptions): DecodeOptions {
  const parseSide = number('--size', { min: 1, max: 4096, integer: true });
  const [height, width = height] = (options.size ?? []).map(parseSide);
  return {
    ...defaultDecodeOptions,
    ...(height === undefined || width === undefined ? {} : { size: { height, width } }),
    ...(options.channels === undefined ? {} : { channels: options.channels === '1' ? 1 : 3 }),
    ...(options.fit === undefined ? {} : { fit: options.fit }),
    ...(options.val === undefined ? {} : { valFraction: options.val }),
    ...(options.test === undefined ? {} : { testFraction: options.test }),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    onUnreadable: options.skipUnreadable ? 'skip' : 'error',
  };
}

export function addData(program: Command, runtime: Runtime): void {
  const data = program.command('data').description('data sets of a project');
  data
    .command('add')
    .argument('<project>', 'a project folder')
    .argument(
      '<path>',
      'a folder of images (one sub-folder a class, or with a labels.csv), IDX files, CIFAR or NPZ',
    )
    .option('--name <name>', 'name in the project; the file name by default')
    .option('--size <h,w>', 'bring images to this size', list)
    .option('--channels <1|3>', 'grey or colour', choice('--channels', ['1', '3'] as const))
    .option(
      '--fit <cover|fill>',
      'crop images to the size, or stretch them',
      choice('--fit', ['cover', 'fill'] as const),
    )
    .option('--val <share>', 'share of training images for validation', fraction('--val'))
    .option('--test <share>', 'share of images for testing', fraction('--test'))
    .option('--seed <n>', 'seed of the split', number('--seed', { min: 0, integer: true }))
    .option('--skip-unreadable', 'leave out images that cannot be decoded')
    .description('attach a data set; its format is found by looking')
    .addHelpText(
      'after',
      '\nlabels.csv names an image in its column "file", and, if it likes, train, val or test in "split". The rest is' +
        '\neither one column "labels" (names separated by ; or |), or a column each: labels where all cells are 0 or 1,' +
        '\nvalues otherwise.',
    )
    .action((folder: string, path: string, options: DataOptions) =>
      runtime.withProject(folder, async (project) => {
        const job = await runtime.run(project, {
          kind: 'add-data',
          path: resolve(path),
          name: options.name ?? null,
          decode: decodeOptions(options),
        });
        const added = await project.findDataset(job.datasets[0] ?? '');
        noteOtherName(runtime.output, options.name, added);
        runtime.output.result(datasetJson(added), [
          `Attached ${datasetLine(added)}`,
          ...added.notes.map((note) => `note: ${note}`),
        ]);
      }),
    );
}

interface ImportOptions extends PreprocessingFlags {
  readonly name?: string;
  readonly labels?: readonly string[];
  readonly data?: string;
  readonly reinsertBn?: boolean;
  readonly measure?: boolean;
}

export function addImport(program: Command, runtime: Runtime): void {
  const command = program
    .command('import')
    .argument('<project>', 'a project folder')
    .argument('<model>', 'a model file')
    .option('--name <name>', 'name of the version')
    .option('--labels <a,b,..>', 'class names in output order', list);
  addPreprocessingOptions(command)
    .option('--data <name>', 'evaluate on this data set')
    .option(
      '--reinsert-bn',
      'put batch norms back where a converter has folded them: for sparsity training and Network Slimming',
    )
    .option('--measure', 'measure latency at once')
    .description('bring a model in as a first version')
    .action((folder: string, model: string, options: ImportOptions) =>
      runtime.withProject(folder, async (project) => {
        const data = options.data === undefined ? null : await project.findDataset(options.data);
        const job = await runtime.run(project, {
          kind: 'import',
          path: resolve(model),
          name: options.name ?? null,
          preprocessing: preprocessingOf(options),
          labels: options.labels ?? null,
          data: data?.id ?? null,
          ...(options.reinsertBn ? { reinsertBatchNorms: true } : {}),
          measure: options.measure ?? false,
        });
        const version = await project.findVersion(job.versions[0] ?? '');
        noteOtherName(runtime.output, options.name, version);
        runtime.output.result(versionJson(version), [
          `Imported ${version.name}: ${formatCount(version.params)} parameters, ` +
            `${formatCount(version.macs)} MACs, ${formatBytes(version.bytes)}`,
        ]);
      }),
    );
}

export function addSample(program: Command, runtime: Runtime): void {
  program
    .command('sample')
    .argument('<project>', 'a new folder')
    .description('make a project with the bundled images and model, ready to prune')
    .action((target: string) =>
      runtime.withNewProject(target, sampleNames.project, async (project) => {
        await createSampleProject(sampleFolder(), (request) => runtime.run(project, request));
        const { name, folder, versions, datasets } = await project.state();
        runtime.output.result(
          {
            name,
            folder,
            versions: versions.map(versionJson),
            datasets: datasets.map(datasetJson),
          },
          [
            `Created the sample project in ${folder}`,
            ...datasets.map(datasetLine),
            `Try: secateur prune ${quote(folder)} ${sampleNames.version} --method l1 --macs 0.5`,
          ],
        );
      }),
    );
}
