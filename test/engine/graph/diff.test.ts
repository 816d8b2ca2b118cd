// Two versions layer by layer, by the channels they have of their common import.

import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../src-main/engine/graph/build';
import { diffGraphs, type LayerDiff } from '../../../src-main/engine/graph/diff';
import { createRng } from '../../../src-main/engine/graph/rng';
import type { Graph, Model } from '../../../src-main/engine/graph/types';
import { defaultPruneOptions, prune } from '../../../src-main/engine/prune';

function network(filters: number, name = 'conv1', extra = false): Model {
  const builder = new GraphBuilder('net', { rng: createRng(3), init: {} });
  let x = builder.input('input', [8, 8, 3]);
  x = builder.conv2d(x, { name, filters, kernelSize: 3 });
  if (extra) x = builder.activation(x, 'relu', { name: 'act' });
  x = builder.conv2d(x, { name: 'conv2', filters: 8, kernelSize: 3 });
  builder.output(builder.dense(builder.globalAvgPool(x), { units: 2, name: 'fc' }), 'logits');
  return {
    graph: builder.build(),
    preprocessing: { scale: 1, mean: [0], std: [1], channelOrder: 'rgb' },
    labels: null,
    outputKind: 'logits',
  };
}

/** The network with conv1 cut to `keep` channels by L1 norm. */
function cut(model: Model, keep: number): Graph {
  const options = { ...defaultPruneOptions, target: {}, table: { conv1: keep } };
  return prune(model, options).model.graph;
}

function layer(rows: readonly LayerDiff[], name: string): LayerDiff {
  return rows.find((row) => row.name === name)!;
}

describe('diffGraphs', () => {
  const model = network(8);

  it('finds nothing between a version and itself', () => {
    const rows = diffGraphs(model.graph, model.graph);
    expect(rows.map(({ name }) => name)).toEqual(model.graph.nodes.map(({ name }) => name));
    expect(rows.filter(({ differs }) => differs)).toEqual([]);
    expect(layer(rows, 'conv1').weightChange).toBe(0);
  });

  it('names the channels that a cut took, by their numbers at the import', () => {
    const after = cut(model, 5);
    const origin = after.nodes.find(({ name }) => name === 'conv1')!.origin!;
    const row = layer(diffGraphs(model.graph, after), 'conv1');
    const gone = [0, 1, 2, 3, 4, 5, 6, 7].filter((channel) => !origin.includes(channel));
    expect(row.channels).toEqual({ both: origin, onlyA: gone, onlyB: [], original: 8 });
    expect([row.a!.channels, row.b!.channels]).toEqual([8, 5]);
    expect([row.a!.params, row.b!.params]).toEqual([8 * 28, 5 * 28]);
    expect([row.a!.macs, row.b!.macs]).toEqual([64 * 27 * 8, 64 * 27 * 5]);
    expect(row.weightChange).toBeNull();
  });

  it('compares two cuts of one import, also a cut of a cut', () => {
    const five = cut(model, 5);
    const three = cut({ ...model, graph: five }, 3);
    const left = five.nodes.find(({ name }) => name === 'conv1')!.origin!;
    const right = three.nodes.find(({ name }) => name === 'conv1')!.origin!;
    const { channels } = layer(diffGraphs(five, three), 'conv1');
    expect(channels!.both).toEqual(right);
    expect(channels!.onlyA).toEqual(left.filter((channel) => !right.includes(channel)));
    expect(channels!.onlyB).toEqual([]);
    // Its own channels are all there, but it reads fewer: that is a difference too.
    const reader = layer(diffGraphs(five, three), 'conv2');
    expect(reader.channels).toMatchObject({ onlyA: [], onlyB: [] });
    expect(reader.differs).toBe(true);
  });

  it('measures how far weights went', () => {
    const { graph } = model;
    const id = graph.nodes.find(({ name }) => name === 'conv2')!.weights.kernel!;
    const weight = graph.weights.get(id)!;
    const data = Float32Array.from(weight.data, (value) => value * 1.5);
    const trained = { ...graph, weights: new Map(graph.weights).set(id, { ...weight, data }) };
    const rows = diffGraphs(graph, trained);
    // The bias is zero, so that the whole norm is the kernel's.
    expect(layer(rows, 'conv2').weightChange).toBeCloseTo(0.5, 6);
    expect(rows.filter(({ differs }) => differs).map(({ name }) => name)).toEqual(['conv2']);
  });

  it('shows layers that only one of them has where they stand', () => {
    const rows = diffGraphs(model.graph, network(8, 'conv1', true).graph);
    const names = rows.map(({ name }) => name);
    expect(names.indexOf('act')).toBe(names.indexOf('conv1') + 1);
    expect(layer(rows, 'act')).toMatchObject({ a: null, channels: null });
    const back = diffGraphs(network(8, 'conv1', true).graph, model.graph);
    expect(layer(back, 'act')).toMatchObject({ b: null });
  });

  it('says nothing of channels where strangers differ in width', () => {
    const row = layer(diffGraphs(model.graph, network(6).graph), 'conv1');
    expect(row.channels).toBeNull();
    expect(row.differs).toBe(true);
  });
});
