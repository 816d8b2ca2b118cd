// Invariants of a graph, checked after every import and every operation that makes a new graph.
import { AppError } from '../errors';
import { formatShape, shapeError, sizeOf } from './ops/check';
import { opDef, opTable } from './ops/table';
import { inferNode, inputShapesOf, weightsOf } from './shapes';
import type { Graph, Node, Shape, TensorId, Weight, WeightId, WeightRole } from './types';

function invalid(problem: string, details: Readonly<Record<string, unknown>>): AppError {
  return new AppError(
    'GRAPH_INVALID',
    problem,
    'Export the model again and repeat the import; if it stays, report it as a bug.',
    { details },
  );
}

/** Remembers what it has seen and refuses a second time. */
function uniqueNames(what: string): (name: string) => void {
  const seen = new Set<string>();
  return (name) => {
    if (name === '') throw invalid(`A ${what} is empty.`, {});
    if (seen.has(name)) throw invalid(`The ${what} "${name}" is used twice.`, { name });
    seen.add(name);
  };
}

/**
 * Checks that a graph is what every part of the engine relies on: unique ids and names, topological order,
 * each tensor made once, known ops with fitting shapes, each weight present, of the right shape and type and
 * used, outputs that exist. Layers that nobody reads are allowed. Values are not looked at: see `assertFinite`.
 * @throws AppError GRAPH_INVALID naming the layer, tensor or weight.
 */
export function validateGraph(graph: Graph): void {
  if (graph.inputs.length === 0) throw invalid('The model has no input.', {});
  if (graph.outputs.length === 0) throw invalid('The model has no output.', {});

  const shapes = new Map<TensorId, Shape>();
  const claimTensor = uniqueNames('tensor');
  const claimInput = uniqueNames('input name');
  for (const { tensor, name, shape } of graph.inputs) {
    claimTensor(tensor);
    claimInput(name);
    if (!shape.every((size) => Number.isInteger(size) && size > 0)) {
      throw invalid(`The input "${name}" has the shape ${formatShape(shape)}.`, { input: name });
    }
    shapes.set(tensor, shape);
  }

  const claimId = uniqueNames('layer id');
  const claimName = uniqueNames('layer name');
  const used = new Set<WeightId>();
  for (const node of graph.nodes) {
    claimId(node.id);
    claimName(node.name);
    if (!Object.hasOwn(opTable, node.op)) {
      throw invalid(`Layer "${node.name}" has the unknown op "${String(node.op)}".`, {
        layer: node.name,
      });
    }
    const inputs = inputShapesOf(node, shapes);
    const outputs = inferNode(node, inputs, weightsOf(graph, node));
    validateWeights(graph, node, inputs, used);
    validateOrigin(node, outputs[0]!);
    for (const [i, tensor] of node.outputs.entries()) {
      claimTensor(tensor);
      shapes.set(tensor, outputs[i]!);
    }
  }

  const claimOutput = uniqueNames('output name');
  for (const { tensor, name } of graph.outputs) {
    claimOutput(name);
    if (!shapes.has(tensor)) {
      throw invalid(`The output "${name}" is tensor "${tensor}", which no layer makes.`, {
        output: name,
      });
    }
  }
  for (const id of graph.weights.keys()) {
    if (!used.has(id)) throw invalid(`The weight "${id}" belongs to no layer.`, { weight: id });
  }
}

function validateWeights(
  graph: Graph,
  node: Node,
  inputs: readonly Shape[],
  used: Set<WeightId>,
): void {
  const expected = opDef(node.op).weightShapes(node, inputs);
  for (const [role, id] of Object.entries(node.weights)) {
    if (!Object.hasOwn(expected, role)) {
      throw shapeError(node, inputs, `the op has no weight "${role}"`);
    }
    const weight = graph.weights.get(id);
    if (weight === undefined) throw shapeError(node, inputs, `the weight "${id}" is missing`);
    validateWeight(node, inputs, id, weight);
    used.add(id);
  }
  for (const [role, { shape, optional }] of Object.entries(expected)) {
    const id = node.weights[role as WeightRole];
    if (id === undefined) {
      if (optional) continue;
      throw shapeError(node, inputs, `the weight "${role}" is missing`);
    }
    const actual = graph.weights.get(id)!.shape;
    if (shape !== null && formatShape(shape) !== formatShape(actual)) {
      throw shapeError(
        node,
        inputs,
        `the ${role} must have the shape ${formatShape(shape)}, not ${formatShape(actual)}`,
      );
    }
  }
}

const arrayOf = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;

function validateWeight(node: Node, inputs: readonly Shape[], id: WeightId, weight: Weight): void {
  if (!(weight.data instanceof arrayOf[weight.dtype])) {
    throw shapeError(node, inputs, `the weight "${id}" does not hold ${weight.dtype} numbers`);
  }
  if (weight.dtype !== 'float32' && node.op !== 'constant') {
    throw shapeError(node, inputs, `the weight "${id}" must be float32, not ${weight.dtype}`);
  }
  if (weight.data.length !== sizeOf(weight.shape)) {
    throw shapeError(
      node,
      inputs,
      `the weight "${id}" of shape ${formatShape(weight.shape)} holds ${weight.data.length} numbers`,
    );
  }
}

function validateOrigin(node: Node, output: Shape): void {
  const { origin } = node;
  if (origin === undefined) return;
  const indices = origin.every((index) => Number.isInteger(index) && index >= 0);
  if (origin.length !== output.at(-1) || !indices) {
    throw invalid(`Layer "${node.name}" names an origin for each channel that does not fit.`, {
      layer: node.name,
    });
  }
}

/** Index of the first value that is NaN or infinite, or -1. */
function firstNotFinite(values: Float32Array): number {
  // x - x is 0 for every finite x and NaN otherwise: a sum tells in one pass without a branch.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! - values[i]!;
  return sum === 0 ? -1 : values.findIndex((value) => !Number.isFinite(value));
}

/**
 * Checks that every weight is a finite number.
 * @throws AppError MODEL_NOT_FINITE naming the layer and the weight.
 */
export function assertFinite(graph: Graph): void {
  for (const node of graph.nodes) {
    for (const [role, id] of Object.entries(node.weights)) {
      const data = graph.weights.get(id)?.data;
      if (!(data instanceof Float32Array)) continue;
      const index = firstNotFinite(data);
      if (index < 0) continue;
      throw new AppError(
        'MODEL_NOT_FINITE',
        `Layer "${node.name}" (${node.op}): the ${role} holds ${data[index]} at position ${index}.`,
        'The model diverged when it was trained: take an earlier checkpoint.',
        { details: { layer: node.name, role, index } },
      );
    }
  }
}
