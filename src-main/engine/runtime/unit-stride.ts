// A convolution with different strides down and across, which TensorFlow's depthwise kernels refuse: computed at
// stride 1, of which every so many rows and columns are the result.

import { explicitPadding } from '../graph/ops/windows';
import type { Pair } from '../graph/types';
import type { ConvWindow, Tensor, TensorFlow } from './primitives';

/** Whether a window takes the same steps down and across. */
export function isSquare({ strides }: ConvWindow): boolean {
  return strides[0] === strides[1];
}

/** The window with the same padding in numbers ('same' depends on the strides) and strides of 1. */
export function atUnitStride(
  window: ConvWindow,
  inputShape: readonly number[],
  kernelShape: readonly number[],
): ConvWindow {
  const [, height, width] = inputShape as readonly [number, number, number];
  const kernelSize: Pair = [kernelShape[0]!, kernelShape[1]!];
  return {
    strides: [1, 1],
    dilations: window.dilations,
    padding: explicitPadding([height, width], { ...window, kernelSize }),
  };
}

/** Every so many rows and columns of [N, H, W, C]. */
export function takeStrides(tf: TensorFlow, y: Tensor, [down, across]: Pair): Tensor {
  const [batch, height, width, channels] = y.shape as [number, number, number, number];
  if (height % down === 0 && width % across === 0) {
    // A slice copies runs of channels: ten times as fast as a strided slice, which takes number by number.
    const [rows, columns] = [height / down, width / across];
    return tf.tidy(() => {
      const apart = tf.reshape(y, [batch, rows, down, columns, across * channels]);
      const taken = tf.slice(apart, [0, 0, 0, 0, 0], [batch, rows, 1, columns, channels]);
      return tf.reshape(taken, [batch, rows, columns, channels]);
    });
  }
  return tf.stridedSlice(y, [0, 0, 0, 0], y.shape, [1, down, across, 1]);
}

/**
 * The gradient at stride 1 that belongs to a gradient at the strides: zeros where nothing was taken.
 * @param size height and width of the output at stride 1
 */
export function spreadStrides(
  tf: TensorFlow,
  dy: Tensor,
  [down, across]: Pair,
  size: Pair,
): Tensor {
  const [batch, rows, columns, channels] = dy.shape as [number, number, number, number];
  return tf.tidy(() => {
    const apart = tf.pad(tf.reshape(dy, [batch, rows, 1, columns, 1, channels]), [
      [0, 0],
      [0, 0],
      [0, down - 1],
      [0, 0],
      [0, across - 1],
      [0, 0],
    ]);
    const spread = tf.reshape(apart, [batch, rows * down, columns * across, channels]);
    const height = Math.min(rows * down, size[0]);
    const width = Math.min(columns * across, size[1]);
    const taken = tf.slice(spread, [0, 0, 0, 0], [batch, height, width, channels]);
    return tf.pad(taken, [
      [0, 0],
      [0, size[0] - height],
      [0, size[1] - width],
      [0, 0],
    ]);
  });
}

/** Height and width of the output of a window with numbers for padding and strides of 1. */
export function unitStrideSize(
  window: ConvWindow,
  inputShape: readonly number[],
  kernelShape: readonly number[],
): Pair {
  const [top, left] = explicitPadding([0, 0], { ...window, kernelSize: [1, 1] });
  const along = (axis: 0 | 1, padding: readonly [number, number]): number =>
    inputShape[axis + 1]! +
    padding[0] +
    padding[1] -
    (kernelShape[axis]! - 1) * window.dilations[axis];
  return [along(0, top), along(1, left)];
}
