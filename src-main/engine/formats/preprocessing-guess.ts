// How an image becomes the input of a model whose file does not say so.

import type { Graph, Preprocessing } from '../graph/types';

/** Whether whatever reads the input rescales it: then the model takes raw pixels. */
export function startsWithRescaling(graph: Graph): boolean {
  const inputs = new Set(graph.inputs.map(({ tensor }) => tensor));
  const readers = graph.nodes.filter((node) => node.inputs.some((tensor) => inputs.has(tensor)));
  return readers.length > 0 && readers.every(({ op }) => op === 'rescale');
}

/** Pixels from 0 to 1, unless the model begins by rescaling raw pixels itself. */
export function guessPreprocessing(graph: Graph): Preprocessing {
  return {
    scale: startsWithRescaling(graph) ? 1 : 1 / 255,
    mean: [0],
    std: [1],
    channelOrder: graph.inputs[0]?.shape.at(-1) === 1 ? 'gray' : 'rgb',
  };
}
