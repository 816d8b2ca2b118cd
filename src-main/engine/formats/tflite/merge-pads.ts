// Zeros that a layer puts around an image become the padding of the convolution behind it: together they are often what
// TFLite calls SAME, and else the convolution's own operator for them does.

import type { ExplicitPadding, Graph, Node, NodeId, NodeOf, TensorId } from '../../graph/types';

export interface MergedPads {
  readonly graph: Graph;
  /** The convolution that each padding layer went into. */
  readonly owners: ReadonlyMap<NodeId, Node>;
}

export function mergePads(graph: Graph): MergedPads {
  const readers = new Map<TensorId, number>();
  const count = (tensor: TensorId): void =>
    void readers.set(tensor, (readers.get(tensor) ?? 0) + 1);
  for (const { inputs } of graph.nodes) inputs.forEach(count);
  for (const { tensor } of graph.outputs) count(tensor);
  const pads = new Map<TensorId, { readonly node: Node; readonly padding: ExplicitPadding }>();
  const owners = new Map<NodeId, Node>();
  const nodes = graph.nodes.map((node): Node => {
    const padding = zeroBorder(node);
    if (padding !== null && readers.get(node.outputs[0]!) === 1) {
      pads.set(node.outputs[0]!, { node, padding });
    }
    if (node.op !== 'conv2d' && node.op !== 'depthwiseConv2d') return node;
    const pad = pads.get(node.inputs[0]!);
    const own = (node as NodeOf<'conv2d'>).attrs.padding;
    // What 'same' adds depends on the image that it sees.
    if (pad === undefined || own === 'same') return node;
    owners.set(pad.node.id, node);
    const attrs = { ...node.attrs, padding: sum(pad.padding, own) };
    return { ...node, inputs: pad.node.inputs, attrs } as Node;
  });
  return { graph: { ...graph, nodes: nodes.filter(({ id }) => !owners.has(id)) }, owners };
}

/** Zeros around height and width of an image; null for any other layer. */
function zeroBorder(node: Node): ExplicitPadding | null {
  if (node.op !== 'pad') return null;
  const { paddings, mode, value } = (node as NodeOf<'pad'>).attrs;
  const [rows, columns, channels] = paddings;
  const isBorder = mode === 'constant' && value === 0 && paddings.length === 3;
  return isBorder && Math.max(...channels!) === 0 ? [rows!, columns!] : null;
}

function sum(a: ExplicitPadding, b: 'valid' | ExplicitPadding): ExplicitPadding {
  if (b === 'valid') return a;
  const along = (axis: 0 | 1): readonly [number, number] => [
    a[axis][0] + b[axis][0],
    a[axis][1] + b[axis][1],
  ];
  return [along(0), along(1)];
}
