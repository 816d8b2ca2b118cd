// Two versions of a network layer by layer: what each kept of the channels that both started with.
//
// Cutting and training keep the ids of nodes, and `Node.origin` the index that a channel had at the import; so
// layers of one family meet by id and channels by origin. Layers of strangers meet by name, as far as they go.

import { nodeCosts } from './cost';
import { inferShapes } from './shapes';
import type { Graph, Node, NodeId, Shape, Weight } from './types';

/** One side of a layer in a comparison. */
export interface DiffSide {
  readonly outputShape: Shape;
  /** Size of the last axis of output 0. */
  readonly channels: number;
  readonly params: number;
  readonly macs: number;
}

export interface LayerDiff {
  readonly node: NodeId;
  readonly name: string;
  readonly op: string;
  /** Null where the version has no such layer. */
  readonly a: DiffSide | null;
  readonly b: DiffSide | null;
  /**
   * Channels by their index at the import: in both, in one only. Null where a side is missing, or where the two
   * do not descend from one import and the widths differ.
   */
  readonly channels: {
    readonly both: readonly number[];
    readonly onlyA: readonly number[];
    readonly onlyB: readonly number[];
    /** Largest index at the import that either has, plus one. */
    readonly original: number;
  } | null;
  /**
   * |b - a| / |a| over all weights of the layer (Euclidean norms) where they have the same shapes and stand for
   * the same channels; 0 is untouched. Null without weights and where they cannot be compared.
   */
  readonly weightChange: number | null;
  /** Whether anything does. */
  readonly differs: boolean;
}

/** Layers of `a` in its order, each followed by those that only `b` has behind it. */
export function diffGraphs(a: Graph, b: Graph): readonly LayerDiff[] {
  const left = sidesOf(a);
  const right = sidesOf(b);
  const partner = pairNodes(a, b);
  const taken = new Set(partner.values());
  const rows = a.nodes.map((node) => diffNode(a, b, node, partner.get(node) ?? null, left, right));
  // A layer that only b has stands behind the partner of the layer that it follows in b.
  const byA = new Map([...partner].map(([nodeA, nodeB]) => [nodeB, nodeA]));
  let position = 0;
  for (const node of b.nodes) {
    if (taken.has(node)) {
      const id = byA.get(node)!.id;
      position = rows.findIndex((row) => row.a !== null && row.node === id) + 1;
    } else {
      rows.splice(position++, 0, diffNode(a, b, null, node, left, right));
    }
  }
  return rows;
}

function sidesOf(graph: Graph): ReadonlyMap<Node, DiffSide> {
  const shapes = inferShapes(graph);
  const costs = nodeCosts(graph);
  return new Map(
    graph.nodes.map((node) => {
      const outputShape = shapes.get(node.outputs[0]!)!;
      const { params, macs } = costs.get(node.id)!;
      return [node, { outputShape, channels: outputShape.at(-1) ?? 0, params, macs }];
    }),
  );
}

/** Nodes of a with their partners in b: the same id, else the same name, and in each case the same op. */
function pairNodes(a: Graph, b: Graph): ReadonlyMap<Node, Node> {
  const pairs = new Map<Node, Node>();
  const taken = new Set<Node>();
  for (const key of ['id', 'name'] as const) {
    const candidates = new Map(b.nodes.map((node) => [node[key], node]));
    for (const node of a.nodes) {
      const candidate = candidates.get(node[key]);
      if (pairs.has(node) || candidate?.op !== node.op || taken.has(candidate)) continue;
      pairs.set(node, candidate);
      taken.add(candidate);
    }
  }
  return pairs;
}

function diffNode(
  graphA: Graph,
  graphB: Graph,
  nodeA: Node | null,
  nodeB: Node | null,
  sidesA: ReadonlyMap<Node, DiffSide>,
  sidesB: ReadonlyMap<Node, DiffSide>,
): LayerDiff {
  const a = nodeA && sidesA.get(nodeA)!;
  const b = nodeB && sidesB.get(nodeB)!;
  const { id, name, op } = (nodeA ?? nodeB)!;
  const row = { node: id, name, op, a, b };
  if (!nodeA || !nodeB || !a || !b) {
    return { ...row, channels: null, weightChange: null, differs: true };
  }
  const channels = diffChannels(nodeA, nodeB, a, b);
  const sameChannels = channels !== null && channels.onlyA.length + channels.onlyB.length === 0;
  const change = sameChannels ? weightChange(graphA, graphB, nodeA, nodeB) : null;
  const sameCost = a.params === b.params && a.macs === b.macs && a.channels === b.channels;
  const differs = !sameChannels || !sameCost || (change ?? 0) > 0;
  return { ...row, channels, weightChange: change, differs };
}

function diffChannels(nodeA: Node, nodeB: Node, a: DiffSide, b: DiffSide): LayerDiff['channels'] {
  const unknown = nodeA.origin === undefined && nodeB.origin === undefined;
  if (unknown && a.channels !== b.channels) return null;
  const ofA = nodeA.origin ?? Array.from({ length: a.channels }, (_, i) => i);
  const ofB = nodeB.origin ?? Array.from({ length: b.channels }, (_, i) => i);
  const [setA, setB] = [new Set(ofA), new Set(ofB)];
  return {
    both: ofA.filter((channel) => setB.has(channel)),
    onlyA: ofA.filter((channel) => !setB.has(channel)),
    onlyB: ofB.filter((channel) => !setA.has(channel)),
    original: Math.max(-1, ...ofA, ...ofB) + 1,
  };
}

function weightChange(graphA: Graph, graphB: Graph, nodeA: Node, nodeB: Node): number | null {
  const roles = Object.keys(nodeA.weights) as (keyof Node['weights'])[];
  if (roles.length === 0) return null;
  let difference = 0;
  let norm = 0;
  for (const role of roles) {
    const a = graphA.weights.get(nodeA.weights[role]!);
    const b = graphB.weights.get(nodeB.weights[role] ?? '');
    if (a === undefined || b === undefined || !sameShape(a, b)) return null;
    for (let i = 0; i < a.data.length; i++) {
      difference += (b.data[i]! - a.data[i]!) ** 2;
      norm += a.data[i]! ** 2;
    }
  }
  if (difference === 0) return 0;
  return norm === 0 ? Infinity : Math.sqrt(difference / norm);
}

function sameShape(a: Weight, b: Weight): boolean {
  return a.shape.length === b.shape.length && a.shape.every((size, axis) => size === b.shape[axis]);
}
