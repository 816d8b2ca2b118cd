// Options of pruning: defaults, checks, and layers found by name.

import { AppError } from '../errors';
import type { Graph, Node } from '../graph/types';
import type {
  Criterion,
  MeasuredCriterion,
  Normalisation,
  PruneOptions,
  PruneTarget,
} from './types';

/** Images that a measured criterion looks at: more change its ranking little. */
export const defaultImages = 512;

/** Whether a criterion ranks by what channels do on images. */
export function isMeasured(criterion: Criterion): criterion is MeasuredCriterion {
  return criterion === 'taylor' || criterion === 'activation' || criterion === 'apoz';
}

/**
 * How scores are made comparable between groups unless one says otherwise. Norms grow with the size of a
 * kernel, so they are divided by the group's mean; gammas, LAMP and random numbers compare as they are, which
 * for gammas is the global percentile of Network Slimming.
 */
export function defaultNormalisation(criterion: Criterion): Normalisation {
  return criterion === 'bn' || criterion === 'lamp' || criterion === 'random' ? 'none' : 'mean';
}

/** Half the MACs by L1 norm, ranked globally, no group below a tenth of its width. */
export const defaultPruneOptions: PruneOptions = {
  criterion: 'l1',
  reduction: 'mean',
  scope: 'global',
  target: { macs: 0.5 },
  align: 1,
  minChannels: 1,
  maxRatio: 0.9,
  protect: [],
  seed: 0,
};

/** @throws AppError INVALID_ARGUMENT naming the option that is out of range. */
export function checkOptions(options: PruneOptions): void {
  const { align, minChannels, maxRatio, target, table, images, ceilings } = options;
  if (!isWhole(align, 1)) throw outOfRange('align', align, 'a whole number of at least 1');
  if (!isWhole(minChannels, 1)) {
    throw outOfRange('minChannels', minChannels, 'a whole number of at least 1');
  }
  if (!(maxRatio >= 0 && maxRatio <= 1)) throw outOfRange('maxRatio', maxRatio, 'from 0 to 1');
  for (const [layer, ceiling] of Object.entries(ceilings ?? {})) {
    if (!(ceiling >= 0 && ceiling <= 1)) {
      throw outOfRange(`ceiling of "${layer}"`, ceiling, 'from 0 to 1');
    }
  }
  if (images !== undefined && !isWhole(images, 1)) {
    throw outOfRange('images', images, 'a whole number of at least 1');
  }
  checkTarget(target, Object.keys(table ?? {}).length > 0);
  for (const [layer, value] of Object.entries(table ?? {})) {
    if (!(value >= 0 && value < 1) && !isWhole(value, 1)) {
      throw outOfRange(
        `table entry of "${layer}"`,
        value,
        'a share to cut below 1, or a whole number of channels to keep',
      );
    }
  }
}

function checkTarget(target: PruneTarget, hasTable: boolean): void {
  const { ratio, macs, params, bytes, precision, latency, latencyMs } = target;
  if (ratio !== undefined && !(ratio >= 0 && ratio <= 1)) {
    throw outOfRange('ratio', ratio, 'from 0 to 1');
  }
  for (const [name, share] of Object.entries({ macs, params, latency })) {
    if (share !== undefined && !(share > 0 && share <= 1)) {
      throw outOfRange(name, share, 'above 0 and at most 1');
    }
  }
  if (bytes !== undefined && !(bytes > 0)) throw outOfRange('bytes', bytes, 'above 0');
  if (latencyMs !== undefined && !(latencyMs > 0)) {
    throw outOfRange('latencyMs', latencyMs, 'above 0');
  }
  if (precision !== undefined && bytes === undefined) {
    throw new AppError(
      'INVALID_ARGUMENT',
      `The precision ${precision} belongs to a limit on bytes, and there is none.`,
      'Give the number of bytes as well, or leave the precision out.',
      { details: { option: 'precision', value: precision } },
    );
  }
  const figures = [ratio, macs, params, bytes, latency, latencyMs];
  const nothing = figures.every((value) => value === undefined);
  if (nothing && !hasTable) {
    throw new AppError(
      'INVALID_ARGUMENT',
      'There is no pruning target.',
      'Give a ratio, a share of MACs, parameters or latency, a number of bytes, or a table of layers.',
    );
  }
}

function isWhole(value: number, least: number): boolean {
  return Number.isInteger(value) && value >= least;
}

function outOfRange(option: string, value: number, range: string): AppError {
  return new AppError('INVALID_ARGUMENT', `The ${option} is ${value}.`, `It must be ${range}.`, {
    details: { option, value },
  });
}

/**
 * The node of a name.
 * @throws AppError NOT_FOUND with the names that come nearest.
 */
export function findLayer(graph: Graph, name: string): Node {
  const node = graph.nodes.find((candidate) => candidate.name === name);
  if (node !== undefined) return node;
  const nearest = nearestNames(name, graph);
  throw new AppError(
    'NOT_FOUND',
    `There is no layer "${name}" in "${graph.name}".`,
    `The nearest names are ${nearest.map((found) => `"${found}"`).join(', ')}.`,
    { details: { layer: name, nearest } },
  );
}

function nearestNames(name: string, graph: Graph): string[] {
  const wanted = name.toLowerCase();
  return graph.nodes
    .map((node) => ({ name: node.name, distance: editDistance(wanted, node.name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map((candidate) => candidate.name);
}

/** Levenshtein distance: insertions, deletions and replacements of one character. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(replace, previous[j]! + 1, current[j - 1]! + 1));
    }
    previous = current;
  }
  return previous[b.length]!;
}
