// flips <project> <a> <b>: the images that two versions answer otherwise.

import type { Command } from 'commander';

import type { SplitName } from '../../engine/data/types';
import type { FlipKind } from '../../engine/measure/types';
import type { FlippedImage, FlipPage } from '../../ipc/contract';
import type { DatasetRecord } from '../../project/types';
import { formatPercent } from '../format';
import { choice, number } from '../options';
import { table } from '../output';
import type { Runtime } from '../runtime';

interface Flags {
  readonly data: string;
  readonly split: SplitName;
  readonly kind: FlipKind;
  readonly class?: string;
  readonly count: number;
}

/** The number of a class that is named, or given by number; null for all. */
function labelOf({ classes, name }: DatasetRecord, wanted: string | undefined): number | null {
  if (wanted === undefined) return null;
  const found = classes.indexOf(wanted);
  if (found >= 0) return found;
  return number(`--class of ${name}`, { min: 0, max: classes.length - 1, integer: true })(wanted);
}

function lines(page: FlipPage, data: DatasetRecord, [a, b]: readonly [string, string]): string[] {
  const name = (label: number): string => data.classes[label] ?? String(label);
  const said = ({ label, probability }: FlippedImage['a']): string =>
    `${name(label)} ${formatPercent(probability)}`;
  const { gained, lost, other } = page.counts;
  return [
    ...table(
      ['image', 'class', a, b],
      page.images.map((image) => [
        String(image.index),
        name(image.label),
        said(image.a),
        said(image.b),
      ]),
      new Set([0]),
    ),
    '',
    `From ${a} to ${b}: ${lost} lost, ${gained} gained, ${other} wrong otherwise, of ` +
      `${page.samples} images of ${data.name}.`,
  ];
}

export function addFlips(program: Command, runtime: Runtime): void {
  program
    .command('flips')
    .argument('<project>', 'a project folder')
    .argument('<a>', 'a version by name or id')
    .argument('<b>', 'another one')
    .requiredOption('--data <name>', 'a data set of the project')
    .option(
      '--split <split>',
      'train, val or test',
      choice('--split', ['train', 'val', 'test'] as const),
      'test',
    )
    .option(
      '--kind <kind>',
      'lost (right before), gained (right now) or other (wrong otherwise)',
      choice('--kind', ['lost', 'gained', 'other'] as const),
      'lost',
    )
    .option('--class <name>', 'images of this class alone, by name or number')
    .option(
      '--count <n>',
      'at most this many, the most certain answers of <b> first',
      number('--count', { min: 1, max: 60, integer: true }),
      20,
    )
    .description('images that two versions answer otherwise')
    .action((folder: string, first: string, second: string, flags: Flags) =>
      runtime.withProject(folder, async (project) => {
        const a = await project.findVersion(first);
        const b = await project.findVersion(second);
        const data = await project.findDataset(flags.data);
        const page = await runtime.ask('flips', {
          a: (await project.versionSource(a.id)).file,
          b: (await project.versionSource(b.id)).file,
          data: await project.datasetSource(data.id),
          split: flags.split,
          kind: flags.kind,
          label: labelOf(data, flags.class),
          offset: 0,
          count: flags.count,
        });
        runtime.output.result(
          {
            a: a.name,
            b: b.name,
            data: data.name,
            split: flags.split,
            samples: page.samples,
            counts: page.counts,
            kind: flags.kind,
            total: page.total,
            images: page.images.map(({ image: _, ...rest }) => rest),
          },
          lines(page, data, [a.name, b.name]),
        );
      }),
    );
}
