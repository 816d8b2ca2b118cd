// From a range of real numbers to the integers that stand for it, as the TFLite 8-bit quantisation specification wants
// it (https://www.tensorflow.org/lite/performance/quantization_spec): activations asymmetric from -128 to 127, with an
// integer for 0 so that zeros around images are exact.

import type { Affine, Range } from './types';

export const lowest = -128;
export const highest = 127;

/** Steps below this are those of a tensor that holds nothing but zeros: products of scales stay normal numbers. */
const smallestScale = 2 ** -40;

/**
 * Scale and zero point of an activation. The scale is a float32, as files hold it.
 * @param atLeast the smallest scale, where something else asks for one
 */
export function activationParameters({ min, max }: Range, atLeast = smallestScale): Affine {
  const [low, high] = [Math.min(min, 0), Math.max(max, 0)];
  const scale = Math.fround(Math.max((high - low) / (highest - lowest), atLeast));
  return { scale, zeroPoint: clamp(Math.round(lowest - low / scale)) };
}

/** The integers that stand for numbers: to the nearest, halves away from 0, as TFLite's own kernels round. */
export function quantized(values: Float32Array, { scale, zeroPoint }: Affine): Int8Array {
  const result = new Int8Array(values.length);
  for (let i = 0; i < result.length; i++) {
    result[i] = clamp(roundAway(values[i]! / scale) + zeroPoint);
  }
  return result;
}

export function dequantized(values: ArrayLike<number>, { scale, zeroPoint }: Affine): Float32Array {
  const result = new Float32Array(values.length);
  for (let i = 0; i < result.length; i++) result[i] = (values[i]! - zeroPoint) * scale;
  return result;
}

export function roundAway(value: number): number {
  return value < 0 ? -Math.round(-value) : Math.round(value);
}

function clamp(value: number): number {
  return Math.min(Math.max(value, lowest), highest);
}

/** The smallest range that holds all of several; null of none. */
export function unionOf(ranges: Iterable<Range>): Range | null {
  let union: Range | null = null;
  for (const { min, max } of ranges) {
    union =
      union === null
        ? { min, max }
        : { min: Math.min(union.min, min), max: Math.max(union.max, max) };
  }
  return union;
}

export function rangeOf(values: Float32Array): Range {
  let [min, max] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min, max };
}
