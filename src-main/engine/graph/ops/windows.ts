// Arithmetic of sliding windows: output sizes and the padding that 'same' stands for.
import type { ExplicitPadding, Op, Padding, Pair, Shape } from '../types';
import { inputOfRank, requireIntegers, shapeError } from './check';

/** Kernel, stride, dilation and padding of a convolution or pooling. */
export interface Window {
  readonly kernelSize: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly padding: Padding;
}

/** Positions that a dilated kernel spans. */
export function dilatedSize(kernel: number, dilation: number): number {
  return (kernel - 1) * dilation + 1;
}

/**
 * Zeros before and after each spatial axis. 'same' is TensorFlow's: the output has ceil(size / stride)
 * positions, and an odd zero goes to the end
 * (https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2).
 */
export function explicitPadding(size: Pair, window: Window): ExplicitPadding {
  const { padding } = window;
  if (padding === 'valid') {
    return [
      [0, 0],
      [0, 0],
    ];
  }
  if (padding !== 'same') return padding;
  const along = (axis: 0 | 1): readonly [number, number] => {
    const output = Math.ceil(size[axis] / window.strides[axis]);
    const span = dilatedSize(window.kernelSize[axis], window.dilations[axis]);
    const total = Math.max((output - 1) * window.strides[axis] + span - size[axis], 0);
    const before = Math.floor(total / 2);
    return [before, total - before];
  };
  return [along(0), along(1)];
}

/** The name that the padding of a window has on an image of this size, or null. */
export function namedPadding(size: Pair, window: Window): 'valid' | 'same' | null {
  const amounts = (padding: Padding): string =>
    explicitPadding(size, { ...window, padding })
      .flat()
      .join();
  const wanted = amounts(window.padding);
  return (['valid', 'same'] as const).find((name) => amounts(name) === wanted) ?? null;
}

/**
 * Height and width that a window gives on an image [H, W, C].
 * @throws AppError GRAPH_INVALID when an attribute is out of range or the window is larger than the image.
 */
export function windowOutput(
  node: { readonly name: string; readonly op: Op },
  inputs: readonly Shape[],
  window: Window,
): Pair {
  const [height, width] = inputOfRank(node, inputs, 0, 3) as readonly [number, number, number];
  requireIntegers(node, inputs, 'window sizes', window.kernelSize);
  requireIntegers(node, inputs, 'strides', window.strides);
  requireIntegers(node, inputs, 'dilations', window.dilations);
  const size: Pair = [height, width];
  const padding = explicitPadding(size, window);
  requireIntegers(node, inputs, 'paddings', padding.flat(), 0);
  const along = (axis: 0 | 1): number => {
    const span = dilatedSize(window.kernelSize[axis], window.dilations[axis]);
    const room = size[axis] + padding[axis][0] + padding[axis][1] - span;
    if (room < 0) {
      throw shapeError(
        node,
        inputs,
        `a window of ${span} does not fit into ${size[axis]} positions with padding ` +
          `${padding[axis][0]} and ${padding[axis][1]}`,
      );
    }
    return Math.floor(room / window.strides[axis]) + 1;
  };
  return [along(0), along(1)];
}
