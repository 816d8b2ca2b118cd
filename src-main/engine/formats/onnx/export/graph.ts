// Turns a graph into ONNX operators, node by node.

import { AppError } from '../../../errors';
import { sizeOf } from '../../../graph/ops/check';
import { inferShapes, inputShapesOf, weightsOf } from '../../../graph/shapes';
import type { Graph, Node, Shape, TensorId, Weight } from '../../../graph/types';
import {
  groupsOf,
  lastAxisFirst,
  layoutInOrder,
  range,
  sameGroups,
  shapeOf,
  sourceIndices,
  stepsBetween,
  storedOrder,
  type Atom,
  type Group,
} from '../layout';
import type { ValueInfoProto } from '../proto/messages';
import { dataTypes } from '../proto/schema';
import { ints, OnnxProgram } from './program';
import { exporters } from './table';
import type { Aligned, ExportNode, NodeExport, Tensor } from './types';

export interface ExportedGraph {
  readonly program: OnnxProgram;
  readonly inputs: readonly ValueInfoProto[];
  readonly outputs: readonly ValueInfoProto[];
}

/** Images have their channels first, everything else lies as in the graph. */
function preferredOrder(rank: number): readonly number[] {
  return rank === 3 ? lastAxisFirst(3) : range(rank);
}

/** @throws AppError EXPORT_UNSUPPORTED naming the layer that the format cannot hold */
export function exportGraph(graph: Graph): ExportedGraph {
  return new GraphExport(graph).run();
}

class GraphExport {
  private readonly program = new OnnxProgram();
  private readonly tensors = new Map<TensorId, Tensor>();
  private readonly moved = new Map<string, { groups: readonly Group[]; name: string }[]>();

  constructor(private readonly graph: Graph) {}

  run(): ExportedGraph {
    const shapes = inferShapes(this.graph);
    const inputs = this.graph.inputs.map(({ tensor, name, shape }) => {
      const layout = layoutInOrder(groupsOf(shape), preferredOrder(shape.length));
      const free = this.program.freeName(name);
      this.tensors.set(tensor, { name: free, layout, constant: null });
      return valueInfo(free, shapeOf(layout.stored));
    });
    // Outputs are named by the model; nothing else may take these names.
    const reserved = new Map(
      this.graph.outputs.map(({ name }) => [name, this.program.freeName(name)]),
    );
    for (const node of neededNodes(this.graph)) {
      const outputs = this.exportNode(node, shapes);
      node.outputs.forEach((tensor, i) => this.tensors.set(tensor, outputs[i]!));
    }
    const arranged = this.graph.outputs.map(({ tensor, name }) => {
      const value = this.tensors.get(tensor)!;
      const { logical } = value.layout;
      const order = preferredOrder(logical.length);
      const shape = shapeOf(order.map((axis) => logical[axis]!));
      return { tensor: this.order(value, order, name).name, name: reserved.get(name)!, shape };
    });
    this.program.nameOutputs(arranged);
    const outputs = arranged.map(({ name, shape }) => valueInfo(name, shape));
    return { program: this.program, inputs, outputs };
  }

  private exportNode(node: Node, shapes: ReadonlyMap<TensorId, Shape>): readonly Tensor[] {
    const weight = weightsOf(this.graph, node);
    const { program } = this;
    const emitAll: NodeExport<'add'>['emitAll'] = (
      op,
      inputs,
      attributes,
      { suffix, outputs = 1 },
    ) => {
      const name = suffix === undefined ? node.name : `${node.name}/${suffix}`;
      const names = range(outputs).map((i) => (i === 0 ? name : `${name}:${i}`));
      return program.emit(op, inputs, attributes, { name, outputs: names });
    };
    const given = {
      node,
      program,
      inputs: node.inputs.map((tensor) => this.tensors.get(tensor)!),
      inputShapes: inputShapesOf(node, shapes),
      outputShapes: node.outputs.map((tensor) => shapes.get(tensor)!),
      weight,
      stored: (role, variant, shape, make) => {
        const id = node.weights[role]!;
        // Another variant of a weight that two layers share is another tensor.
        const key = variant === '' ? id : `${id} (${variant})`;
        return program.floats(key, shape, () => make(floatsOf(node, weight(role)!)));
      },
      arranged: (tensor, groups) => this.arrange(tensor, groups, node.name),
      aligned: (tensor) => this.align(tensor, node.name),
      inOrder: (tensor, order) => this.order(tensor, order, node.name),
      image: (tensor) => this.order(tensor, lastAxisFirst(3), node.name),
      emit: (op, inputs, attributes = {}, options = {}) =>
        emitAll(op, inputs, attributes, options)[0]!,
      emitAll,
      unsupported: (why) => unsupported(node, why),
    } satisfies Omit<NodeExport<Node['op']>, 'node'> & { node: Node };
    // The table pairs each op with the exporter of its own node type; the compiler cannot follow the pairing.
    const exporter = exporters[node.op] as ExportNode<Node['op']>;
    return exporter(given as Parameters<typeof exporter>[0]);
  }

