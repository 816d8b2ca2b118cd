// Turns the stored bytes of a weight into numbers, dequantising where the converter quantised.

import type { Weight } from '../../graph/types';
import { halvesToFloats } from '../half-floats';
import { corrupt } from '../keras-config/errors';
import type { ManifestEntry } from './manifest';

export const bytesPerNumber = {
  float32: 4,
  int32: 4,
  bool: 1,
  uint8: 1,
  uint16: 2,
  float16: 2,
} as const;

export type StoredType = keyof typeof bytesPerNumber;

/** A weight from its bytes, little-endian. Quantised weights become what they were, float32 or int32. */
export function decodeWeight(entry: ManifestEntry, bytes: Uint8Array): Weight {
  const { shape, quantization, dtype } = entry;
  // A copy of its own: the bytes may lie at any offset of the file.
  const buffer = bytes.slice().buffer;
  if (quantization === undefined) {
    if (dtype === 'int32') return { shape, dtype: 'int32', data: new Int32Array(buffer) };
    if (dtype === 'float32') return { shape, dtype: 'float32', data: new Float32Array(buffer) };
    return { shape, dtype: 'bool', data: new Uint8Array(buffer) };
  }
  const numbers = dequantise(entry, buffer);
  if (dtype !== 'int32') return { shape, dtype: 'float32', data: numbers };
  return { shape, dtype: 'int32', data: Int32Array.from(numbers, Math.round) };
}

/**
 * float16 holds the numbers themselves; uint8 and uint16 hold q with value = q * scale + min
 * (tfjs-converter, python/tensorflowjs/quantization.py).
 */
function dequantise({ name, quantization }: ManifestEntry, buffer: ArrayBufferLike): Float32Array {
  const { dtype, scale, min } = quantization!;
  if (dtype === 'float16') return halvesToFloats(new Uint16Array(buffer));
  if (scale === undefined || min === undefined) {
    throw corrupt(`The quantised weight "${name}" has no scale and minimum`);
  }
  const numbers = dtype === 'uint8' ? new Uint8Array(buffer) : new Uint16Array(buffer);
  return Float32Array.from(numbers, (q) => q * scale + min);
}
