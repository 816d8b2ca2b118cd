// Stores weights as TensorFlow.js wants them: one after the other in files of 4 MiB, described by a manifest; kernels
// in fewer bits where asked for.

import { AppError } from '../../errors';
import { largestHalf, toHalf } from '../../quantize/half';
import type { Weight } from '../../graph/types';
import type { Precision, WrittenFile } from '../types';
import type { Manifest, ManifestEntry } from './manifest';

/** Browsers cache files up to this size (tfjs-converter, write_weights.py). */
const shardBytes = 4 * 1024 * 1024;

/** How the kernels are stored; they become float32 when the model is loaded. */
export type WeightPrecision = 'fp32' | 'fp16' | 'uint8';

export const weightPrecisions: readonly WeightPrecision[] = ['fp32', 'fp16', 'uint8'];

/** @throws AppError INVALID_ARGUMENT for a precision that the weights of TensorFlow.js do not have */
export function weightPrecision(wanted: Precision): WeightPrecision {
  const precision = weightPrecisions.find((known) => known === wanted);
  if (precision !== undefined) return precision;
  throw new AppError(
    'INVALID_ARGUMENT',
    `TensorFlow.js has no weights at precision "${wanted}".`,
    `Take one of: ${weightPrecisions.join(', ')}.`,
  );
}

export interface EncodedWeights {
  readonly manifest: Manifest;
  readonly shards: readonly WrittenFile[];
}

export function encodeWeights(
  weights: ReadonlyMap<string, Weight>,
  precision: WeightPrecision,
): EncodedWeights {
  const stored = [...weights].map(([name, weight]) => store(name, weight, precision));
  const shards = splitIntoShards(concatenate(stored.map(({ bytes }) => bytes)));
  const paths = shards.map(({ path }) => path);
  return { manifest: [{ paths, weights: stored.map(({ entry }) => entry) }], shards };
}

interface Stored {
  readonly entry: ManifestEntry;
  readonly bytes: Uint8Array;
}

function store(name: string, { shape, dtype, data }: Weight, precision: WeightPrecision): Stored {
  const entry = { name, shape: [...shape], dtype };
  // Vectors (biases, slopes, statistics) are few numbers that much depends on.
  const isKernel = data instanceof Float32Array && shape.length > 1 && data.length > 0;
  if (!isKernel || precision === 'fp32') return { entry, bytes: bytesOf(data) };
  if (precision === 'uint8') {
    const { bytes, min, scale } = toUint8(data);
    return {
      entry: { ...entry, quantization: { dtype: 'uint8', min, scale, ...original } },
      bytes,
    };
  }
  if (data.some((value) => Math.abs(value) > largestHalf)) return { entry, bytes: bytesOf(data) };
  return {
    entry: { ...entry, quantization: { dtype: 'float16', ...original } },
    bytes: bytesOf(toHalf(data)),
  };
}

const original = { original_dtype: 'float32' } as const;

/**
 * value = q * scale + min, from the smallest to the largest; where 0 lies between them it stays 0 (tfjs-converter,
 * quantization.py).
 */
function toUint8(data: Float32Array): {
  readonly bytes: Uint8Array;
  readonly min: number;
  readonly scale: number;
} {
  let [low, high] = [Infinity, -Infinity];
  for (const value of data) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low === high) return { bytes: new Uint8Array(data.length), min: low, scale: 1 };
  const scale = (high - low) / 255;
  const min = low <= 0 && high >= 0 ? -Math.round(-low / scale) * scale : low;
  const bytes = Uint8Array.from(data, (value) =>
    Math.min(Math.max(Math.round((value - min) / scale), 0), 255),
  );
  return { bytes, min, scale };
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

function splitIntoShards(data: Uint8Array): readonly WrittenFile[] {
  const count = Math.max(1, Math.ceil(data.length / shardBytes));
  return Array.from({ length: count }, (_, i) => ({
    path: `group1-shard${i + 1}of${count}.bin`,
    bytes: data.subarray(i * shardBytes, (i + 1) * shardBytes),
  }));
}
