// Reads what a model needs of a HDF5 file: first whatever says which datasets those are, then the datasets, as
// weights. Floating point of any width becomes float32.

import { setImmediate } from 'node:timers/promises';
import type { EngineContext } from '../../../context';
import type { Weight } from '../../../graph/types';
import { halvesToFloats } from '../../half-floats';
import { corrupt, tooLarge } from '../../keras-config/errors';
import { maxTensors, maxWeightBytes } from '../../keras-config/limits';
import { type DatasetInfo, Hdf5File, type ReadStep, typeClass } from './file';
import { bounded, giveBack, leavesInOrder, takeHdf5 } from './library';

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

/** What was found in a file, and the datasets to read. */
export interface Looked<T> {
  readonly found: T;
  readonly datasets: readonly DatasetInfo[];
}

/**
 * Small files are read within milliseconds, some hundred megabytes within a second: damaged ones are given up after
 * these. A busy machine may take long even so.
 */
export const defaultLimitMs = 10_000;
const limitMsPerByte = 1 / 20_000;

/**
 * Reads a file that is in memory; it becomes the library's, and must not be changed.
 * @param look is called on the open file
 * @param leastLimitMs time that each piece of work is given, and more for a large file
 * @returns what `look` found, and the datasets by path
 * @throws AppError MODEL_CORRUPT, MODEL_TOO_LARGE, RUNTIME_UNAVAILABLE, what `look` throws, or the reason of the signal
 */
export async function readHdf5<T>(
  content: Uint8Array,
  look: (file: Hdf5File) => Looked<T>,
  context: EngineContext,
  leastLimitMs: number,
): Promise<{ readonly found: T; readonly weights: ReadonlyMap<string, Weight> }> {
  const library = await takeHdf5();
  const limitMs = leastLimitMs + content.length * limitMsPerByte;
  let isInOrder = true;
  const within = <R>(work: () => R): R => {
    try {
      return bounded(limitMs, work);
    } catch (error) {
      isInOrder = leavesInOrder(error);
      throw error;
    }
  };
  // One piece of work where the file is small, since the time limit of each costs more than small ones take.
  let file: Hdf5File | undefined;
  try {
    const start = within(() => {
      file = Hdf5File.open(library, content);
      return beginReading(file, look(file));
    });
    const { reading } = start;
    while (!reading.isDone) {
      context.signal.throwIfAborted();
      const { done, total } = reading;
      context.progress({ phase: 'reading', label: 'Reading weights', done, total });
      within(() => {
        reading.step();
      });
      await setImmediate();
    }
    return { found: start.found, weights: reading.weights() };
  } finally {
    if (isInOrder) {
      try {
        within(() => file?.close());
        giveBack(library);
      } catch {
        // What was read was read; the instance is not used again.
      }
    }
  }
}

function beginReading<T>(
  file: Hdf5File,
  { found, datasets }: Looked<T>,
): { readonly found: T; readonly reading: DatasetReading } {
  return { found, reading: new DatasetReading(file, datasets) };
}

/** Datasets that are being read, step by step. */
class DatasetReading {
  readonly total: number;
  done = 0;
  private readonly buffers: readonly ArrayBuffer[];
  private readonly steps: readonly (readonly ReadStep[])[];
  private next = 0;

  constructor(
    private readonly file: Hdf5File,
    private readonly datasets: readonly DatasetInfo[],
  ) {
    this.total = requirePlausible(file, datasets);
    this.buffers = datasets.map((dataset) => new ArrayBuffer(countOf(dataset) * dataset.size));
    this.steps = [...file.inSteps(datasets)];
  }

  get isDone(): boolean {
    return this.next >= this.steps.length;
  }

  step(): void {
    for (const { index, part, bytes } of this.steps[this.next++]!) {
      this.file.readPart(this.datasets[index]!, part, new Uint8Array(this.buffers[index]!));
      this.done += bytes;
    }
  }

  weights(): ReadonlyMap<string, Weight> {
    return new Map(
      this.datasets.map((dataset, i) => {
        const data = toFloats(dataset, this.buffers[i]!);
        return [dataset.path, { shape: dataset.shape, dtype: 'float32', data } as const];
      }),
    );
  }
}
