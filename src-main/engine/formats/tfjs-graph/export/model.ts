// Turns a graph into a GraphDef with its signature, layer by layer, with the fusions of TensorFlow.js's converter.

import { inferShapes, inputShapesOf, weightsOf } from '../../../graph/shapes';
import type { Graph, Node, Shape, TensorId } from '../../../graph/types';
import { batchNormAffine, planFusion } from '../../fusion';
import { floatsOf } from '../../lowering';
import { isFusable } from './activation';
import { GraphDefBuilder, shapeJson, type Ref } from './graph-def';
import { lowerings } from './table';
import type { Lower } from './types';

interface EndpointJson {
  readonly name: string;
  readonly dtype: 'DT_FLOAT';
  readonly tensorShape: ReturnType<typeof shapeJson>;
}

export interface SignatureJson {
  readonly inputs: Readonly<Record<string, EndpointJson>>;
  readonly outputs: Readonly<Record<string, EndpointJson>>;
}

export interface ExportedGraph {
  readonly builder: GraphDefBuilder;
  readonly signature: SignatureJson;
}

/** @throws AppError EXPORT_UNSUPPORTED naming the layer that the format cannot hold */
export function exportGraph(graph: Graph): ExportedGraph {
  const builder = new GraphDefBuilder();
  const shapes = inferShapes(graph);
  const { followers, absorbed } = planFusion(graph, (layer, next) =>
    takesActivation(layer, shapes.get(layer.inputs[0]!)!) && isFusable(next) ? next : null,
  );
  const tensors = new Map<TensorId, Ref>();
  for (const { tensor, name, shape } of graph.inputs) {
    tensors.set(tensor, builder.placeholder(name, [-1, ...shape]));
  }
  const inputs = graph.inputs.map(({ name, tensor, shape }) =>
    endpoint(name, tensors.get(tensor)!, shape),
  );
  for (const node of graph.nodes) {
    if (absorbed.has(node.id)) continue;
    const own = followers.get(node.id);
    builder.layer = node.name;
    const weight = weightsOf(graph, node);
    const norm = own?.batchNorm ?? null;
    const next = own?.activation ?? null;
    const outputs = lowerNode(node, {
      builder,
      inputs: node.inputs.map((tensor) => tensors.get(tensor)!),
      inputShapes: inputShapesOf(node, shapes),
      outputShapes: node.outputs.map((tensor) => shapes.get(tensor)!),
      weight,
      floats: (role) => floatsOf(node, weight(role)?.data),
      affine: norm && batchNormAffine(norm, weightsOf(graph, norm)),
      follower: next && { node: next, weight: weightsOf(graph, next) },
    });
    if (own) tensors.set(own.result, outputs[0]!);
    else node.outputs.forEach((tensor, i) => tensors.set(tensor, outputs[i]!));
  }
  const outputs = graph.outputs.map(({ tensor, name }) =>
    endpoint(name, builder.emit('Identity', [tensors.get(tensor)!], {}, name), shapes.get(tensor)!),
  );
  return {
    builder,
    signature: { inputs: Object.fromEntries(inputs), outputs: Object.fromEntries(outputs) },
  };
}

function endpoint(name: string, ref: Ref, shape: Shape): readonly [string, EndpointJson] {
  const tensorShape = shapeJson([-1, ...shape]);
  return [name, { name: `${ref}:0`, dtype: 'DT_FLOAT', tensorShape }];
}

/** Whether the operation of a layer can compute an activation on its way. */
function takesActivation(node: Node, input: Shape | undefined): boolean {
  if (node.op === 'conv2d') {
    const { groups } = node.attrs;
    return groups === 1 || groups === input?.at(-1);
  }
  return node.op === 'depthwiseConv2d' || (node.op === 'dense' && input?.length === 1);
}

function lowerNode(node: Node, rest: Omit<Parameters<Lower<'add'>>[0], 'node'>): readonly Ref[] {
  // The table pairs each op with the lowering of its own node type; the compiler cannot follow the pairing.
  const lower = lowerings[node.op] as Lower<Node['op']>;
  return lower({ ...rest, node } as Parameters<typeof lower>[0]);
}
