// Arithmetic between tensors, and with stored numbers.

import { attr, type Ref } from './graph-def';
import { reshapeTo } from './layout';
import type { Lower, Lowering } from './types';

type Arithmetic = 'add' | 'sub' | 'mul' | 'div' | 'max' | 'min' | 'average';

/** Pairwise from left to right. Axes align from the last one: [C] beside [H, W, C] must be [1, 1, C] behind the batch. */
function chain<K extends Arithmetic>(layer: Lowering<K>, op: string): Ref {
  const { builder, inputs, inputShapes, outputShapes } = layer;
  const rank = outputShapes[0]!.length;
  const aligned = inputs.map((input, i) => {
    const shape = inputShapes[i]!;
    // A stored tensor has no samples that could be taken for rows.
    if (shape.length === rank || builder.weights.has(input)) return input;
    return reshapeTo(builder, input, [...new Array<number>(rank - shape.length).fill(1), ...shape]);
  });
  return aligned.reduce((joined, input) => builder.emit(op, [joined, input]));
}

export const add: Lower<'add'> = (layer) => [chain(layer, 'AddV2')];
export const sub: Lower<'sub'> = (layer) => [chain(layer, 'Sub')];
export const mul: Lower<'mul'> = (layer) => [chain(layer, 'Mul')];
export const div: Lower<'div'> = (layer) => [chain(layer, 'RealDiv')];
export const max: Lower<'max'> = (layer) => [chain(layer, 'Maximum')];
export const min: Lower<'min'> = (layer) => [chain(layer, 'Minimum')];

export const average: Lower<'average'> = (layer) => {
  const { builder, inputs } = layer;
  return [
    builder.emit('Mul', [chain(layer, 'AddV2'), builder.scalar('factor', 1 / inputs.length)]),
  ];
};

export const rescale: Lower<'rescale'> = ({ node, builder, inputs }) => {
  const list = (label: string, values: readonly number[]): Ref =>
    values.length === 1 ? builder.scalar(label, values[0]!) : builder.floats(label, values);
  const { scale, offset } = node.attrs;
  let y = inputs[0]!;
  if (scale.some((value) => value !== 1)) y = builder.emit('Mul', [y, list('scale', scale)]);
  if (offset.some((value) => value !== 0)) y = builder.emit('AddV2', [y, list('offset', offset)]);
  return [y];
};

export const dropout: Lower<'dropout'> = ({ inputs }) => [inputs[0]!];

export const matmul: Lower<'matmul'> = ({ node, builder, inputs }) => {
  const { transposeA, transposeB } = node.attrs;
  const attrs = { adj_x: attr.flag(transposeA), adj_y: attr.flag(transposeB) };
  return [builder.emit('BatchMatMulV2', inputs, attrs)];
};

/** A batch of one, which broadcasts against every batch. */
export const constant: Lower<'constant'> = ({ builder, weight }) => {
  const { shape, data } = weight('value')!;
  return [builder.floats('value', data, [1, ...shape])];
};
