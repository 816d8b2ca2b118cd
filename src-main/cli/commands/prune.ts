// prune <project> <version>: plan, cut, prove; recover when a data set and epochs are given.

import { readFile } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import { z } from 'zod';

import { AppError, toAppError } from '../../engine/errors';
import type { StoredPrecision } from '../../engine/graph/cost';
import type { GroupedMode } from '../../engine/graph/ops/types';
import { defaultImages, defaultPruneOptions, isMeasured } from '../../engine/prune';
import type { PruneSchedule } from '../../engine/prune';
import type {
  Criterion,
  GroupReduction,
  Normalisation,
  PruneOptions,
  Scope,
  TrunkMode,
} from '../../engine/prune/types';
import type { LayerReport } from '../../engine/prune/types';
import { sparsifyOptions, trainingOptions, type TrainingFlags } from '../../jobs/training-flags';
import {
  formatBytes,
  formatCount,
  formatDelta,
  formatDifference,
  formatFigure,
  versionJson,
} from '../format';
import { bytes, choice, latency, layerShares, list, number, share } from '../options';
import { noteOtherName, table } from '../output';
import type { Runtime } from '../runtime';
import { recoveryJson, recoveryOf } from '../recovery';
import { addControlFlags, controlsOf, type ControlFlags } from '../scratch';
import { addTrainingFlags, type TrainFlags } from '../training';

/** Criteria that read the weights alone. */
export const criteria = [
  'l1',
  'l2',
  'bn',
  'fpgm',
  'lamp',
  'random',
] as const satisfies readonly Criterion[];

const methods = [
  ...criteria,
  'taylor',
  'activation',
  'apoz',
] as const satisfies readonly Criterion[];

const precisions = ['fp32', 'fp16', 'int8'] as const satisfies readonly StoredPrecision[];

const schedules = ['linear', 'cubic'] as const satisfies readonly PruneSchedule[];

const trunkModes = ['group', 'select'] as const satisfies readonly TrunkMode[];

const groupedModes = ['slots', 'groups'] as const satisfies readonly GroupedMode[];

const reductions = ['mean', 'sum', 'max', 'first'] as const satisfies readonly GroupReduction[];

const normalisations = [
  'none',
  'mean',
  'max',
  'standardise',
] as const satisfies readonly Normalisation[];

/** The choices that the structure of a model leaves, as far as they were made. */
export interface StructureAsked {
  readonly trunk?: TrunkMode;
  readonly grouped?: GroupedMode;
}

interface PruneFlags extends TrainFlags, ControlFlags, StructureAsked {
  readonly method: Criterion;
  readonly ratio?: number;
  readonly macs?: number;
  readonly params?: number;
  readonly bytes?: number;
  readonly precision?: StoredPrecision;
  readonly latency?: { readonly latency: number } | { readonly latencyMs: number };
  readonly table?: string;
  readonly scope?: Scope;
  readonly reduction?: GroupReduction;
  readonly normalisation?: Normalisation;
  readonly align?: number;
  readonly minChannels?: number;
  readonly maxRatio?: number;
  readonly ceilings?: Readonly<Record<string, number>>;
  readonly protect?: readonly string[];
  readonly steps: number;
  readonly schedule?: PruneSchedule;
  readonly images?: number;
  readonly data?: string;
  readonly sparsify?: number;
  readonly recalibrate?: boolean;
  readonly epochs?: number;
  readonly lrSchedule?: TrainingFlags['lrSchedule'];
  readonly measure?: boolean;
  readonly seed?: number;
  readonly name?: string;
}

/** The choices that the structure of a model leaves. */
export const structureFlags = {
  trunk: new Option(
    '--trunk <how>',
    'of channels that several layers read: group (default) cuts them everywhere, select lets each batch norm pick its own',
  ).argParser(choice('--trunk', trunkModes)),
  grouped: new Option(
    '--grouped <how>',
    'of grouped convolutions: slots (default) cuts the same places of each group, groups whole groups',
  ).argParser(choice('--grouped', groupedModes)),
} as const;

export function structureAsked({ trunk, grouped }: StructureAsked): StructureAsked {
  return {
    ...(trunk === undefined ? {} : { trunk }),
    ...(grouped === undefined ? {} : { grouped }),
  };
}

