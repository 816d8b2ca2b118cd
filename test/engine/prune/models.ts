// Small models with random weights, random cuts of them, and how far apart two models are. Knows no test runner:
// the benchmark that fuzzes the pruner uses it too.

import { GraphBuilder } from '../../../src-main/engine/graph/build';
import type { Rng } from '../../../src-main/engine/graph/rng';
import { createRng } from '../../../src-main/engine/graph/rng';
import type { Graph, Model, Weight } from '../../../src-main/engine/graph/types';
import type { Analysis } from '../../../src-main/engine/prune/groups';
import { runReference } from '../reference';

/** A model whose every weight is random: biases and statistics too, so that no slip hides behind a zero. */
export function makeModel(build: (b: GraphBuilder) => void, seed = 1): Model {
  const rng = createRng(seed);
  const builder = new GraphBuilder('test', { rng });
  build(builder);
  return modelOf(randomised(builder.build(), rng));
}

export function modelOf(graph: Graph): Model {
  return {
    graph,
    preprocessing: { scale: 1, mean: [0], std: [1], channelOrder: 'rgb' },
    labels: null,
    outputKind: 'values',
  };
}

export function randomised(graph: Graph, rng: Rng): Graph {
  const variances = new Set(graph.nodes.map((node) => node.weights.variance));
  const weights = new Map<string, Weight>();
  for (const [id, { shape }] of graph.weights) {
    const size = shape.reduce((n, length) => n * length, 1);
    const data = Float32Array.from({ length: size }, () =>
      variances.has(id) ? rng.uniform(0.5, 2) : rng.normal(0, 0.5),
    );
    weights.set(id, { shape, dtype: 'float32', data });
  }
  return { ...graph, weights };
}

/** Keeps a random part of every group: each channel that may go goes with the given chance. */
export function randomChoice(analysis: Analysis, rng: Rng, chance = 0.5): Map<number, Int32Array> {
  const kept = new Map<number, Int32Array>();
  for (const { id, count, mayGo, parts } of analysis.channels) {
    const stays = Array.from({ length: count }, (_, i) => mayGo[i] === 0 || rng.uniform() > chance);
    for (const { channels: set } of parts) {
      if (!set.some((channel) => stays[channel])) stays[set[rng.int(set.length)]!] = true;
    }
    if (!stays.includes(true)) stays[rng.int(count)] = true;
    kept.set(
      id,
      Int32Array.from(stays.keys()).filter((channel) => stays[channel]),
    );
  }
  return kept;
}

export function randomInputs({ graph }: Model, rng: Rng): Float64Array[] {
  return graph.inputs.map(({ shape }) =>
    Float64Array.from({ length: shape.reduce((n, size) => n * size, 1) }, () => rng.normal()),
  );
}

/**
 * Largest difference between two models' outputs on one random input, relative to the largest output.
 * @throws Error when shapes differ or an output of the first is not a finite number.
 */
export function difference(a: Model, b: Model, seed: number): number {
  const inputs = randomInputs(a, createRng(seed));
  const [outputsA, outputsB] = [runReference(a.graph, inputs), runReference(b.graph, inputs)];
  let largest = 0;
  let scale = 1;
  outputsA.forEach(({ shape, data }, k) => {
    const other = outputsB[k]!;
    if (other.shape.join() !== shape.join()) {
      throw new Error(`output ${k} is [${other.shape.join()}] and not [${shape.join()}]`);
    }
    for (let i = 0; i < data.length; i++) {
      if (!Number.isFinite(data[i])) throw new Error(`output ${k} holds ${data[i]}`);
      scale = Math.max(scale, Math.abs(data[i]!));
      largest = Math.max(largest, Math.abs(data[i]! - other.data[i]!));
    }
  });
  return largest / scale;
}

/** Double precision leaves nothing but the order of sums. */
export const referenceTolerance = 1e-9;
