// Datasets as weights: floating point of any width becomes float32.

import { setImmediate } from 'node:timers/promises';
import type { EngineContext } from '../../../context';
import type { Weight } from '../../../graph/types';
import { halvesToFloats } from '../../half-floats';
import { corrupt, tooLarge } from '../../keras-config/errors';
import { maxTensors, maxWeightBytes } from '../../keras-config/limits';
import { typeClass, type DatasetInfo, type Hdf5File } from './file';

/** Datasets together hold at most this much more than the file: Keras compresses nothing. */
const maxExpansion = 100;

function countOf({ shape }: DatasetInfo): number {
  return shape.reduce((product, side) => product * side, 1);
}

/**
 * Checks what datasets declare, before anything of that size is allocated.
 * @throws AppError MODEL_TOO_LARGE, MODEL_CORRUPT for numbers that no weight has
 */
function requirePlausible(file: Hdf5File, datasets: readonly DatasetInfo[]): number {
  if (datasets.length > maxTensors) {
    throw tooLarge('Number of weight tensors', datasets.length, maxTensors);
  }
  for (const { path, type, size, littleEndian } of datasets) {
    const isFloat = type === typeClass.float && [2, 4, 8].includes(size);
    const isWhole = type === typeClass.integer && [1, 2, 4, 8].includes(size);
    if ((isFloat || isWhole) && (littleEndian || size === 1)) continue;
    throw corrupt(`The data at ${path} is not of a type of number that Keras writes`);
  }
  const total = datasets.reduce(
    (sum, dataset) => sum + countOf(dataset) * Math.max(dataset.size, 4),
    0,
  );
  const limit = Math.min(maxWeightBytes, file.bytes * maxExpansion);
  if (total > limit) throw tooLarge('Bytes of weights in the HDF5 file', total, limit);
  return total;
}

/** The bytes of a dataset as float32. */
function toFloats({ type, size }: DatasetInfo, bytes: ArrayBuffer): Float32Array {
  if (type === typeClass.float) {
    if (size === 4) return new Float32Array(bytes);
    return size === 2
      ? halvesToFloats(new Uint16Array(bytes))
      : Float32Array.from(new Float64Array(bytes));
  }
  switch (size) {
    case 1:
      return Float32Array.from(new Int8Array(bytes));
    case 2:
      return Float32Array.from(new Int16Array(bytes));
    case 4:
      return Float32Array.from(new Int32Array(bytes));
    default:
      return Float32Array.from(new BigInt64Array(bytes), Number);
  }
}

/**
 * Reads datasets, by path.
 * @throws AppError MODEL_CORRUPT, MODEL_TOO_LARGE, or the reason of the signal
 */
export async function readDatasets(
  file: Hdf5File,
  datasets: readonly DatasetInfo[],
  context: EngineContext,
): Promise<ReadonlyMap<string, Weight>> {
  const total = requirePlausible(file, datasets);
  const buffers = datasets.map((dataset) => new ArrayBuffer(countOf(dataset) * dataset.size));
  let done = 0;
  for (const steps of file.inSteps(datasets)) {
    context.signal.throwIfAborted();
    context.progress({ phase: 'reading', label: 'Reading weights', done, total });
    file.run(() => {
      for (const { index, part } of steps) {
        file.readPart(datasets[index]!, part, new Uint8Array(buffers[index]!));
      }
    });
    done += steps.reduce((sum, { bytes }) => sum + bytes, 0);
    await setImmediate();
  }
  return new Map(
    datasets.map((dataset, i) => {
      const data = toFloats(dataset, buffers[i]!);
      return [dataset.path, { shape: dataset.shape, dtype: 'float32', data } as const];
    }),
  );
}