async function pruneOptions(flags: PruneFlags): Promise<PruneOptions> {
  const { ratio, macs, params } = flags;
  const target = {
    ...(ratio === undefined ? {} : { ratio }),
    ...(macs === undefined ? {} : { macs }),
    ...(params === undefined ? {} : { params }),
    ...(flags.bytes === undefined ? {} : { bytes: flags.bytes }),
    ...(flags.precision === undefined ? {} : { precision: flags.precision }),
    ...flags.latency,
  };
  if (Object.keys(target).length === 0 && flags.table === undefined) {
    throw new AppError(
      'INVALID_ARGUMENT',
      'No target was given.',
      'Say how far to go: --macs 0.5 (at most half the MACs), --params, --ratio, --bytes, --latency or --table.',
    );
  }
  if (isMeasured(flags.method) && flags.data === undefined) {
    throw new AppError(
      'INVALID_ARGUMENT',
      `--method ${flags.method} ranks channels by what they do on images, and no data set is named.`,
      `Name one with --data, or choose a method that reads the weights alone: ${criteria.join(', ')}.`,
      { details: { criterion: flags.method } },
    );
  }
  return {
    ...defaultPruneOptions,
    criterion: flags.method,
    ...(flags.images === undefined ? {} : { images: flags.images }),
    target,
    ...(flags.table === undefined ? {} : { table: await readTable(flags.table) }),
    ...(flags.scope === undefined ? {} : { scope: flags.scope }),
    ...(flags.reduction === undefined ? {} : { reduction: flags.reduction }),
    ...(flags.normalisation === undefined ? {} : { normalisation: flags.normalisation }),
    ...(flags.align === undefined ? {} : { align: flags.align }),
    ...(flags.minChannels === undefined ? {} : { minChannels: flags.minChannels }),
    ...(flags.maxRatio === undefined ? {} : { maxRatio: flags.maxRatio }),
    ...(flags.ceilings === undefined ? {} : { ceilings: flags.ceilings }),
    ...(flags.protect === undefined ? {} : { protect: flags.protect }),
    ...structureAsked(flags),
    ...(flags.seed === undefined ? {} : { seed: flags.seed }),
  };
}

const tableSchema = z.record(z.string(), z.number().min(0));

/** @throws AppError FILE_UNREADABLE, INVALID_ARGUMENT when it is no object of numbers */
async function readTable(path: string): Promise<Readonly<Record<string, number>>> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw toAppError(error);
  });
  try {
    return tableSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new AppError(
      'INVALID_ARGUMENT',
      `${path} is not a table of layers.`,
      'Write a JSON object: {"conv1": 0.5, "conv2": 24} cuts half of conv1 and leaves 24 channels in conv2.',
      { cause },
    );
  }
}

function layerLines(layers: readonly LayerReport[]): readonly string[] {
  return table(
    ['layer', 'from', 'to', 'why'],
    layers.map((layer) => [layer.name, String(layer.from), String(layer.to), layer.reason]),
    new Set([1, 2]),
  );
}

