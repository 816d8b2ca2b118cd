// A file spells out a layer as several operations; here they become one again. A convolution's bias is an addition,
// a batch norm that was folded by a converter a factor and a term for each channel, padding an operation before: where
// nobody reads what lies between, they go into the layer's own weights and attributes, which training can move and
// pruning can cut.

import { namedPadding } from '../../../graph/ops/windows';
import { inferShapes } from '../../../graph/shapes';
import type {
  ExplicitPadding,
  Graph,
  Node,
  NodeOf,
  TensorId,
  Weight,
  WeightId,
} from '../../../graph/types';

type FilterNode =
  NodeOf<'conv2d'> | NodeOf<'depthwiseConv2d'> | NodeOf<'conv2dTranspose'> | NodeOf<'dense'>;

/** The graph with fewer nodes that computes the same, but for rounding. */
export function simplify(graph: Graph): Graph {
  return new Simplifier(graph).run();
}

class Simplifier {
  private readonly nodes = new Map<TensorId, Node>();
  private readonly weights: Map<WeightId, Weight>;
  private readonly readers: ReadonlyMap<TensorId, number>;
  /** What stands in the place of tensors that are gone. */
  private readonly replaced = new Map<TensorId, TensorId>();
  private readonly shapes: ReturnType<typeof inferShapes>;

  constructor(private readonly graph: Graph) {
    this.weights = new Map(graph.weights);
    this.readers = countReaders(graph);
    this.shapes = inferShapes(graph);
  }

  run(): Graph {
    for (const node of this.graph.nodes) {
      const inputs = node.inputs.map((tensor) => this.current(tensor));
      const moved = { ...node, inputs } as Node;
      const before = this.onlyFor(node.inputs[0]);
      if (this.goesInto(before, moved)) this.replaced.set(node.outputs[0]!, before!.outputs[0]!);
      else this.nodes.set(node.outputs[0]!, this.withPadding(before, moved));
    }
    const nodes = [...this.nodes.values()];
    const used = new Set(nodes.flatMap(({ weights }) => Object.values(weights)));
    return {
      ...this.graph,
      nodes,
      outputs: this.graph.outputs.map((output) => ({
        ...output,
        tensor: this.current(output.tensor),
      })),
      weights: new Map([...this.weights].filter(([id]) => used.has(id))),
    };
  }

  private current(tensor: TensorId): TensorId {
    return this.replaced.get(tensor) ?? tensor;
  }

  /** The node that makes a tensor which is read once. */
  private onlyFor(tensor: TensorId | undefined): Node | undefined {
    if (tensor === undefined || this.readers.get(tensor) !== 1) return undefined;
    return this.nodes.get(this.current(tensor));
  }

  /** Puts a factor and a term into the layer before, where that has a place for them. */
  private goesInto(before: Node | undefined, node: Node): boolean {
    if (before === undefined || node.op !== 'rescale') return false;
    const channels = this.shapes.get(before.outputs[0]!)!.at(-1)!;
    const { scale, offset } = node.attrs;
    if (before.op === 'rescale') {
      this.nodes.set(before.outputs[0]!, { ...before, attrs: joined(before.attrs, node.attrs) });
      return true;
    }
    const isVector = Math.max(scale.length, offset.length) === channels;
    if (before.op === 'add') return isVector && this.goesThroughSum(before, node.attrs, channels);
    if (!isFilter(before) || !isVector) return false;
    this.nodes.set(before.outputs[0]!, this.rescaled(before, node.attrs, channels));
    return true;
  }

  /**
   * TensorFlow's optimiser moves the term of a folded batch norm behind the sum with a shortcut: it goes back into
   * the filters, those without a bias first.
   */
  private goesThroughSum(
    sum: NodeOf<'add'>,
    attrs: NodeOf<'rescale'>['attrs'],
    channels: number,
  ): boolean {
    if (attrs.scale.some((value) => value !== 1)) return false;
    const shape = this.shapes.get(sum.outputs[0]!)!.join();
    const filters = sum.inputs
      .map((tensor) => this.onlyFor(tensor))
      .filter((node) => node !== undefined && isFilter(node))
      .filter((node) => this.shapes.get(node.outputs[0]!)!.join() === shape);
    const target = filters.find(({ weights }) => weights.bias === undefined) ?? filters[0];
    if (target === undefined) return false;
    this.nodes.set(target.outputs[0]!, this.rescaled(target, attrs, channels));
    return true;
  }

