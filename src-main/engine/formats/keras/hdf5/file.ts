// A HDF5 file in memory: its attributes, groups and datasets, each looked at before it is read.

import type { Shape } from '../../../graph/types';
import { corrupt, tooLarge } from '../../keras-config/errors';
import { maxJsonBytes, maxTensors } from '../../keras-config/limits';
import type { Hdf5, ValueInfo } from './library';

/** Type classes of HDF5 (H5T_class_t). */
export const typeClass = { integer: 0, float: 1, string: 3, enumeration: 8 } as const;

/** A dataset as it is declared. Nothing of it has been read. */
export interface DatasetInfo {
  readonly path: string;
  readonly shape: Shape;
  readonly type: number;
  /** Bytes of one value. */
  readonly size: number;
  readonly littleEndian: boolean;
}

/** A step reads at most about this much, so that a job can be cancelled between steps. */
const stepBytes = 16 * 1024 * 1024;

/** Part of a dataset: rows of its first axis, from inclusive, to exclusive. */
type Part = readonly [number, number];

export interface ReadStep {
  /** Number of the dataset. */
  readonly index: number;
  readonly part: Part;
  readonly bytes: number;
}

function rowBytesOf({ shape, size }: DatasetInfo): number {
  return size * shape.slice(1).reduce((a, b) => a * b, 1);
}

let opened = 0;

/** An open file. What is called here may run for ever or trap on a damaged file: it is called within `bounded`. */
export class Hdf5File {
  private constructor(
    private readonly library: Hdf5,
    private readonly name: string,
    private readonly id: bigint,
    readonly bytes: number,
  ) {}

  /** Opens a file. The array becomes the file: it is not copied, and must not be changed. */
  static open(library: Hdf5, content: Uint8Array): Hdf5File {
    // A name of its own for each: HDF5 remembers files that could not be closed.
    const name = `/file${opened++}.h5`;
    library.FS.writeFile(name, content, { canOwn: true });
    try {
      const id = library.open(name, library.H5F_ACC_RDONLY, false, -1, -1);
      return new Hdf5File(library, name, id, content.length);
    } catch (error) {
      library.FS.unlink(name);
      throw error;
    }
  }

  close(): void {
    this.library.close_file(this.id);
    this.library.FS.unlink(this.name);
  }

  /** What lies at a path. */
  kindOf(path: string): 'group' | 'dataset' | 'other' | null {
    let type: number;
    try {
      type = this.library.get_type(this.id, path);
    } catch (error) {
      if ((error as { name?: unknown }).name === 'RuntimeError') throw error;
      return null;
    }
    if (type < 0) return null;
    if (type === this.library.H5G_GROUP) return 'group';
    return type === this.library.H5G_DATASET ? 'dataset' : 'other';
  }

  /** Names of what lies in a group. */
  children(path: string): readonly string[] {
    const names = this.library.get_names(this.id, path, false);
    if (names.length > maxTensors) {
      throw tooLarge(`Objects in the group ${path}`, names.length, maxTensors);
    }
    return names;
  }

  /** Text of an attribute, null where there is none of the name. */
  text(path: string, name: string): string | null {
    return this.texts(path, name)?.[0] ?? null;
  }

  /**
   * Texts of an attribute, null where there is none of the name.
   * @throws AppError MODEL_CORRUPT when it is no text, MODEL_TOO_LARGE
   */
  texts(path: string, name: string): readonly string[] | null {
    const { library, id } = this;
    if (!library.get_attribute_names(id, path).includes(name)) return null;
    const info = library.get_attribute_metadata(id, path, name);
    if (info.type !== typeClass.string) {
      // An empty list of texts is written as an empty list of numbers.
      if (info.shape !== null && info.total_size === 0) return [];
      throw corrupt(`The attribute "${name}" of ${path} is not a text`);
    }
    if (info.shape === null) return [];
    const bytes = info.size * info.total_size;
    if (info.total_size > maxTensors || bytes > maxJsonBytes) {
      throw tooLarge(`Bytes of the attribute "${name}" of ${path}`, bytes, maxJsonBytes);
    }
    return this.borrow(bytes, (pointer) => {
      library.get_attribute_data(id, path, name, BigInt(pointer));
      const texts = textsAt(library, pointer, info);
      if (info.vlen) library.reclaim_vlen_memory(id, path, name, BigInt(pointer));
      return texts;
    });
  }

