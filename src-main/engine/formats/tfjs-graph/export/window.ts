// Padding of convolutions and pooling: SAME and VALID have names, everything else is an operation before, as not every
// backend of TensorFlow.js runs explicit padding.

import { explicitPadding, namedPadding, type Window } from '../../../graph/ops/windows';
import type { ExplicitPadding, Pair, Shape } from '../../../graph/types';
import { attr, type GraphDefBuilder, type Ref } from './graph-def';

export interface PaddedInput {
  readonly tensor: Ref;
  readonly padding: 'SAME' | 'VALID';
}

/** Prepares an image [H, W, C] for a window. `value` is what is put around it where that has no name. */
export function padForWindow(
  builder: GraphDefBuilder,
  tensor: Ref,
  shape: Shape,
  window: Window,
  value: number,
): PaddedInput {
  const size: Pair = [shape[0]!, shape[1]!];
  const name = namedPadding(size, window);
  if (name !== null) return { tensor, padding: name === 'same' ? 'SAME' : 'VALID' };
  const padded = padImage(builder, tensor, explicitPadding(size, window), value);
  return { tensor: padded, padding: 'VALID' };
}

export function padImage(
  builder: GraphDefBuilder,
  tensor: Ref,
  [rows, columns]: ExplicitPadding,
  value: number,
): Ref {
  return padConstant(builder, tensor, [rows, columns, [0, 0]], value);
}

/** A border of one value; `paddings` has an entry for each axis of the sample. */
export function padConstant(
  builder: GraphDefBuilder,
  tensor: Ref,
  paddings: readonly (readonly [number, number])[],
  value: number,
): Ref {
  const list = [0, 0, ...paddings.flat()];
  const amounts = builder.ints('paddings', list, [list.length / 2, 2]);
  const attrs = { Tpaddings: attr.type('DT_INT32') };
  if (value === 0) return builder.emit('Pad', [tensor, amounts], attrs);
  return builder.emit('PadV2', [tensor, amounts, builder.scalar('value', value)], attrs);
}

/** Strides, sizes and the like as lists of four. */
export function onImage([height, width]: Pair): ReturnType<typeof attr.ints> {
  return attr.ints([1, height, width, 1]);
}
