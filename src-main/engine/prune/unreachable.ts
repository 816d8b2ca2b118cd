// Says of a target that cannot be reached how far one can go, and which layers hold most of what is left.

import { AppError } from '../errors';
import type { Budget } from './select';
import type { LayerReport } from './types';

const figureNames = { macs: 'MACs', params: 'parameters', weightBytes: 'bytes' } as const;

/** @param reached the figure at the furthest cut, of which `layers` are the reports */
export function budgetUnreachable(
  { figure, limit, before }: Budget,
  reached: number,
  layers: readonly LayerReport[],
): AppError {
  return unreachable(
    {
      figure,
      limit,
      reached,
      before,
      write: (value) => Math.round(value).toLocaleString('en'),
      unit: figureNames[figure],
    },
    layers,
  );
}

/** The same for latency in milliseconds; `before` is the model that the share is of. */
export function latencyUnreachable(
  { limit, reached, before }: Pick<Missed, 'limit' | 'reached' | 'before'>,
  layers: readonly LayerReport[],
): AppError {
  const write = (value: number): string => value.toFixed(2);
  return unreachable({ figure: 'latency', limit, reached, before, write, unit: 'ms' }, layers);
}

interface Missed {
  readonly figure: 'macs' | 'params' | 'weightBytes' | 'latency';
  readonly limit: number;
  readonly reached: number;
  readonly before: number;
  readonly write: (value: number) => string;
  readonly unit: string;
}

function unreachable(
  { figure, limit, reached, before, write, unit }: Missed,
  layers: readonly LayerReport[],
): AppError {
  const byMacs = figure === 'macs' || figure === 'latency';
  const left = (layer: LayerReport): number => (byMacs ? layer.macsTo : layer.paramsTo);
  const largest = [...layers].sort((a, b) => left(b) - left(a)).slice(0, 3);
  const percent = (value: number): string => `${((100 * value) / before).toFixed(1)} %`;
  const holders = largest.map((layer) => `"${layer.name}" (${layer.reason.replace(/\.$/, '')})`);
  return new AppError(
    'PRUNE_TARGET_UNREACHABLE',
    `The model can go down to ${write(reached)} ${unit} (${percent(reached)} of ${write(before)}), ` +
      `not to ${write(limit)} (${percent(limit)}). Most of what is left is in ${holders.join(', ')}.`,
    'Ask for less, or give more room: a larger maximum ratio, fewer minimum channels, a smaller multiple, ' +
      'fewer protected layers.',
    { details: { figure, limit, reachable: reached, layers: largest.map(({ name }) => name) } },
  );
}
