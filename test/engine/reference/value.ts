// Tensors of the reference: numbers in float64 with a shape, read and made index by index.

import type { Shape } from '../../../src-main/engine/graph/types';

export interface Value {
  readonly shape: Shape;
  readonly data: Float64Array;
}

export type Index = readonly number[];

export function sizeOf(shape: Shape): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** A tensor whose value at each index is given by a function. */
export function build(shape: Shape, valueAt: (index: Index) => number): Value {
  const data = new Float64Array(sizeOf(shape));
  const index = shape.map(() => 0);
  for (let i = 0; i < data.length; i++) {
    data[i] = valueAt(index);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
  return { shape, data };
}

export function at({ shape, data }: Value, index: Index): number {
  let position = 0;
  for (let axis = 0; axis < shape.length; axis++) position = position * shape[axis]! + index[axis]!;
  return data[position]!;
}

/** The value at an index of a larger shape that this one broadcasts to. */
export function broadcastAt(value: Value, index: Index): number {
  const own = index.slice(index.length - value.shape.length);
  return at(
    value,
    own.map((i, axis) => (value.shape[axis] === 1 ? 0 : i)),
  );
}

/** All indices of a shape, in row-major order. */
export function all(shape: Shape): Index[] {
  const indices: Index[] = [];
  build(shape, (index) => indices.push([...index]));
  return indices;
}

export function axisOf(axis: number, shape: Shape): number {
  return axis < 0 ? axis + shape.length : axis;
}

/** An index that is elsewhere along one axis. */
export function moved(index: Index, axis: number, place: number): Index {
  return index.map((old, i) => (i === axis ? place : old));
}

export const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
export const product = (values: readonly number[]): number => values.reduce((a, b) => a * b, 1);
export const mean = (values: readonly number[]): number => sum(values) / values.length;
export const largest = (values: readonly number[]): number => Math.max(...values);
export const smallest = (values: readonly number[]): number => Math.min(...values);
