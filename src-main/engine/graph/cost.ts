// What a graph costs, per sample: parameters, multiply-accumulates, bytes. Conventions are those of `Cost`.
//
// Parameters: all stored numbers but batch norm's mean and variance; a weight that several layers share counts
// once, at its first layer. MACs: convolutions and dense layers alone, a shared layer at each call (Li et al.
// 2017, "Pruning Filters for Efficient ConvNets"). Bytes: four a number, as float32. Activation peak: tensors
// live from the node that makes them to their last reader, graph inputs from the start and graph outputs to
// the end; nothing is computed in place.
import { sizeOf } from './ops/check';
import { opDef } from './ops/table';
import type { ShapeMap } from './ops/types';
import { inferShapes, inputShapesOf } from './shapes';
import type { Cost, Graph, Node, NodeId, TensorId, WeightId, WeightRole } from './types';

const bytesPerNumber = 4;

/** Batch norm's running statistics are state, not parameters. */
const stateRoles: ReadonlySet<string> = new Set<WeightRole>(['mean', 'variance']);

/** Multiply-accumulates of one node, per sample. */
export function nodeMacs(node: Node, shapes: ShapeMap): number {
  const outputs = node.outputs.map((tensor) => shapes.get(tensor)!);
  return opDef(node.op).macs?.(node, inputShapesOf(node, shapes), outputs) ?? 0;
}

/** How many numbers a weight holds. */
export type WeightSize = (id: WeightId) => number;

function storedSize(graph: Graph): WeightSize {
  return (id) => graph.weights.get(id)?.data.length ?? 0;
}

/**
 * Costs of each node, by node id. Shapes and sizes of weights can be given, to price a graph that exists only
 * as a plan.
 * @throws AppError GRAPH_INVALID when the shapes do not fit.
 */
export function nodeCosts(
  graph: Graph,
  shapes = inferShapes(graph),
  weightSize = storedSize(graph),
): ReadonlyMap<NodeId, Cost> {
  const counted = new Set<WeightId>();
  const costs = new Map<NodeId, Cost>();
  for (const node of graph.nodes) {
    let params = 0;
    let stored = 0;
    for (const [role, id] of Object.entries(node.weights)) {
      if (counted.has(id)) continue;
      counted.add(id);
      const size = weightSize(id);
      stored += size;
      if (!stateRoles.has(role)) params += size;
    }
    costs.set(node.id, {
      params,
      macs: nodeMacs(node, shapes),
      weightBytes: stored * bytesPerNumber,
      activationBytes: tensorBytes(node.outputs, shapes),
    });
  }
  return costs;
}

/**
 * Costs of a whole graph; see `nodeCosts` for what can be given.
 * @throws AppError GRAPH_INVALID when the shapes do not fit.
 */
export function graphCost(
  graph: Graph,
  shapes = inferShapes(graph),
  weightSize = storedSize(graph),
): Cost {
  let [params, macs, weightBytes] = [0, 0, 0];
  for (const cost of nodeCosts(graph, shapes, weightSize).values()) {
    params += cost.params;
    macs += cost.macs;
    weightBytes += cost.weightBytes;
  }
  return { params, macs, weightBytes, activationBytes: peakActivationBytes(graph, shapes) };
}

/** How exports store numbers. */
export type StoredPrecision = 'fp32' | 'fp16' | 'int8';

/**
 * Bytes of the stored numbers of a graph in a precision. 'int8' stores kernels in one byte a number and all else in
 * four: biases are int32, and the vectors of batch norms enter them.
 */
export function storedBytes(
  graph: Graph,
  precision: StoredPrecision,
  weightSize = storedSize(graph),
): number {
  const bytesOf = (role: string): number =>
    precision === 'fp16' ? 2 : precision === 'int8' && role === 'kernel' ? 1 : bytesPerNumber;
  const counted = new Set<WeightId>();
  let bytes = 0;
  for (const node of graph.nodes) {
    for (const [role, id] of Object.entries(node.weights)) {
      if (counted.has(id)) continue;
      counted.add(id);
      bytes += weightSize(id) * bytesOf(role);
    }
  }
  return bytes;
}

function tensorBytes(tensors: Iterable<TensorId>, shapes: ShapeMap): number {
  let bytes = 0;
  for (const tensor of tensors) bytes += sizeOf(shapes.get(tensor) ?? [0]) * bytesPerNumber;
  return bytes;
}

/** Index of the last node that reads each tensor; graph outputs are read at the end. */
function lastReaders(graph: Graph): Map<TensorId, number> {
  const last = new Map<TensorId, number>();
  for (const [index, node] of graph.nodes.entries()) {
    for (const tensor of node.inputs) last.set(tensor, index);
  }
  for (const { tensor } of graph.outputs) last.set(tensor, Infinity);
  return last;
}

function peakActivationBytes(graph: Graph, shapes: ShapeMap): number {
  const last = lastReaders(graph);
  const live = new Set(graph.inputs.map(({ tensor }) => tensor));
  let bytes = tensorBytes(live, shapes);
  let peak = bytes;
  const add = (tensor: TensorId): void => {
    live.add(tensor);
    bytes += tensorBytes([tensor], shapes);
  };
  for (const [index, node] of graph.nodes.entries()) {
    node.outputs.forEach(add);
    peak = Math.max(peak, bytes);
    for (const tensor of live) {
      if ((last.get(tensor) ?? -1) > index) continue;
      live.delete(tensor);
      bytes -= tensorBytes([tensor], shapes);
    }
  }
  return peak;
}
