// A network of the fuzz test as a file: its structure without weights, which its seed makes again.

import { filledWeight } from '../../../../src-main/engine/graph/initialise';
import { createRng } from '../../../../src-main/engine/graph/rng';
import type { Graph, Model, Shape } from '../../../../src-main/engine/graph/types';
import { modelOf, randomised } from '../models';

/** test/fixtures/graphs/<name>.json */
export interface GraphFixture {
  /** What went wrong with it. */
  readonly about: string;
  readonly seed: number;
  readonly graph: Omit<Graph, 'weights'> & {
    readonly weights: Readonly<Record<string, Shape>>;
  };
}

export function toFixture(graph: Graph, seed: number, about: string): GraphFixture {
  const weights = Object.fromEntries([...graph.weights].map(([id, { shape }]) => [id, shape]));
  return { about, seed, graph: { ...graph, weights } };
}

/** The network with the weights of a seed. */
export function fromFixture({ graph, seed }: GraphFixture): Model {
  const weights = new Map(
    Object.entries(graph.weights).map(([id, shape]) => [id, filledWeight(shape, 0)]),
  );
  return modelOf(randomised({ ...graph, weights }, createRng(seed)));
}
