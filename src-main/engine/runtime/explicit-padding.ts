// Explicit padding outside of a convolution: zeros put around the input, and taken off its gradient again.

import type { ExplicitPadding } from '../graph/types';
import type { ConvWindow, Tensor, TensorFlow } from './primitives';

/** The window, and the padding to apply before it: null for 'same' and 'valid'. */
export interface SplitWindow {
  readonly window: ConvWindow;
  readonly padding: ExplicitPadding | null;
}

const splitWindows = new WeakMap<ConvWindow, SplitWindow>();

/** Takes explicit padding out of a window. The same window gives the same result object. */
export function splitPadding(window: ConvWindow): SplitWindow {
  let split = splitWindows.get(window);
  if (split === undefined) {
    const { padding } = window;
    split =
      typeof padding === 'string'
        ? { window, padding: null }
        : { window: { ...window, padding: 'valid' }, padding };
    splitWindows.set(window, split);
  }
  return split;
}

/** Shape [N, H, W, C] with the padding added. */
export function paddedShape(shape: readonly number[], padding: ExplicitPadding | null): number[] {
  if (padding === null) return [...shape];
  const [[top, bottom], [left, right]] = padding;
  const [batch, height, width, channels] = shape as [number, number, number, number];
  return [batch, height + top + bottom, width + left + right, channels];
}

/** The image itself where there is nothing to add. */
export function padImage(
  tf: TensorFlow,
  x: Tensor,
  padding: ExplicitPadding | null,
  value = 0,
): Tensor {
  if (padding === null) return x;
  return tf.pad(x, [[0, 0], ...padding, [0, 0]] as [number, number][], value);
}

/** The part of a padded image that lies on the image of the given shape. */
export function cropPadding(
  tf: TensorFlow,
  padded: Tensor,
  padding: ExplicitPadding | null,
  shape: readonly number[],
): Tensor {
  if (padding === null) return padded;
  return tf.slice(padded, [0, padding[0][0], padding[1][0], 0], [...shape]);
}