  /** Looks at a dataset. @throws AppError MODEL_CORRUPT when it is none, or refers to other files */
  dataset(path: string): DatasetInfo {
    const info = this.metadataOf(path);
    if (info.virtual_sources !== undefined) {
      throw corrupt(`The data at ${path} lies in other files, which is not allowed`);
    }
    const { shape, type, size, littleEndian } = info;
    if (shape === null || shape.some((side) => !Number.isSafeInteger(side) || side < 0)) {
      throw corrupt(`The data at ${path} has no shape`);
    }
    return { path, shape, type, size, littleEndian };
  }

  private metadataOf(path: string): ValueInfo {
    try {
      return this.library.get_dataset_metadata(this.id, path);
    } catch (error) {
      // Looked up only now: each look-up walks through the groups on the way, and files have hundreds of datasets.
      if ((error as { name?: unknown }).name === 'RuntimeError') throw error;
      if (this.kindOf(path) === 'dataset') throw error;
      throw corrupt(`The HDF5 file holds no data at ${path}`);
    }
  }

  /** Datasets in steps of a size after which a job can be cancelled: small ones together, large ones in parts. */
  *inSteps(datasets: readonly DatasetInfo[]): Generator<readonly ReadStep[]> {
    let steps: ReadStep[] = [];
    let bytes = 0;
    for (const [index, dataset] of datasets.entries()) {
      const rows = dataset.shape[0] ?? 1;
      const rowBytes = rowBytesOf(dataset);
      const step = Math.max(1, Math.floor(stepBytes / Math.max(rowBytes, 1)));
      for (let from = 0; from < rows; from += step) {
        const part = [from, Math.min(from + step, rows)] as const;
        steps.push({ index, part, bytes: (part[1] - from) * rowBytes });
        bytes += (part[1] - from) * rowBytes;
        if (bytes < stepBytes) continue;
        yield steps;
        [steps, bytes] = [[], 0];
      }
    }
    if (steps.length > 0) yield steps;
  }

  /** Copies the bytes of a part of a dataset, as they are stored, to where they belong in `target`. */
  readPart(dataset: DatasetInfo, [from, to]: Part, target: Uint8Array): void {
    const { path, shape } = dataset;
    const rowBytes = rowBytesOf(dataset);
    const bytes = rowBytes * (to - from);
    this.borrow(bytes, (pointer) => {
      const whole = to - from === (shape[0] ?? 1);
      const count = whole ? null : [to - from, ...shape.slice(1)].map(BigInt);
      const offset = whole ? null : [from, ...shape.slice(1).map(() => 0)].map(BigInt);
      const strides = whole ? null : shape.map(() => 1n);
      this.library.get_dataset_data(this.id, path, count, offset, strides, BigInt(pointer));
      target.set(this.library.HEAPU8.subarray(pointer, pointer + bytes), from * rowBytes);
    });
  }

  private borrow<T>(bytes: number, use: (pointer: number) => T): T {
    const pointer = this.library._malloc(Math.max(bytes, 1));
    if (pointer === 0) throw corrupt(`The HDF5 file asks for ${bytes} bytes at once`);
    try {
      return use(pointer);
    } finally {
      this.library._free(pointer);
    }
  }
}

/** Texts in memory: addresses of texts that end with a zero, or fields of a fixed width. */
function textsAt(library: Hdf5, pointer: number, info: ValueInfo): readonly string[] {
  const bytes = library.HEAPU8.slice(pointer, pointer + info.size * info.total_size);
  if (info.vlen) {
    return [...new Uint32Array(bytes.buffer)].map((address) => library.UTF8ToString(address));
  }
  const decoder = new TextDecoder();
  return Array.from({ length: info.total_size }, (_, i) => {
    const field = bytes.subarray(i * info.size, (i + 1) * info.size);
    const end = field.indexOf(0);
    return decoder.decode(end < 0 ? field : field.subarray(0, end));
  });
}
