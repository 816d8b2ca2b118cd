// Padding of convolutions and pooling: TFLite knows SAME and VALID, everything else is an operator before.

import { explicitPadding, namedPadding, type Window } from '../../../graph/ops/windows';
import type { Pair, Shape } from '../../../graph/types';
import type { Program, TensorIndex } from '../program';
import type { PaddingName } from '../schema';
import { batched } from './types';

export interface PaddedInput {
  readonly tensor: TensorIndex;
  readonly padding: PaddingName;
}

/** Prepares an image [H, W, C] for a window: padded by an operator where TFLite has no name for it. */
export function padForWindow(
  program: Program,
  tensor: TensorIndex,
  shape: Shape,
  window: Window,
  value: number,
): PaddedInput {
  const size: Pair = [shape[0]!, shape[1]!];
  const name = namedPadding(size, window);
  if (name !== null) return { tensor, padding: name === 'same' ? 'SAME' : 'VALID' };
  const [[top, bottom], [left, right]] = explicitPadding(size, window);
  const paddings = [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ] as const;
  return { tensor: padConstant(program, tensor, shape, paddings, value), padding: 'VALID' };
}

/** A border of one value; `paddings` has an entry for each axis, the batch among them. */
export function padConstant(
  program: Program,
  tensor: TensorIndex,
  shape: Shape,
  paddings: readonly (readonly [number, number])[],
  value: number,
): TensorIndex {
  const amounts = program.ints('paddings', paddings.flat(), [paddings.length, 2]);
  const output = batched(shape).map((size, axis) => size + paddings[axis]![0] + paddings[axis]![1]);
  if (value === 0) return program.emit('PAD', [tensor, amounts], output, {});
  const fill = program.constant('value', [1], Float32Array.of(value));
  return program.emit('PADV2', [tensor, amounts, fill], output, {});
}
