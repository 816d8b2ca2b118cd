// sensitivity <project> <version>: what each group of channels costs in accuracy at a number of widths.

import type { Command } from 'commander';

import { defaultSensitivityOptions } from '../../engine/prune/sensitivity';
import type { GroupWidths, SensitivityMap } from '../../engine/prune/sensitivity/types';
import type { Criterion } from '../../engine/prune/types';
import { formatPercent } from '../format';
import { choice, number, shares } from '../options';
import { table } from '../output';
import type { Runtime } from '../runtime';
import { criteria, structureAsked, structureFlags, type StructureAsked } from './prune';

interface SensitivityFlags extends StructureAsked {
  readonly data: string;
  readonly criterion: Criterion;
  readonly grid: readonly number[];
  readonly samples: number;
  readonly recalibrate: boolean;
  readonly seed: number;
}

interface CurvePoint {
  readonly kept: number;
  readonly share: number;
  readonly top1: number;
  readonly loss: number;
  /** Of top-1 against the whole network; negative is a gain. */
  readonly drop: number;
}

/** Wide to narrow. */
function curveOf(map: SensitivityMap, { group, channels }: GroupWidths): readonly CurvePoint[] {
  return map.points
    .filter((point) => point.group === group)
    .map(({ kept, top1, loss }) => ({
      kept,
      share: kept / channels,
      top1,
      loss,
      drop: map.baseline.top1 - top1,
    }));
}

/** Percentage points: '-1.20'. */
const points = (drop: number): string => (drop === 0 ? '0.00' : (-100 * drop).toFixed(2));

/** One line a group, one column a share of the grid: the change at the width that is nearest to it. */
function mapLines(map: SensitivityMap): readonly string[] {
  const { grid } = map.options;
  const rows = map.groups.map((group) => {
    const curve = curveOf(map, group);
    const cells = grid.map((share) => {
      const distance = (point: CurvePoint): number => Math.abs(point.share - share);
      const nearest = curve.reduce((best, point) =>
        distance(point) < distance(best) ? point : best,
      );
      return points(nearest.drop);
    });
    return [group.layers.join(' + '), String(group.channels), ...cells];
  });
  const heads = grid.map((share) => `${Number((share * 100).toFixed(1))} %`);
  return table(
    ['layers', 'channels', ...heads],
    rows,
    new Set([1, ...grid.map((_, column) => column + 2)]),
  );
}

export function addSensitivity(program: Command, runtime: Runtime): void {
  const base = defaultSensitivityOptions;
  program
    .command('sensitivity')
    .argument('<project>', 'a project folder')
    .argument('<version>', 'a version by name or id')
    .requiredOption('--data <name>', 'a data set of the project')
    .option('--criterion <name>', criteria.join(', '), choice('--criterion', criteria), 'l1')
    .option('--grid <a,b>', 'shares of channels to keep', shares('--grid'), base.grid)
    .option(
      '--samples <n>',
      'images, evenly spaced over the validation split',
      number('--samples', { min: 1, integer: true }),
      base.samples,
    )
    .option('--no-recalibrate', 'leave batch norm statistics as they are')
    .addOption(structureFlags.trunk)
    .addOption(structureFlags.grouped)
    .option('--seed <n>', 'seed', number('--seed', { min: 0, integer: true }), base.seed)
    .description('accuracy with each group of layers cut alone, for prune --scope sensitivity')
    .addHelpText(
      'after',
      '\nStopped or killed, it goes on where it was when it is called again.' +
        '\nExample: secateur sensitivity ./demo fashion-resnet --data fashion',
    )
    .action((folder: string, name: string, flags: SensitivityFlags) =>
      runtime.withProject(folder, async (project) => {
        const version = await project.findVersion(name);
        const data = await project.findDataset(flags.data);
        const { criterion, grid, samples, recalibrate, seed } = flags;
        const options = {
          criterion,
          grid,
          samples,
          recalibrate,
          ...structureAsked(flags),
          seed,
        };
        await runtime.run(project, {
          kind: 'sensitivity',
          version: version.id,
          data: data.id,
          options,
        });
        const stored = await project.repositories.sensitivity.find(version.id, data.id, options);
        if (!stored) return;
        const { id, map } = stored;
        const { split, baseline } = map;
        runtime.output.result(
          {
            id,
            version: version.name,
            data: data.name,
            split,
            ...map.options,
            samples: map.samples,
            baseline,
            groups: map.groups.map((group) => ({
              group: group.group,
              layers: group.layers,
              channels: group.channels,
              points: curveOf(map, group),
            })),
          },
          [
            ...mapLines(map),
            '',
            `Change of top-1 in points with one group cut alone to a share of its channels, from ` +
              `${formatPercent(baseline.top1)} on ${map.samples} ${split} images of ${data.name}.`,
          ],
        );
      }),
    );
}
