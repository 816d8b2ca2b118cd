// Which nodes a model needs, in which order, and who reads them.

import { corrupt } from '../../keras-config/errors';
import type { GraphNode, TensorRef } from '../graph-def';

/** Operations that hand on their inputs as they are: each output is the input of the same number. */
const transparent: ReadonlySet<string> = new Set([
  'CheckNumerics',
  'EnsureShape',
  'Identity',
  'IdentityN',
  'PlaceholderWithDefault',
  'PreventGradient',
  'Snapshot',
  'StopGradient',
]);

/** Follows references through nodes that change nothing. */
export class Source {
  constructor(
    private readonly nodes: ReadonlyMap<string, GraphNode>,
    /** Nodes that stay even where they change nothing: the inputs of the model. */
    private readonly ends: ReadonlySet<string>,
  ) {}

  /** @throws AppError MODEL_CORRUPT for a reference that leads nowhere or in a circle */
  of(ref: TensorRef): TensorRef {
    let current = ref;
    for (let steps = 0; steps <= this.nodes.size; steps++) {
      const node = this.nodes.get(current.node);
      if (node === undefined) {
        throw corrupt(`The model refers to the node "${current.node}", which it does not have`);
      }
      if (!transparent.has(node.op) || this.ends.has(node.name)) return current;
      const next = node.inputs[current.output];
      if (next === undefined) {
        throw corrupt(`Node "${node.name}" (${node.op}) has no output ${current.output}`);
      }
      current = next;
    }
    throw corrupt(`The nodes form a circle at "${ref.node}"`);
  }
}

/** The nodes with references that lead past those that change nothing. */
export function withSources(
  nodes: ReadonlyMap<string, GraphNode>,
  source: Source,
): ReadonlyMap<string, GraphNode> {
  const resolved = new Map<string, GraphNode>();
  for (const [name, node] of nodes) {
    resolved.set(name, { ...node, inputs: node.inputs.map((ref) => source.of(ref)) });
  }
  return resolved;
}

/**
 * Names of the nodes that the outputs depend on, each after those that it reads.
 * @param ends nodes whose inputs do not matter: the inputs of the model
 * @throws AppError MODEL_CORRUPT for a circle
 */
export function orderOf(
  nodes: ReadonlyMap<string, GraphNode>,
  outputs: readonly TensorRef[],
  ends: ReadonlySet<string>,
): readonly string[] {
  const order: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  for (const root of outputs) {
    // Depth first with a stack of its own: a deep network would exhaust that of the program.
    const stack = [root.node];
    while (stack.length > 0) {
      const name = stack.at(-1)!;
      if (state.get(name) === 'done') {
        stack.pop();
        continue;
      }
      const inputs = ends.has(name) ? [] : nodes.get(name)!.inputs;
      const before = inputs.map(({ node }) => node).filter((node) => state.get(node) !== 'done');
      if (before.length === 0) {
        state.set(name, 'done');
        order.push(name);
        stack.pop();
      } else if (state.get(name) === 'open') {
        throw corrupt(`The nodes form a circle at "${name}"`);
      } else {
        state.set(name, 'open');
        stack.push(...before.reverse());
      }
    }
  }
  return order;
}

/** How often each node is read by nodes of the order, and as an output of the model. */
export function countReaders(
  nodes: ReadonlyMap<string, GraphNode>,
  order: readonly string[],
  outputs: readonly TensorRef[],
): ReadonlyMap<string, number> {
  const readers = new Map<string, number>();
  const refs = [...outputs, ...order.flatMap((name) => nodes.get(name)!.inputs)];
  for (const { node } of refs) readers.set(node, (readers.get(node) ?? 0) + 1);
  return readers;
}
