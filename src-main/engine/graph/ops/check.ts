// Checks shared by the shape inference of all ops; each error names the layer, the op and the shapes.
import { AppError } from '../../errors';
import type { Op, Shape } from '../types';

/** What an error needs to know of a node. */
interface NamedNode {
  readonly name: string;
  readonly op: Op;
}

/** Writes a shape for people: [32, 32, 16]. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** GRAPH_INVALID for a node whose inputs and attributes do not fit. */
export function shapeError(node: NamedNode, inputs: readonly Shape[], problem: string): AppError {
  const shapes = inputs.map(formatShape).join(', ');
  return new AppError(
    'GRAPH_INVALID',
    `Layer "${node.name}" (${node.op}) on ${shapes === '' ? 'no input' : shapes}: ${problem}.`,
    'Check the layer in the program that made the model, export it again and repeat the import.',
    { details: { layer: node.name, op: node.op, inputs } },
  );
}

/** An input by index, which must have the given rank. */
export function inputOfRank(
  node: NamedNode,
  inputs: readonly Shape[],
  index: number,
  rank: number,
): Shape {
  const shape = inputAt(node, inputs, index);
  if (shape.length !== rank) {
    const expected = rank === 3 ? 'an image [height, width, channels]' : `rank ${rank}`;
    throw shapeError(node, inputs, `input ${index} must be ${expected}`);
  }
  return shape;
}

/** An input by index, which must exist. */
export function inputAt(node: NamedNode, inputs: readonly Shape[], index: number): Shape {
  const shape = inputs[index];
  if (shape === undefined) throw shapeError(node, inputs, `input ${index} is missing`);
  return shape;
}

/** Size of the last axis of an input that must have one. */
export function channelsOf(node: NamedNode, inputs: readonly Shape[], index = 0): number {
  const channels = inputAt(node, inputs, index).at(-1);
  if (channels === undefined) throw shapeError(node, inputs, `input ${index} has no channel axis`);
  return channels;
}

/** An axis of the sample as a number from 0; negative axes count from the end. */
export function resolveAxis(
  node: NamedNode,
  inputs: readonly Shape[],
  axis: number,
  rank: number,
): number {
  const resolved = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(resolved) || resolved < 0 || resolved >= rank) {
    throw shapeError(node, inputs, `axis ${axis} is outside rank ${rank}`);
  }
  return resolved;
}

/** Requires whole numbers of at least `min`. */
export function requireIntegers(
  node: NamedNode,
  inputs: readonly Shape[],
  what: string,
  values: readonly number[],
  min = 1,
): void {
  if (!values.every((value) => Number.isInteger(value) && value >= min)) {
    throw shapeError(
      node,
      inputs,
      `${what} must be whole numbers of at least ${min}, not ${values.join(', ')}`,
    );
  }
}

/** Number of elements of a shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The replacement of one entry of a shape. */
export function withAxis(shape: Shape, axis: number, size: number): Shape {
  return shape.map((old, i) => (i === axis ? size : old));
}

/** NumPy broadcasting of per-sample shapes, aligned at the last axis; null when they do not fit. */
export function broadcastShapes(shapes: readonly Shape[]): Shape | null {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const result = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    const offset = rank - shape.length;
    for (const [i, size] of shape.entries()) {
      const current = result[offset + i]!;
      if (current !== size && current !== 1 && size !== 1) return null;
      if (current === 1) result[offset + i] = size;
    }
  }
  return result;
}
