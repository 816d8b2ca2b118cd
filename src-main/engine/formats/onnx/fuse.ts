// Puts together what exporters take apart: activations and normalisations that older operator sets lack, and biases
// that are added by a node of their own. Each pattern names the nodes that it stands for; they go where nobody else
// reads what lies between them.

import { Attributes } from './attributes';
import { isStandard, type OnnxGraph, type OnnxNode } from './model';
import type { AttributeProto } from './proto/messages';
import { attributeTypes } from './proto/schema';
import { constantOf, type Constant } from './tensor';

/** What a pattern found. */
export interface Match {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly attributes?: Readonly<Record<string, number>>;
  /** Inner nodes; the root, whose output stays, is not among them. */
  readonly covers: readonly OnnxNode[];
}

/** Looks for one pattern whose last node is given. */
export type Pattern = (root: OnnxNode, graph: GraphView) => Match | null;

/** What patterns ask the graph. */
export class GraphView {
  readonly constants: Map<string, Constant>;
  private readonly makers = new Map<string, OnnxNode>();
  private readonly readers = new Map<string, Set<OnnxNode>>();
  private readonly outputs: ReadonlySet<string>;

  constructor(graph: OnnxGraph) {
    this.constants = new Map(graph.constants);
    this.outputs = new Set(graph.outputs);
    for (const node of graph.nodes) this.add(node);
  }

  /** The node that makes a tensor, where it is a standard one of the given operator. */
  made(tensor: string | undefined, op: string): OnnxNode | null {
    const node = tensor === undefined ? undefined : this.makers.get(tensor);
    return node !== undefined && node.op === op && isStandard(node) ? node : null;
  }

  /** The only number of a constant, or null. */
  scalar(tensor: string | undefined): number | null {
    const constant = tensor === undefined ? undefined : this.constants.get(tensor);
    if (constant === undefined || constant.shape.some((size) => size !== 1)) return null;
    return constant.numbers()[0]!;
  }

  isNumber(tensor: string | undefined, value: number): boolean {
    const found = this.scalar(tensor);
    return found !== null && Math.abs(found - value) <= 1e-4 * Math.abs(value);
  }

  /** The other operand of a node that has a number for one; `inOrder` where only the second may be it. */
  beside(node: OnnxNode | null, value: number, inOrder = false): string | null {
    const [a, b] = node?.inputs ?? [];
    if (a === undefined || b === undefined) return null;
    if (this.isNumber(b, value)) return a;
    return !inOrder && this.isNumber(a, value) ? b : null;
  }

  /** Whether nothing but these nodes and the root reads what they make. */
  isPrivate(covers: readonly OnnxNode[], root: OnnxNode): boolean {
    const within = new Set([...covers, root]);
    return covers.every((node) =>
      node.outputs.every(
        (tensor) =>
          !this.outputs.has(tensor) &&
          [...(this.readers.get(tensor) ?? [])].every((reader) => within.has(reader)),
      ),
    );
  }

  add(node: OnnxNode): void {
    for (const output of node.outputs) this.makers.set(output, node);
    for (const input of node.inputs) {
      const readers = this.readers.get(input) ?? new Set();
      this.readers.set(input, readers.add(node));
    }
  }

  remove(node: OnnxNode): void {
    for (const output of node.outputs) this.makers.delete(output);
    for (const input of node.inputs) this.readers.get(input)?.delete(node);
  }

  /** Keeps a vector that a pattern made, and gives its name. */
  keep(name: string, numbers: Float32Array): string {
    this.constants.set(name, constantOf(name, [numbers.length], 'float', numbers));
    return name;
  }

  /** The same for a list of whole numbers. */
  keepInts(name: string, numbers: readonly number[]): string {
    const data = Float64Array.from(numbers);
    this.constants.set(name, constantOf(name, [data.length], 'int', data));
    return name;
  }
}

/** The graph with every match replaced by one node. */
export function fuseNodes(graph: OnnxGraph, patterns: readonly Pattern[]): OnnxGraph {
  const view = new GraphView(graph);
  /** Nodes of the graph, as they are now, by the node that they were. */
  const now = new Map<OnnxNode, OnnxNode | null>(graph.nodes.map((node) => [node, node]));
  const was = new Map<OnnxNode, OnnxNode>(graph.nodes.map((node) => [node, node]));
  for (const root of graph.nodes) {
    for (const pattern of patterns) {
      const current = now.get(root)!;
      const match = isStandard(current) ? pattern(current, view) : null;
      if (match === null || !view.isPrivate(match.covers, current)) continue;
      for (const node of match.covers) {
        view.remove(node);
        now.set(was.get(node)!, null);
      }
      view.remove(current);
      const replacement = fused(current, match);
      view.add(replacement);
      now.set(root, replacement);
      was.set(replacement, root);
    }
  }
  const nodes = graph.nodes.flatMap((node) => now.get(node) ?? []);
  return { ...graph, nodes, constants: view.constants };
}

function fused(root: OnnxNode, { op, inputs, attributes = {}, covers }: Match): OnnxNode {
  const protos = Object.entries(attributes).map(([name, f]): AttributeProto => ({
    name,
    type: attributeTypes.FLOAT,
    f,
  }));
  // Convolutions and matrix products keep what else is stated about them.
  const kept = covers.find((node) => node.op === op);
  return {
    ...root,
    op,
    inputs,
    name: kept?.name ?? root.name,
    scopes: kept?.scopes ?? root.scopes,
    attributes:
      kept?.attributes ??
      new Attributes(`Layer "${root.name}" (${op})`, protos, () => new Uint8Array()),
  };
}
