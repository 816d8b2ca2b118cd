// The zoo: built-in architectures with fresh weights, and slim variants of them.
import { AppError } from '../errors';
import { GraphBuilder } from '../graph/build';
import { graphCost } from '../graph/cost';
import type { InitOptions } from '../graph/initialise';
import { createRng } from '../graph/rng';
import type { Cost, Graph, Model, Preprocessing, Shape } from '../graph/types';
import { densenets } from './densenet';
import { lenets } from './lenet';
import { mobilenets } from './mobilenet';
import type { ZooArchitecture, ZooEntry } from './network';
import { preresnets } from './preresnet';
import { cifarResnets } from './resnet-cifar';
import { resnets } from './resnet';
import { vggs } from './vgg';

export type { ZooArchitecture } from './network';

const entries: readonly ZooEntry[] = [
  ...lenets,
  ...vggs,
  ...cifarResnets,
  ...preresnets,
  ...densenets,
  ...resnets,
  ...mobilenets,
];

/** All architectures, small ones first. */
export const zooArchitectures: readonly ZooArchitecture[] = entries.map(
  ({ layout: _layout, ...architecture }) => architecture,
);

export interface ZooOptions {
  /** [height, width, channels]; the architecture's own unless given. */
  readonly inputShape?: Shape;
  readonly classes?: number;
  /** Of the initial weights. */
  readonly seed: number;
  /** Filters by layer name, where they differ from the published ones. */
  readonly widths?: Readonly<Record<string, number>>;
  /** Batch norm's gamma at the start; 1 unless given. */
  readonly gamma?: number;
}

/**
 * Builds an architecture with fresh weights. The model ends in logits.
 * @throws AppError NOT_FOUND for an unknown architecture or layer name; INVALID_ARGUMENT for a shape, a number of
 * classes or widths that do not fit it.
 */
export function buildZoo(id: string, options: ZooOptions): Model {
  const entry = findEntry(id);
  const inputShape = options.inputShape ?? entry.inputShape;
  return {
    graph: layOut(entry, inputShape, options),
    preprocessing: preprocessingFor(entry, inputShape),
    labels: null,
    outputKind: 'logits',
  };
}

/** Counts of an architecture as published. @throws AppError NOT_FOUND */
export function zooCost(id: string): Cost {
  const entry = findEntry(id);
  return graphCost(layOut(entry, entry.inputShape, { seed: 0 }, { zeroKernels: true }));
}

function findEntry(id: string): ZooEntry {
  const entry = entries.find((candidate) => candidate.id === id);
  if (entry !== undefined) return entry;
  throw new AppError(
    'NOT_FOUND',
    `The zoo has no architecture "${id}".`,
    `Take one of: ${entries.map((known) => known.id).join(', ')}.`,
  );
}

function layOut(
  entry: ZooEntry,
  inputShape: Shape,
  options: ZooOptions,
  init: InitOptions = {},
): Graph {
  const { classes = entry.classes, widths = {}, seed, gamma } = options;
  const builder = new GraphBuilder(entry.id, {
    rng: createRng(seed),
    init: gamma === undefined ? init : { ...init, gamma },
  });
  const known = new Set<string>();
  const width = (layer: string, filters: number): number => {
    known.add(layer);
    return widths[layer] ?? filters;
  };
  let graph: Graph;
  try {
    const input = builder.input('input', inputShape);
    builder.output(entry.layout({ builder, classes, width }, input), 'logits');
    graph = builder.build();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'GRAPH_INVALID') throw error;
    throw new AppError(
      'INVALID_ARGUMENT',
      `${entry.title} cannot be built so: ${error.message}`,
      `Its usual input is ${entry.inputShape.join(' x ')}.`,
      { cause: error },
    );
  }
  const stranger = Object.keys(widths).find((layer) => !known.has(layer));
  if (stranger === undefined) return graph;
  throw new AppError(
    'NOT_FOUND',
    `${entry.title} has no layer "${stranger}" whose width could be set.`,
    `Take one of: ${[...known].join(', ')}.`,
  );
}

/** Channel means and deviations of the training images that the architecture is known for. */
function preprocessingFor(entry: ZooEntry, inputShape: Shape): Preprocessing {
  const scale = 1 / 255;
  switch (inputShape[2]) {
    case 1:
      return { scale, mean: [0.5], std: [0.5], channelOrder: 'gray' };
    case 3:
      return entry.inputShape[0]! > 32
        ? { scale, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], channelOrder: 'rgb' }
        : {
            scale,
            mean: [0.4914, 0.4822, 0.4465],
            std: [0.247, 0.2435, 0.2616],
            channelOrder: 'rgb',
          };
    default:
      throw new AppError(
        'INVALID_ARGUMENT',
        `Images have 1 or 3 channels, not ${inputShape[2] ?? 'none'}.`,
        'Give the input as height, width and channels.',
      );
  }
}
