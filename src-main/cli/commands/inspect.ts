// inspect <model>: what a file holds, without a project.

import { resolve } from 'node:path';
import type { Command } from 'commander';

import type { QuantizedTensor } from '../../engine/formats/types';
import { formatCount } from '../format';
import { table } from '../output';
import type { Runtime } from '../runtime';

export function addInspect(program: Command, runtime: Runtime): void {
  program
    .command('inspect')
    .argument('<model>', 'a model file, or the folder of a model.json')
    .description('format, layers, parameters, MACs, groups, and which layers are frozen and why')
    .action(async (model: string) => {
      const found = await runtime.ask('inspect', { path: resolve(model) });
      runtime.output.result(
        {
          format: found.format,
          name: found.modelName,
          inputShape: found.inputShape,
          classes: found.classes,
          params: found.cost.params,
          macs: found.cost.macs,
          layers: found.layers,
          groups: found.groups,
          frozen: found.frozen,
          quantized: found.quantized,
          notes: found.notes,
        },
        [
          `${found.modelName} (${found.format}), input ${found.inputShape.join(' x ')}, ` +
            `${found.classes} classes`,
          `${formatCount(found.cost.params)} parameters, ${formatCount(found.cost.macs)} MACs ` +
            '(multiply-accumulates of conv and dense)',
          `${found.groups.length} groups of channels that move together`,
          '',
          ...table(
            ['layer', 'op', 'output', 'params', 'MACs', 'channels'],
            found.layers.map((layer) => [
              layer.name,
              layer.op,
              layer.outputShape.join('x'),
              formatCount(layer.params),
              formatCount(layer.macs),
              layer.frozen ?? (layer.group === null ? '' : `group ${layer.group}`),
            ]),
            new Set([3, 4]),
          ),
          ...(found.quantized ? quantizedLines(found.quantized) : []),
          ...found.notes.map((note) => `note: ${note}`),
        ],
      );
    });
}

/** Tensors of integers and what they stand for: of several scales the smallest and the largest. */
function quantizedLines(tensors: readonly QuantizedTensor[]): readonly string[] {
  const span = (values: readonly number[]): string => {
    const [min, max] = [Math.min(...values), Math.max(...values)];
    return min === max ? plain(min) : `${plain(min)} to ${plain(max)}`;
  };
  return [
    '',
    ...table(
      ['tensor', 'numbers', 'shape', 'scales', 'scale', 'zero point'],
      tensors.map(({ name, type, shape, scales, zeroPoints, axis }) => [
        name,
        type,
        shape.join('x'),
        axis === null ? '1' : `${scales.length} along axis ${axis}`,
        span(scales),
        span(zeroPoints),
      ]),
      new Set<number>(),
    ),
    'Read-only: a model of integers is shown, not imported.',
  ];
}

const plain = (value: number): string => String(Number(value.toPrecision(4)));
