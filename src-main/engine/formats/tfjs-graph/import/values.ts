// What the outputs of nodes are while a graph model is read: numbers that are known, or tensors of the graph.

import { formatShape, sizeOf } from '../../../graph/ops/check';
import type { Shape, TensorId, Weight } from '../../../graph/types';
import { corrupt } from '../../keras-config/errors';

/**
 * Numbers that do not depend on the input. Whole numbers may hold NaN, which stands for the number of samples of a
 * batch: shapes are calculated with it, and whatever is calculated from it is as unknown.
 */
export interface Constant {
  readonly kind: 'constant';
  /** As the file has it, without a batch axis. */
  readonly shape: Shape;
  readonly type: 'float' | 'int' | 'bool';
  readonly data: Float32Array | Float64Array | Uint8Array;
  /** Node that holds the numbers. */
  readonly name: string;
}

/**
 * How the axes of a tensor in the file lie in the graph:
 * - 'plain': [batch, ...sample];
 * - 'channelsFirst': [batch, C, ...rest] of the sample [...rest, C];
 * - 'rows': [batch * rest, C] of the sample [...rest, C], as matrix products want it.
 */
export type Layout = 'plain' | 'channelsFirst' | 'rows';

export interface Activation {
  readonly kind: 'activation';
  readonly tensor: TensorId;
  readonly layout: Layout;
}

export type Value = Constant | Activation;

export function activation(tensor: TensorId, layout: Layout = 'plain'): Activation {
  return { kind: 'activation', tensor, layout };
}

/** Whole numbers, a list unless a shape is given. */
export function ints(
  name: string,
  values: readonly number[],
  shape: Shape = [values.length],
): Constant {
  return { kind: 'constant', name, shape, type: 'int', data: Float64Array.from(values) };
}

/** A stored weight of the file. */
export function storedConstant(name: string, { shape, dtype, data }: Weight): Constant {
  if (data.length !== sizeOf(shape)) {
    throw corrupt(`The weight "${name}" of shape ${formatShape(shape)} has ${data.length} numbers`);
  }
  if (dtype === 'int32') return { ...ints(name, [], shape), data: Float64Array.from(data) };
  const type = dtype === 'bool' ? 'bool' : 'float';
  return { kind: 'constant', name, shape, type, data: data as Float32Array | Uint8Array };
}

/** The only number of a constant, or null. */
export function scalarOf({ data }: Constant): number | null {
  return data.length === 1 ? data[0]! : null;
}

/** The sample's axes in the order of the file. */
export function sampleInFile(shape: Shape, layout: Layout): Shape {
  if (layout === 'channelsFirst') return [shape.at(-1)!, ...shape.slice(0, -1)];
  return layout === 'rows' ? shape.slice(-1) : shape;
}
