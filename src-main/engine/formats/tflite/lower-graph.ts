// Turns a graph into a TFLite program, layer by layer, with the fusions that TFLite's operators offer.

import { inferShapes, inputShapesOf, weightsOf } from '../../graph/shapes';
import type { Graph, Node, TensorId } from '../../graph/types';
import { batchNormAffine } from '../fusion';
import { floatsOf } from '../lowering';
import { planOperators } from './fusion';
import { reshapeTo } from './lower/norms';
import { lowerings } from './lower/table';
import { batched, type Lower, type LoweringTarget } from './lower/types';
import { mergePads } from './merge-pads';
import { Program, type TensorIndex } from './program';

/**
 * The program of a graph at batch 1, float32.
 * @param target what the program is for: one that will be quantised has operators that bear it
 * @throws AppError EXPORT_UNSUPPORTED naming the layer that TFLite cannot hold.
 */
export function lowerGraph(whole: Graph, target: LoweringTarget = 'float'): Program {
  const { graph } = mergePads(whole);
  const program = new Program(graph.name);
  const shapes = inferShapes(graph);
  const { followers, absorbed } = planOperators(graph);
  const tensors = new Map<TensorId, TensorIndex>();
  for (const input of graph.inputs) {
    tensors.set(input.tensor, program.addInput(input.name, batched(input.shape)));
  }
  for (const node of graph.nodes) {
    if (absorbed.has(node.id)) continue;
    const own = followers.get(node.id);
    program.layer = node.name;
    const weight = weightsOf(graph, node);
    const norm = own?.batchNorm ?? null;
    const outputs = lowerNode(node, {
      program,
      inputs: node.inputs.map((tensor) => tensors.get(tensor)!),
      inputShapes: inputShapesOf(node, shapes),
      outputShapes: node.outputs.map((tensor) => shapes.get(tensor)!),
      weight,
      floats: (role) => floatsOf(node, weight(role)?.data),
      affine: norm && batchNormAffine(norm, weightsOf(graph, norm)),
      activation: own?.activation ?? 'NONE',
      target,
    });
    if (own) tensors.set(own.result, outputs[0]!);
    else node.outputs.forEach((tensor, i) => tensors.set(tensor, outputs[i]!));
  }
  addOutputs(program, graph, tensors);
  return program;
}

/**
 * For each layer of a graph the one whose operators compute it: another one where it is a batch norm, activation or border
 * that went into it.
 */
export function layerOwners(whole: Graph): ReadonlyMap<string, string> {
  const { graph, owners: padded } = mergePads(whole);
  const { followers, absorbed } = planOperators(graph);
  const makers = new Map<TensorId, string>();
  const owners = new Map<string, string>();
  for (const node of graph.nodes) {
    const owner = absorbed.has(node.id) ? makers.get(node.inputs[0]!)! : node.name;
    owners.set(node.name, owner);
    for (const tensor of node.outputs) makers.set(tensor, owner);
    const result = followers.get(node.id)?.result;
    if (result !== undefined) makers.set(result, owner);
  }
  for (const node of whole.nodes) {
    const owner = padded.get(node.id);
    if (owner !== undefined) owners.set(node.name, owners.get(owner.name)!);
  }
  return owners;
}

function lowerNode(
  node: Node,
  rest: Omit<Parameters<Lower<'add'>>[0], 'node'>,
): readonly TensorIndex[] {
  // The table pairs each op with the lowering of its own node type; the compiler cannot follow the pairing.
  const lower = lowerings[node.op] as Lower<Node['op']>;
  return lower({ ...rest, node } as Parameters<typeof lower>[0]);
}

/** Outputs must be tensors that an operator makes, each its own: others are copied by a reshape. */
function addOutputs(
  program: Program,
  graph: Graph,
  tensors: ReadonlyMap<TensorId, TensorIndex>,
): void {
  const taken = new Set<TensorIndex>(program.inputs.map(({ tensor }) => tensor));
  for (const { tensor, name } of graph.outputs) {
    program.layer = name;
    let index = tensors.get(tensor)!;
    if (taken.has(index) || program.tensors[index]!.buffer !== null) {
      index = reshapeTo(program, index, program.shapeOf(index));
    }
    taken.add(index);
    program.addOutput(name, index);
  }
}
