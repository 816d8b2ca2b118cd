// prune <project> <version>: plan, cut, prove; recover when a data set and epochs are given.

import type { Command } from 'commander';

import { AppError } from '../../engine/errors';
import { defaultPruneOptions } from '../../engine/prune';
import type { Criterion, PruneOptions, Scope } from '../../engine/prune/types';
import { fineTuneDefaults } from '../../engine/train/defaults';
import type { LayerReport } from '../../engine/prune/types';
import { formatBytes, formatCount, formatDelta, formatPercent, versionJson } from '../format';
import { bytes, choice, list, number, share } from '../options';
import { table } from '../output';
import type { Runtime } from '../runtime';

const criteria = [
  'l1',
  'l2',
  'bn',
  'fpgm',
  'lamp',
  'random',
] as const satisfies readonly Criterion[];

interface PruneFlags {
  readonly method: Criterion;
  readonly ratio?: number;
  readonly macs?: number;
  readonly params?: number;
  readonly bytes?: number;
  readonly scope?: Scope;
  readonly align?: number;
  readonly minChannels?: number;
  readonly maxRatio?: number;
  readonly protect?: readonly string[];
  readonly steps: number;
  readonly data?: string;
  readonly recalibrate?: boolean;
  readonly epochs?: number;
  readonly measure?: boolean;
  readonly seed?: number;
  readonly name?: string;
}

function pruneOptions(flags: PruneFlags): PruneOptions {
  const { ratio, macs, params } = flags;
  const target = {
    ...(ratio === undefined ? {} : { ratio }),
    ...(macs === undefined ? {} : { macs }),
    ...(params === undefined ? {} : { params }),
    ...(flags.bytes === undefined ? {} : { bytes: flags.bytes }),
  };
  if (Object.keys(target).length === 0) {
    throw new AppError(
      'INVALID_ARGUMENT',
      'No target was given.',
      'Say how far to go: --macs 0.5 (at most half the MACs), --params, --ratio or --bytes.',
    );
  }
  return {
    ...defaultPruneOptions,
    criterion: flags.method,
    target,
    ...(flags.scope === undefined ? {} : { scope: flags.scope }),
    ...(flags.align === undefined ? {} : { align: flags.align }),
    ...(flags.minChannels === undefined ? {} : { minChannels: flags.minChannels }),
    ...(flags.maxRatio === undefined ? {} : { maxRatio: flags.maxRatio }),
    ...(flags.protect === undefined ? {} : { protect: flags.protect }),
    ...(flags.seed === undefined ? {} : { seed: flags.seed }),
  };
}

function layerLines(layers: readonly LayerReport[]): readonly string[] {
  return table(
    ['layer', 'from', 'to', 'why'],
    layers.map((layer) => [layer.name, String(layer.from), String(layer.to), layer.reason]),
    new Set([1, 2]),
  );
}

export function addPrune(program: Command, runtime: Runtime): void {
  program
    .command('prune')
    .argument('<project>', 'a project folder')
    .argument('<version>', 'a version by name or id')
    .requiredOption('--method <name>', criteria.join(', '), choice('--method', criteria))
    .option('--ratio <r>', 'cut this share of the channels', number('--ratio', { min: 0, max: 1 }))
    .option('--macs <r>', 'at most this share of the MACs', share('--macs'))
    .option('--params <r>', 'at most this share of the parameters', share('--params'))
    .option('--bytes <n>', 'at most this many bytes of weights (500000, 500k)', bytes('--bytes'))
    .option(
      '--scope <scope>',
      'rank channels over all layers or within each',
      choice('--scope', ['global', 'layer'] as const),
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
    .option('--protect <a,b>', 'layers whose channels stay', list)
    .option(
      '--steps <n>',
      'reach the target in n steps',
      number('--steps', { min: 1, integer: true }),
      1,
    )
    .option('--data <name>', 'evaluate (and recover) on this data set')
    .option('--recalibrate', 'recompute batch norm statistics after the cut')
    .option(
      '--epochs <n>',
      'fine-tune after each step',
      number('--epochs', { min: 1, integer: true }),
    )
    .option('--measure', 'measure latency of the result')
    .option('--seed <n>', 'seed', number('--seed', { min: 0, integer: true }))
    .option('--name <name>', 'name of the result')
    .description('cut channels and prove that nothing else changed')
    .addHelpText(
      'after',
      '\nExample: secateur prune ./demo fashion-resnet --method l1 --macs 0.5 --data fashion',
    )
    .action((folder: string, versionName: string, flags: PruneFlags) =>
      runtime.withProject(folder, async (project) => {
        const version = await project.findVersion(versionName);
        const data = flags.data === undefined ? null : await project.findDataset(flags.data);
        const options = pruneOptions(flags);
        const job = await runtime.run(project, {
          kind: 'prune',
          version: version.id,
          options,
          steps: flags.steps,
          data: data?.id ?? null,
          recalibrate: flags.recalibrate ?? false,
          fineTune:
            flags.epochs === undefined
              ? null
              : {
                  ...fineTuneDefaults(flags.epochs),
                  ...(flags.seed === undefined ? {} : { seed: flags.seed }),
                },
          measure: flags.measure ?? false,
          name: flags.name ?? null,
        });
        const made = await Promise.all(job.versions.map((id) => project.findVersion(id)));
        const cuts = made.filter(({ operation }) => operation === 'prune');
        const lastCut = cuts.at(-1);
        const last = made.at(-1);
        if (!lastCut || !last) return;
        const layers = (await project.versionRow(lastCut.id)).layerReports ?? [];
        runtime.output.result(
          {
            ...versionJson(last),
            versions: made.map(versionJson),
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
              `${lastCut.equivalence?.maxAbsDiff.toExponential(1) ?? '?'} apart`,
            ...made.flatMap(({ name, accuracy }) =>
              accuracy ? [`${name}: ${formatPercent(accuracy.top1)} on ${accuracy.dataName}`] : [],
            ),
          ],
        );
      }),
    );
}