  private rescaled(node: FilterNode, attrs: NodeOf<'rescale'>['attrs'], channels: number): Node {
    const [scale, offset] = [spread(attrs.scale, channels), spread(attrs.offset, channels)];
    const weights = { ...node.weights };
    if (scale.some((value) => value !== 1)) {
      const kernel = this.weights.get(weights.kernel!)!;
      const channelOf = outputChannel(node, channels);
      const data = Float32Array.from(kernel.data, (value, i) => value * scale[channelOf(i)]!);
      weights.kernel = this.addWeight(`${node.name}/kernel`, { ...kernel, data });
    }
    const bias = weights.bias === undefined ? undefined : this.weights.get(weights.bias)!.data;
    const data = Float32Array.from(offset, (term, c) => (bias?.[c] ?? 0) * scale[c]! + term);
    weights.bias = this.addWeight(`${node.name}/bias`, {
      shape: [channels],
      dtype: 'float32',
      data,
    });
    return { ...node, weights };
  }

  private addWeight(base: string, weight: Weight): WeightId {
    let id = base;
    for (let i = 1; this.weights.has(id); i++) id = `${base}_${i}`;
    this.weights.set(id, weight);
    return id;
  }

  /** Zeros around an image become the convolution's own; padding that has a name gets it. */
  private withPadding(before: Node | undefined, node: Node): Node {
    if (node.op !== 'conv2d' && node.op !== 'depthwiseConv2d') return node;
    let { padding } = node.attrs;
    let [input] = node.inputs;
    const border = before === undefined ? null : borderOf(before);
    if (border !== null && padding !== 'same') {
      this.nodes.delete(before!.outputs[0]!);
      input = before!.inputs[0]!;
      padding = padding === 'valid' ? border : added(padding, border);
    }
    if (typeof padding === 'string') return node;
    const [height, width] = this.shapes.get(input!) as readonly [number, number];
    const named = namedPadding([height, width], { ...node.attrs, padding }) ?? padding;
    return { ...node, inputs: [input!], attrs: { ...node.attrs, padding: named } } as Node;
  }
}

function countReaders(graph: Graph): ReadonlyMap<TensorId, number> {
  const readers = new Map<TensorId, number>();
  const reads = [
    ...graph.nodes.flatMap(({ inputs }) => inputs),
    ...graph.outputs.map(({ tensor }) => tensor),
  ];
  for (const tensor of reads) readers.set(tensor, (readers.get(tensor) ?? 0) + 1);
  return readers;
}

function isFilter(node: Node): node is FilterNode {
  return (
    node.op === 'conv2d' ||
    node.op === 'depthwiseConv2d' ||
    node.op === 'conv2dTranspose' ||
    node.op === 'dense'
  );
}

/** The output channel that a place of the kernel works for. */
function outputChannel(node: FilterNode, channels: number): (place: number) => number {
  if (node.op !== 'conv2dTranspose') return (place) => place % channels;
  // [kh, kw, out, in].
  return (place) => Math.floor(place / node.attrs.filters) % channels;
}

function spread(list: readonly number[], size: number): readonly number[] {
  return list.length === size ? list : new Array<number>(size).fill(list[0]!);
}

/** (x * a + b) * c + d. */
function joined(
  first: NodeOf<'rescale'>['attrs'],
  second: NodeOf<'rescale'>['attrs'],
): NodeOf<'rescale'>['attrs'] {
  const lists = [first.scale, first.offset, second.scale, second.offset];
  const size = Math.max(...lists.map((list) => list.length));
  const [a, b, c, d] = lists.map((list) => spread(list, size));
  return {
    scale: a!.map((value, i) => value * c![i]!),
    offset: b!.map((value, i) => value * c![i]! + d![i]!),
  };
}

/** The zeros that a node puts around an image; null where it does something else. */
function borderOf(node: Node): ExplicitPadding | null {
  if (node.op !== 'pad' || node.attrs.mode !== 'constant' || node.attrs.value !== 0) return null;
  const [rows, columns, channels] = node.attrs.paddings;
  if (channels === undefined || channels[0] !== 0 || channels[1] !== 0) return null;
  return [rows!, columns!];
}

function added(a: ExplicitPadding, b: ExplicitPadding): ExplicitPadding {
  const along = (axis: 0 | 1): readonly [number, number] => [
    a[axis][0] + b[axis][0],
    a[axis][1] + b[axis][1],
  ];
  return [along(0), along(1)];
}
