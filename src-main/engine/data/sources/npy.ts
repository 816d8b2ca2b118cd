// The .npy array format (NumPy NEP 1): magic, a header that is a Python literal, then the values.

import type { ByteReader } from '../byte-reader';

export interface NpyHeader {
  /** For instance '|u1' or '<f4': byte order, kind and bytes a value. */
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

const magic = '\x93NUMPY';
const maxHeaderBytes = 64 * 1024;
const literal =
  /^\{\s*'descr':\s*'([^']+)',\s*'fortran_order':\s*(True|False),\s*'shape':\s*\(([\d\s,]*)\),?\s*\}\s*$/;

/** Turns the bytes of a whole number of values into numbers. */
export type ValueReader = (bytes: Buffer) => ArrayLike<number>;

/** Reads up to the first value. @throws AppError DATA_CORRUPT */
export async function readNpyHeader(reader: ByteReader): Promise<NpyHeader> {
  const start = await reader.read(8);
  const major = start[6]!;
  if (start.toString('latin1', 0, 6) !== magic || major < 1 || major > 3) {
    throw reader.corrupt('it does not begin like an array of NumPy');
  }
  const size = await reader.read(major === 1 ? 2 : 4);
  const length = major === 1 ? size.readUInt16LE() : size.readUInt32LE();
  if (length > maxHeaderBytes) throw reader.corrupt(`its header claims ${length} bytes`);
  const text = (await reader.read(length)).toString('utf8');
  const match = literal.exec(text);
  if (!match) throw reader.corrupt(`its header is not understood: ${text.trim().slice(0, 100)}`);
  const shape = match[3]!
    .split(',')
    .map((side) => side.trim())
    .filter((side) => side !== '')
    .map(Number);
  if (!shape.every(Number.isSafeInteger)) throw reader.corrupt(`its shape is (${match[3]})`);
  return { descr: match[1]!, fortranOrder: match[2] === 'True', shape };
}

/** How to read values of a type, or null for types that hold no plain numbers (objects, strings, complex). */
export function valueReader(descr: string): { bytes: number; read: ValueReader } | null {
  const bytes = Number(descr.slice(2));
  const big = descr.startsWith('>');
  const one = singleReader(descr.slice(1), big);
  if (!one) return null;
  if (bytes === 1 && descr[1] === 'u') return { bytes, read: (buffer) => buffer };
  return {
    bytes,
    read: (buffer) =>
      Float64Array.from({ length: buffer.length / bytes }, (_, i) => one(buffer, i * bytes)),
  };
}

function singleReader(kind: string, big: boolean): ((b: Buffer, at: number) => number) | null {
  switch (kind) {
    case 'b1':
    case 'u1':
      return (b, at) => b.readUInt8(at);
    case 'i1':
      return (b, at) => b.readInt8(at);
    case 'u2':
      return (b, at) => (big ? b.readUInt16BE(at) : b.readUInt16LE(at));
    case 'i2':
      return (b, at) => (big ? b.readInt16BE(at) : b.readInt16LE(at));
    case 'u4':
      return (b, at) => (big ? b.readUInt32BE(at) : b.readUInt32LE(at));
    case 'i4':
      return (b, at) => (big ? b.readInt32BE(at) : b.readInt32LE(at));
    case 'u8':
      return (b, at) => Number(big ? b.readBigUInt64BE(at) : b.readBigUInt64LE(at));
    case 'i8':
      return (b, at) => Number(big ? b.readBigInt64BE(at) : b.readBigInt64LE(at));
    case 'f4':
      return (b, at) => (big ? b.readFloatBE(at) : b.readFloatLE(at));
    case 'f8':
      return (b, at) => (big ? b.readDoubleBE(at) : b.readDoubleLE(at));
    default:
      return null;
  }
}