export function addPrune(program: Command, runtime: Runtime): void {
  const command = program
    .command('prune')
    .argument('<project>', 'a project folder')
    .argument('<version>', 'a version by name or id')
    .requiredOption('--method <name>', methods.join(', '), choice('--method', methods))
    .option(
      '--images <n>',
      `images that taylor, activation and apoz look at (default: ${defaultImages})`,
      number('--images', { min: 1, integer: true }),
    )
    .option('--ratio <r>', 'cut this share of the channels', number('--ratio', { min: 0, max: 1 }))
    .option('--macs <r>', 'at most this share of the MACs', share('--macs'))
    .option('--params <r>', 'at most this share of the parameters', share('--params'))
    .option('--bytes <n>', 'at most this many bytes of weights (500000, 500k)', bytes('--bytes'))
    .option(
      '--precision <p>',
      'of the bytes: fp32 (default), fp16 or int8',
      choice('--precision', precisions),
    )
    .option(
      '--latency <r|ms>',
      "at most this share of the original's latency, or milliseconds (0.6, 1.5ms): measured on LiteRT",
      latency('--latency'),
    )
    .option('--table <file>', 'JSON: by layer, the share to cut or (from 1) the channels to keep')
    .option(
      '--scope <scope>',
      'rank channels over all layers (global), within each (layer), or by the map of sensitivity',
      choice('--scope', ['global', 'layer', 'sensitivity'] as const),
    )
    .option(
      '--reduction <how>',
      'of the scores of layers that are cut together: mean, sum, max or first',
      choice('--reduction', reductions),
    )
    .option(
      '--normalisation <how>',
      'of scores before layers are ranked together: none, mean, max or standardise',
      choice('--normalisation', normalisations),
    )
    .option(
      '--align <n>',
      'keep a multiple of n channels',
      number('--align', { min: 1, integer: true }),
    )
    .option(
      '--min-channels <n>',
      'keep at least n channels',
      number('--min-channels', { min: 1, integer: true }),
    )
    .option(
      '--max-ratio <r>',
      'cut at most this share of one group',
      number('--max-ratio', { min: 0, max: 1 }),
    )
    .option(
      '--ceilings <a=r,b=r>',
      'cut at most this share of single layers',
      layerShares('--ceilings'),
    )
    .option('--protect <a,b>', 'layers whose channels stay', list)
    .addOption(structureFlags.trunk)
    .addOption(structureFlags.grouped)
    .option(
      '--steps <n>',
      'reach the target in n steps',
      number('--steps', { min: 1, integer: true }),
      1,
    )
    .option(
      '--schedule <name>',
      'how far each of several steps goes: linear (default) or cubic',
      choice('--schedule', schedules),
    )
    .option(
      '--data <name>',
      'rank (where the method asks for it), evaluate and recover on this data set',
    )
    .option(
      '--sparsify <n>',
      'before each cut, train for n epochs with the L1 penalty on gamma of --sparsity (1e-4)',
      number('--sparsify', { min: 1, max: 10_000, integer: true }),
    )
    .option('--recalibrate', 'recompute batch norm statistics after the cut')
    .option(
      '--epochs <n>',
      'fine-tune for n epochs after each step',
      number('--epochs', { min: 1, integer: true }),
    );
  addTrainingFlags(command, '--lr-schedule');
  addControlFlags(command)
    .option('--measure', 'measure latency of the result')
    .option('--seed <n>', 'seed', number('--seed', { min: 0, integer: true }))
    .option('--name <name>', 'name of the cut version; -recalibrated, -tuned follow it')
    .description('cut channels and prove that nothing else changed')
    .addHelpText(
      'after',
      '\nExamples: secateur prune ./demo fashion-resnet --method l1 --macs 0.5 --data fashion' +
        '\n          secateur prune ./demo fashion-resnet --method bn --ratio 0.4 --data fashion' +
        ' --sparsify 10 --sparsity 0.01 --epochs 3',
    )
    .action((folder: string, versionName: string, flags: PruneFlags) =>
      runtime.withProject(folder, async (project) => {
        const version = await project.findVersion(versionName);
        const data = flags.data === undefined ? null : await project.findDataset(flags.data);
        const options = await pruneOptions(flags);
        const teacher = flags.teacher && (await project.findVersion(flags.teacher)).id;
        const controls = await controlsOf(project, version, flags);
        // The penalty belongs to the training before the cut where there is one.
        const tuning = flags.sparsify === undefined ? flags : { ...flags, sparsity: undefined };
        const task = data?.task ?? 'classes';
        const hasTeacher = teacher !== undefined;
        const job = await runtime.run(project, {
          kind: 'prune',
          version: version.id,
          options,
          steps: flags.steps,
          ...(flags.schedule === undefined ? {} : { schedule: flags.schedule }),
          ...(flags.sparsify === undefined
            ? {}
            : { sparsify: sparsifyOptions(task, flags.sparsify, flags) }),
          data: data?.id ?? null,
          recalibrate: flags.recalibrate ?? false,
          fineTune:
            flags.epochs === undefined
              ? null
              : trainingOptions({ purpose: 'fine-tune', task, hasTeacher }, flags.epochs, tuning),
          ...(teacher === undefined ? {} : { teacher }),
          ...(controls === undefined ? {} : { controls }),
          measure: flags.measure ?? false,
          name: flags.name ?? null,
        });
        const made = await Promise.all(job.versions.map((id) => project.findVersion(id)));
        const cuts = made.filter(({ operation }) => operation === 'prune');
        const lastCut = cuts.at(-1);
        const last = made.at(-1);
        if (!lastCut || !last) return;
        noteOtherName(runtime.output, flags.name, lastCut);
        const layers = (await project.versionRow(lastCut.id)).layerReports ?? [];
        const recovery = await recoveryOf(project, lastCut.id);
        runtime.output.result(
          {
            ...versionJson(last),
            versions: made.map(versionJson),
            recovery: recovery && recoveryJson(recovery, await project.state()),
            equivalence: lastCut.equivalence,
            layers: layers.map(({ name, from, to, code, reason, cause }) => ({
              name,
              from,
              to,
              code,
              reason,
              cause,
            })),
          },
          [
            ...layerLines(layers),
            '',
            `${last.name}: ${formatCount(last.macs)} MACs ` +
              `(${formatDelta(last.macs, version.macs)}), ${formatBytes(last.bytes)} ` +
              `(${formatDelta(last.bytes, version.bytes)})`,
            `cut against masked original: at most ` +
              `${formatDifference(lastCut.equivalence?.maxAbsDiff ?? NaN)} apart`,
            ...made.flatMap(({ name, accuracy }) =>
              accuracy ? [`${name}: ${formatFigure(accuracy)} on ${accuracy.dataName}`] : [],
            ),
            ...(recovery?.verdict ? ['', recovery.verdict.text] : []),
          ],
        );
      }),
    );
}
