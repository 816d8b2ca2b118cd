// Small models for the pruner's tests, and the oracle that every cut has to pass.

import { expect } from 'vitest';
import { GraphBuilder } from '../../../src-main/engine/graph/build';
import { graphCost } from '../../../src-main/engine/graph/cost';
import type { Rng } from '../../../src-main/engine/graph/rng';
import { createRng } from '../../../src-main/engine/graph/rng';
import type { Graph, Model, Weight } from '../../../src-main/engine/graph/types';
import type { MaskedSites } from '../../../src-main/engine/prune/mask';
import { maskDropped } from '../../../src-main/engine/prune/mask';
import type { Analysis, KeptChannels } from '../../../src-main/engine/prune/groups';
import { analyse, droppedClasses } from '../../../src-main/engine/prune/groups';
import { plannedCost } from '../../../src-main/engine/prune/planned-cost';
import { cut } from '../../../src-main/engine/prune/surgery';
import type { Tensor } from './reference-forward';
import { referenceForward } from './reference-forward';

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

/** Names of the layers that produce each group, in order. */
export function producersOf({ groups }: Analysis): string[][] {
  return groups.map((group) => [...group.producers]);
}

export function weightOf({ graph }: Model, id: string): Weight {
  return graph.weights.get(id)!;
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

export function randomInputs({ graph }: Model, rng: Rng): Tensor[] {
  return graph.inputs.map(({ shape }) => ({
    shape,
    data: Float64Array.from({ length: shape.reduce((n, size) => n * size, 1) }, () => rng.normal()),
  }));
}

/** Largest difference between two models' outputs on one random input, relative to the largest output. */
export function difference(a: Model, b: Model, seed: number): number {
  const inputs = randomInputs(a, createRng(seed));
  const [outputsA, outputsB] = [
    referenceForward(a.graph, inputs),
    referenceForward(b.graph, inputs),
  ];
  let largest = 0;
  let scale = 1;
  outputsA.forEach(({ shape, data }, k) => {
    expect(outputsB[k]!.shape).toEqual(shape);
    for (let i = 0; i < data.length; i++) {
      expect(Number.isFinite(data[i])).toBe(true);
      scale = Math.max(scale, Math.abs(data[i]!));
      largest = Math.max(largest, Math.abs(data[i]! - outputsB[k]!.data[i]!));
    }
  });
  return largest / scale;
}

/** Double precision leaves nothing but the order of sums. */
export const referenceTolerance = 1e-9;

/**
 * Makes random cuts and requires of each: masked original and cut model agree, the planned cost is the real one,
 * and the original is untouched. Returns the last cut.
 */
export function expectCutsEquivalent(
  model: Model,
  { rounds = 3, seed = 7, masks }: { rounds?: number; seed?: number; masks?: MaskedSites } = {},
): Model {
  const analysis = analyse(model);
  const rng = createRng(seed);
  let result = model;
  for (let round = 0; round < rounds; round++) {
    const kept = randomChoice(analysis, rng, rng.uniform(0.2, 0.8));
    result = expectCutEquivalent(model, analysis, kept, masks);
  }
  return result;
}

export function expectCutEquivalent(
  model: Model,
  analysis: Analysis,
  kept: KeptChannels,
  masks?: MaskedSites,
): Model {
  const before = fingerprint(model);
  const result = cut(model, analysis, kept);
  expect(fingerprint(model)).toEqual(before);
  const masked = maskDropped(model, analysis, kept, masks);
  expect(difference(masked, result, 11)).toBeLessThan(referenceTolerance);
  const planned = plannedCost(analysis, droppedClasses(analysis, kept));
  expect(planned).toEqual(graphCost(result.graph));
  return result;
}

/** Sums over all weights: changes when any of them does. */
function fingerprint({ graph }: Model): number[] {
  return [...graph.weights.values()].map(({ data }) => {
    let sum = 0;
    for (let i = 0; i < data.length; i++) sum += data[i]! * (i + 1);
    return sum;
  });
}
