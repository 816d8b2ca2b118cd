// diff <project> <a> <b>: two versions layer by layer.

import type { Command } from 'commander';

import type { LayerDiff } from '../../engine/graph/diff';
import { formatCount, formatPercent } from '../format';
import { table } from '../output';
import type { Runtime } from '../runtime';

function channelWords({ a, b, channels }: LayerDiff): string {
  if (a === null || b === null) return '';
  if (channels === null) return 'not comparable';
  const { both, onlyA, onlyB } = channels;
  if (onlyA.length + onlyB.length === 0) return 'the same';
  return `${both.length} shared, ${onlyA.length} only in the first, ${onlyB.length} only in the second`;
}

function pair(
  a: number | undefined,
  b: number | undefined,
  format: (value: number) => string = String,
): string {
  if (a === b) return a === undefined ? '' : format(a);
  return `${a === undefined ? '-' : format(a)} -> ${b === undefined ? '-' : format(b)}`;
}

function weightWords(change: number | null): string {
  if (change === null) return '';
  return change === 0 ? 'untouched' : formatPercent(change);
}

export function addDiff(program: Command, runtime: Runtime): void {
  program
    .command('diff')
    .argument('<project>', 'a project folder')
    .argument('<a>', 'a version by name or id')
    .argument('<b>', 'another one')
    .option('--all', 'also layers that are the same in both')
    .description('two versions layer by layer: channels they share, costs, how far weights went')
    .action((folder: string, nameA: string, nameB: string, flags: { all?: boolean }) =>
      runtime.withProject(folder, async (project) => {
        const [a, b] = [await project.findVersion(nameA), await project.findVersion(nameB)];
        const [rowA, rowB] = [await project.versionRow(a.id), await project.versionRow(b.id)];
        const layers = await runtime.ask('diff', { a: rowA.file, b: rowB.file });
        const shown = flags.all ? layers : layers.filter(({ differs }) => differs);
        runtime.output.result({ a: a.name, b: b.name, layers: shown }, [
          `${a.name} and ${b.name}: ${shown.length} of ${layers.length} layers ` +
            `${flags.all ? 'shown' : 'differ'}`,
          ...table(
            ['layer', 'op', 'channels', '', 'params', 'MACs', 'weights'],
            shown.map((layer) => [
              layer.name,
              layer.op,
              pair(layer.a?.channels, layer.b?.channels),
              channelWords(layer),
              pair(layer.a?.params, layer.b?.params, formatCount),
              pair(layer.a?.macs, layer.b?.macs, formatCount),
              weightWords(layer.weightChange),
            ]),
            new Set([4, 5, 6]),
          ),
        ]);
      }),
    );
}
