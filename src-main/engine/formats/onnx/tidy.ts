// Joins nodes of an imported graph that exporters write apart, where that is exact.

import type {
  Graph,
  Node,
  NodeOf,
  TensorId,
  Weight,
  WeightId,
  WeightRole,
} from '../../graph/types';

/** The graph with pooled images that were flattened as vectors, and group norms with their scale and shift. */
export function tidyGraph(graph: Graph): Graph {
  const tidy = new Tidy(graph);
  for (const node of graph.nodes) tidy.visit(node);
  return tidy.result();
}

class Tidy {
  private readonly nodes = new Map<TensorId, Node>();
  private readonly weights: Map<WeightId, Weight>;
  private readonly readers = new Map<TensorId, number>();
  /** Tensors that are no more, and what takes their place. */
  private readonly instead = new Map<TensorId, TensorId>();

  constructor(private readonly graph: Graph) {
    this.weights = new Map(graph.weights);
    const reads = [
      ...graph.nodes.flatMap(({ inputs }) => inputs),
      ...graph.outputs.map(({ tensor }) => tensor),
    ];
    for (const tensor of reads) this.readers.set(tensor, (this.readers.get(tensor) ?? 0) + 1);
  }

  visit(original: Node): void {
    const node = { ...original, inputs: original.inputs.map((tensor) => this.now(tensor)) } as Node;
    const before = this.nodes.get(node.inputs[0] ?? '');
    const joined =
      before && this.readers.get(original.inputs[0]!) === 1 ? this.join(before, node) : null;
    if (before === undefined || joined === null) {
      this.nodes.set(node.outputs[0]!, node);
      return;
    }
    this.nodes.set(before.outputs[0]!, joined);
    this.instead.set(original.outputs[0]!, before.outputs[0]!);
    this.readers.set(before.outputs[0]!, this.readers.get(original.outputs[0]!) ?? 0);
  }

  result(): Graph {
    const { graph } = this;
    return {
      ...graph,
      nodes: [...this.nodes.values()],
      outputs: graph.outputs.map((output) => ({ ...output, tensor: this.now(output.tensor) })),
      weights: this.weights,
    };
  }

  private now(tensor: TensorId): TensorId {
    return this.instead.get(tensor) ?? tensor;
  }

  /** Both nodes as one under the name of the first, or null. */
  private join(first: Node, second: Node): Node | null {
    if (first.op === 'globalAvgPool' || first.op === 'globalMaxPool') {
      const attrs = first.attrs as NodeOf<'globalAvgPool'>['attrs'];
      return second.op === 'flatten' && attrs.keepDims
        ? ({ ...first, attrs: { keepDims: false } } as Node)
        : null;
    }
    if (first.op === 'groupNorm' && second.op === 'rescale') {
      return this.withAffine(first as NodeOf<'groupNorm'>, second as NodeOf<'rescale'>);
    }
    return null;
  }

  /** A scale goes in front of a shift: one that comes later would have to change the shift. */
  private withAffine(norm: NodeOf<'groupNorm'>, { attrs }: NodeOf<'rescale'>): Node | null {
    const { scale, offset } = attrs;
    const scales = scale.some((value) => value !== 1);
    const shifts = offset.some((value) => value !== 0);
    const { gamma, beta } = norm.weights;
    if ((scales && (gamma ?? beta) !== undefined) || (shifts && beta !== undefined)) return null;
    const weights: Partial<Record<WeightRole, WeightId>> = { ...norm.weights };
    const channels = Math.max(scale.length, offset.length);
    if (channels === 1) return null;
    const add = (role: 'gamma' | 'beta', values: readonly number[]): void => {
      const id = `${norm.name}/${role}`;
      const data = Float32Array.from({ length: channels }, (_, i) => values[i] ?? values[0]!);
      this.weights.set(id, { shape: [channels], dtype: 'float32', data });
      weights[role] = id;
    };
    if (scales) add('gamma', scale);
    if (shifts) add('beta', offset);
    return { ...norm, weights };
  }
}
