// Writes HDF5 files in memory: groups, float32 datasets, and attributes that are texts.

import type { Weight } from '../../../graph/types';
import { typeClass } from './file';
import { giveBack, takeHdf5, type Hdf5, type WriteInfo } from './library';

/** Attributes are part of an object's header, which is at most this long (legacy_h5_format.py). */
const maxHeaderBytes = 64_512;

const plain = {
  signed: false,
  littleEndian: true,
  vlen: false,
  chunks: null,
  compression: 0,
  compression_opts: [],
  track_order: false,
} as const;

function extent(shape: readonly number[]): Pick<WriteInfo, 'shape' | 'maxshape'> {
  const sides = shape.map(BigInt);
  return { shape: sides, maxshape: sides };
}

/** A file that is being written. Paths are absolute; groups on the way are made as needed. */
export class Hdf5Writer {
  private readonly groups = new Set(['']);

  private constructor(
    private readonly library: Hdf5,
    private readonly id: bigint,
  ) {}

  /** @throws AppError RUNTIME_UNAVAILABLE */
  static async create(): Promise<Hdf5Writer> {
    const library = await takeHdf5();
    const id = library.open(fileName, library.H5F_ACC_TRUNC, false, -1, -1);
    return new Hdf5Writer(library, id);
  }

  group(path: string): void {
    if (this.groups.has(path)) return;
    this.group(path.slice(0, path.lastIndexOf('/')));
    this.library.create_group(this.id, path, false);
    this.groups.add(path);
  }

  /** A text of any length. */
  text(path: string, name: string, text: string): void {
    this.library.create_vlen_str_attribute(this.id, path, name, [text], {
      ...plain,
      ...extent([]),
      type: typeClass.string,
      size: 4,
      vlen: true,
      cset: 1,
    });
  }

  /** A list of texts; as several attributes, numbered, where it is too long for one, as Keras does it. */
  texts(path: string, name: string, texts: readonly string[]): void {
    const encoder = new TextEncoder();
    const encoded = texts.map((text) => encoder.encode(text));
    const width = Math.max(1, ...encoded.map(({ length }) => length));
    const perPart = Math.max(1, Math.floor(maxHeaderBytes / width));
    if (encoded.length <= perPart) {
      this.fields(path, name, encoded, width);
      return;
    }
    for (let i = 0; i * perPart < encoded.length; i++) {
      const part = encoded.slice(i * perPart, (i + 1) * perPart);
      this.fields(path, `${name}${i}`, part, width);
    }
  }

  /** A dataset of float32. */
  dataset(path: string, { shape, data }: Weight): void {
    this.group(path.slice(0, path.lastIndexOf('/')));
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const info = { ...plain, ...extent(shape), type: typeClass.float, size: 4 };
    this.lend(bytes, (pointer) => {
      this.library.create_dataset(this.id, path, pointer, info);
    });
  }

  /** The finished file. Nothing can be written after. */
  finish(): Uint8Array {
    this.library.close_file(this.id);
    const bytes = this.library.FS.readFile(fileName);
    this.library.FS.unlink(fileName);
    giveBack(this.library);
    return bytes;
  }

  /** Texts of a fixed width, shorter ones filled with zeros; an empty list is one of numbers, as h5py has it. */
  private fields(path: string, name: string, texts: readonly Uint8Array[], width: number): void {
    const isEmpty = texts.length === 0;
    const bytes = new Uint8Array(texts.length * width);
    texts.forEach((text, i) => bytes.set(text, i * width));
    const info = {
      ...plain,
      ...extent([texts.length]),
      ...(isEmpty
        ? { type: typeClass.float, size: 8 }
        : { type: typeClass.string, size: width, cset: 1 }),
    };
    this.lend(bytes, (pointer) => {
      this.library.create_attribute(this.id, path, name, pointer, info);
    });
  }

  private lend(bytes: Uint8Array, use: (pointer: bigint) => void): void {
    const pointer = this.library._malloc(Math.max(bytes.length, 1));
    try {
      this.library.HEAPU8.set(bytes, pointer);
      use(BigInt(pointer));
    } finally {
      this.library._free(pointer);
    }
  }
}

/** Only one file is written in an instance at a time. */
const fileName = '/written.h5';