  private order(tensor: Tensor, order: readonly number[], reader: string): Aligned {
    const { logical } = tensor.layout;
    const groups = order.map((axis) => logical[axis]!);
    return { name: this.arrange(tensor, groups, reader), logical, order };
  }

  private align(tensor: Tensor, reader: string): Aligned {
    const { logical } = tensor.layout;
    const preferred = preferredOrder(logical.length);
    const order = storedOrder(tensor.layout, preferred);
    if (order !== null && tensor.constant === null) return { name: tensor.name, logical, order };
    return this.order(tensor, order ?? preferred, reader);
  }

  /** Moves numbers where that is needed, once for all readers that want them so. */
  private arrange(tensor: Tensor, groups: readonly Group[], reader: string): string {
    if (tensor.constant !== null) return this.storeConstant(tensor, tensor.constant, groups);
    const { stored } = tensor.layout;
    if (sameGroups(stored, groups)) return tensor.name;
    const known = this.moved.get(tensor.name) ?? [];
    const found = known.find((candidate) => sameGroups(candidate.groups, groups));
    if (found !== undefined) return found.name;
    let current = tensor.name;
    for (const step of stepsBetween(stored, groups)) {
      current =
        step.kind === 'permute'
          ? this.move('Transpose', [current], step.perm, reader)
          : this.move(
              'Reshape',
              [current, this.program.integers([0, ...step.shape])],
              null,
              reader,
            );
    }
    this.moved.set(tensor.name, [...known, { groups, name: current }]);
    return current;
  }

  private move(
    op: 'Transpose' | 'Reshape',
    inputs: readonly string[],
    perm: readonly number[] | null,
    reader: string,
  ): string {
    const attributes = perm === null ? {} : { perm: ints([0, ...perm.map((axis) => axis + 1)]) };
    return this.program.emit(op, inputs, attributes, { name: `${reader}/${op}` })[0]!;
  }

  private storeConstant(tensor: Tensor, data: Float32Array, groups: readonly Group[]): string {
    const { logical } = tensor.layout;
    const shape = [1, ...shapeOf(groups)];
    const numbers = new Map<Atom, number>(logical.flat().map((atom, i) => [atom, i]));
    const key = groups.map((group) => group.map((atom) => numbers.get(atom)).join('*')).join(' ');
    const asIs = sameGroups(logical, groups);
    return this.program.floats(asIs ? tensor.name : `${tensor.name} (${key})`, shape, () => {
      const order = sourceIndices(logical.flat(), groups.flat());
      return asIs ? data : Float32Array.from(order, (i) => data[i]!);
    });
  }
}

/** Nodes that an output depends on: others would only make the file larger. */
function neededNodes({ nodes, outputs }: Graph): readonly Node[] {
  const needed = new Set(outputs.map(({ tensor }) => tensor));
  const backwards = [...nodes].reverse().filter((node) => {
    if (!node.outputs.some((tensor) => needed.has(tensor))) return false;
    for (const tensor of node.inputs) needed.add(tensor);
    return true;
  });
  return backwards.reverse();
}

function floatsOf(node: Node, { data, shape }: Weight): Float32Array {
  if (data instanceof Float32Array) return data;
  if (node.op === 'constant')
    return Float32Array.from({ length: sizeOf(shape) }, (_, i) => data[i]!);
  throw new AppError(
    'GRAPH_INVALID',
    `Layer "${node.name}" has no float32 weights.`,
    'Import the model again.',
    {
      details: { layer: node.name },
    },
  );
}

function valueInfo(name: string, shape: Shape): ValueInfoProto {
  const dim = [1, ...shape].map((dimValue) => ({ dimValue }));
  return { name, type: { tensorType: { elemType: dataTypes.FLOAT, shape: { dim } } } };
}

function unsupported(node: Node, why: string): AppError {
  return new AppError(
    'EXPORT_UNSUPPORTED',
    `Layer "${node.name}" (${node.op}) cannot be written as ONNX: ${why}.`,
    'Export to another format, or replace this layer.',
    { details: { layer: node.name, op: node.op } },
  );
}
