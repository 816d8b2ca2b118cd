// Bytes of ONNX tensors as numbers.

import { halvesToFloats } from '../half-floats';
import type { TensorProto } from './proto/messages';
import { dataTypes, type DataTypeName } from './proto/schema';
import type { Numbers } from './tensor';

export type Kind = 'float' | 'int' | 'bool';

type Decode = (bytes: Uint8Array, count: number) => Numbers;
type PackedField = 'floatData' | 'int32Data' | 'int64Data' | 'doubleData' | 'uint64Data';

interface NumberType {
  readonly kind: Kind;
  readonly bytes: number;
  /** From raw_data. */
  readonly decode: Decode;
  /** The field of TensorProto that holds numbers of this type where raw_data does not. */
  readonly field: PackedField;
  /** Numbers of that field to numbers of this type; as they are unless given. */
  readonly fromField?: (values: Float64Array) => Numbers;
}

type AnyArray = ArrayLike<number>;
type ArrayType = {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, offset: number, count: number): AnyArray;
};

/** A view where the bytes are aligned, else a copy. */
function view<T extends AnyArray>(
  type: { readonly BYTES_PER_ELEMENT: number; new (b: ArrayBufferLike, o: number, n: number): T },
  bytes: Uint8Array,
  count: number,
): T {
  const size = type.BYTES_PER_ELEMENT;
  // A plain Uint8Array: a Buffer's slice would be a view again.
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return new type(aligned.buffer, aligned.byteOffset, count);
}

const widened =
  (type: ArrayType): Decode =>
  (bytes, count) =>
    Float64Array.from(view(type, bytes, count));

/** 64-bit whole numbers as doubles: exact up to 2^53, and beyond that only "to the end" occurs. */
function decodeLongs(bytes: Uint8Array, count: number, signed: boolean): Float64Array {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const result = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const high = signed ? data.getInt32(8 * i + 4, true) : data.getUint32(8 * i + 4, true);
    result[i] = high * 2 ** 32 + data.getUint32(8 * i, true);
  }
  return result;
}

/** The upper half of a float32. */
function bfloatsToFloats(halves: AnyArray): Float32Array {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < bits.length; i++) bits[i] = halves[i]! * 2 ** 16;
  return new Float32Array(bits.buffer);
}

const toFloats = (values: Float64Array): Float32Array => Float32Array.from(values);

function whole(bytes: number, decode: Decode, field: PackedField): NumberType {
  return { kind: 'int', bytes, decode, field };
}

const types: { readonly [T in Exclude<DataTypeName, 'STRING'>]: NumberType } = {
  FLOAT: {
    kind: 'float',
    bytes: 4,
    decode: (bytes, count) => view(Float32Array, bytes, count),
    field: 'floatData',
  },
  FLOAT16: {
    kind: 'float',
    bytes: 2,
    decode: (bytes, count) => halvesToFloats(view(Uint16Array, bytes, count)),
    field: 'int32Data',
    fromField: halvesToFloats,
  },
  BFLOAT16: {
    kind: 'float',
    bytes: 2,
    decode: (bytes, count) => bfloatsToFloats(view(Uint16Array, bytes, count)),
    field: 'int32Data',
    fromField: bfloatsToFloats,
  },
  DOUBLE: {
    kind: 'float',
    bytes: 8,
    decode: (bytes, count) => toFloats(view(Float64Array, bytes, count)),
    field: 'doubleData',
    fromField: toFloats,
  },
  BOOL: { kind: 'bool', bytes: 1, decode: widened(Uint8Array), field: 'int32Data' },
  UINT8: whole(1, widened(Uint8Array), 'int32Data'),
  INT8: whole(1, widened(Int8Array), 'int32Data'),
  UINT16: whole(2, widened(Uint16Array), 'int32Data'),
  INT16: whole(2, widened(Int16Array), 'int32Data'),
  INT32: whole(4, widened(Int32Array), 'int32Data'),
  UINT32: whole(4, widened(Uint32Array), 'uint64Data'),
  INT64: whole(8, (bytes, count) => decodeLongs(bytes, count, true), 'int64Data'),
  UINT64: whole(8, (bytes, count) => decodeLongs(bytes, count, false), 'uint64Data'),
};

const byNumber = new Map<number, NumberType>(
  Object.entries(types).map(([name, type]) => [dataTypes[name as DataTypeName], type]),
);

/** What numbers of a TensorProto.DataType are, or null where no layer computes with them. */
export function kindOf(type: number): Kind | null {
  return byNumber.get(type)?.kind ?? null;
}

/** Bytes of a number; `type` is one that `kindOf` knows. */
export function elementBytes(type: number): number {
  return byNumber.get(type)!.bytes;
}

/** Numbers from `count` times `elementBytes` bytes, little-endian. */
export function decodeNumbers(bytes: Uint8Array, type: number, count: number): Numbers {
  return byNumber.get(type)!.decode(bytes, count);
}

/**
 * Numbers from the packed field of their type, or null where it does not hold just `count` of them. They are
 * counted at once and decoded when asked for.
 */
export function packedNumbers(
  tensor: TensorProto,
  type: number,
  count: number,
): (() => Numbers) | null {
  const { field, fromField } = byNumber.get(type)!;
  const bytes = joined(tensor[field] ?? []);
  if (field === 'floatData') {
    return bytes.length === 4 * count ? () => view(Float32Array, bytes, count) : null;
  }
  if (field === 'doubleData') {
    return bytes.length === 8 * count ? () => toFloats(view(Float64Array, bytes, count)) : null;
  }
  if (bytes.reduce((varints, byte) => varints + (byte < 128 ? 1 : 0), 0) !== count) return null;
  if (count > 0 && bytes.at(-1)! >= 128) return null;
  return () => {
    const values = readVarints(bytes, count, field !== 'uint64Data');
    return fromField === undefined ? values : fromField(values);
  };
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  return chunks.length === 1 ? chunks[0]! : new Uint8Array(Buffer.concat([...chunks]));
}

/**
 * Protobuf's numbers of variable length: 7 bits a byte, lowest first, negative ones as 64 bits. They are put together
 * of parts of 28, 28 and 8 bits, which doubles hold exactly.
 */
function readVarints(bytes: Uint8Array, count: number, signed: boolean): Float64Array {
  const result = new Float64Array(count);
  const parts = [0, 0, 0];
  let place = 0;
  for (let i = 0; i < count; i++) {
    parts.fill(0);
    let length = 0;
    let byte: number;
    do {
      byte = bytes[place++]!;
      const part = Math.min(length >> 2, 2);
      parts[part] = parts[part]! | ((byte & 127) << (7 * (length - 4 * part)));
      length++;
    } while (byte >= 128);
    const [low, middle, high] = parts as [number, number, number];
    result[i] =
      signed && (high & 0x80) !== 0
        ? -((~low & 0xfffffff) + 1 + (~middle & 0xfffffff) * 2 ** 28 + (~high & 0xff) * 2 ** 56)
        : low + middle * 2 ** 28 + (high & 0xff) * 2 ** 56;
  }
  return result;
}
