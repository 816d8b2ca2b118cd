// Equality of graphs to the bit.

import { expect } from 'vitest';
import type { Graph, Weight } from '../../../src-main/engine/graph/types';

function bytesOf({ data }: Weight): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

/** Expects two graphs to be equal in everything but the order of weights; shared weights stay shared. */
export function expectSameGraph(actual: Graph, expected: Graph): void {
  const plain = (graph: Graph): unknown => ({
    ...graph,
    weights: null,
    nodes: graph.nodes.map((node) => ({ ...node, weights: Object.keys(node.weights).sort() })),
  });
  expect(plain(actual)).toEqual(plain(expected));
  expect(actual.weights.size).toBe(expected.weights.size);
  actual.nodes.forEach((node, i) => {
    for (const [role, id] of Object.entries(node.weights)) {
      const other = expected.nodes[i]!.weights[role as keyof typeof node.weights]!;
      const [weight, wanted] = [actual.weights.get(id)!, expected.weights.get(other)!];
      const same =
        weight.dtype === wanted.dtype &&
        weight.shape.join() === wanted.shape.join() &&
        bytesOf(weight).equals(bytesOf(wanted));
      expect(same, `${node.name}/${role}`).toBe(true);
    }
  });
}
