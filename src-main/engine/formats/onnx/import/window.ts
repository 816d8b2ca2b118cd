// Windows of convolutions and pooling: what the attributes of all operator sets say, in the graph's terms.

import { dilatedSize, explicitPadding, type Window } from '../../../graph/ops/windows';
import type { ExplicitPadding, Padding, Pair } from '../../../graph/types';
import type { NodeCall } from './types';

/** An attribute with one whole number for height and one for width. */
export function pairAttribute(call: NodeCall, name: string, fallback: Pair, min = 1): Pair {
  const values = call.node.attributes.ints(name, fallback);
  if (values.length !== 2) {
    const two = values.length === 1 || values.length === 3;
    throw two
      ? call.unsupported(`it works on ${values.length} axes, images have 2`)
      : call.corrupt(`"${name}" has ${values.length} entries`);
  }
  if (values.some((value) => !Number.isInteger(value) || value < min)) {
    throw call.corrupt(`"${name}" is ${values.join(', ')}`);
  }
  return [values[0]!, values[1]!];
}

/** Strides, dilations and padding of a window of the given size on an image. */
export function windowOf(call: NodeCall, size: Pair, kernelSize: Pair): Window {
  const strides = pairAttribute(call, 'strides', [1, 1]);
  const dilations = pairAttribute(call, 'dilations', [1, 1]);
  const bare = { kernelSize, strides, dilations };
  return { ...bare, padding: paddingOf(call, size, { ...bare, padding: 'same' }) };
}

function paddingOf(call: NodeCall, size: Pair, same: Window): Padding {
  const auto = call.node.attributes.text('auto_pad', 'NOTSET');
  switch (auto) {
    case 'VALID':
      return 'valid';
    case 'SAME_UPPER':
      return 'same';
    case 'SAME_LOWER': {
      // As 'same', but an odd zero comes first.
      const [rows, columns] = explicitPadding(size, same);
      return named(size, same, [
        [rows[1], rows[0]],
        [columns[1], columns[0]],
      ]);
    }
    case 'NOTSET':
    case '':
      return named(size, same, explicitPads(call));
    default:
      throw call.corrupt(`"auto_pad" is "${auto}"`);
  }
}

/** "pads" as [[top, bottom], [left, right]]: the attribute has all beginnings first. */
export function explicitPads(call: NodeCall): ExplicitPadding {
  const pads = call.node.attributes.ints('pads', [0, 0, 0, 0]);
  if (pads.length !== 4) throw call.corrupt(`"pads" has ${pads.length} entries`);
  if (pads.some((value) => !Number.isInteger(value) || value < 0)) {
    throw call.corrupt(`"pads" are ${pads.join(', ')}`);
  }
  return [
    [pads[0]!, pads[2]!],
    [pads[1]!, pads[3]!],
  ];
}

/** Padding by the name that all formats have for it, where it has one. */
export function named(size: Pair, window: Window, padding: ExplicitPadding): Padding {
  if (padding.flat().every((amount) => amount === 0)) return 'valid';
  const same = explicitPadding(size, { ...window, padding: 'same' });
  return same.flat().join() === padding.flat().join() ? 'same' : padding;
}

/**
 * What a window needs at the end beyond its padding, so that rounding down gives the size that rounding up would: a
 * last window counts where it begins on the image or in the padding before it (ONNX, MaxPool, since set 22; PyTorch
 * and ONNX Runtime always did).
 */
export function ceilExtra(size: Pair, window: Window, padding: ExplicitPadding): Pair {
  const along = (axis: 0 | 1): number => {
    const [before, after] = padding[axis];
    const span = dilatedSize(window.kernelSize[axis], window.dilations[axis]);
    const stride = window.strides[axis];
    const room = size[axis] + before + after - span;
    let count = Math.ceil(room / stride) + 1;
    if ((count - 1) * stride >= size[axis] + before) count--;
    return Math.max(0, (count - 1) * stride - room);
  };
  return [along(0), along(1)];
}
