// Tables of a flatbuffer, with every offset and length checked before it is followed: the flatbuffers runtime trusts
// its input. Layout: https://flatbuffers.dev/internals/

import { corrupt } from './errors';

/** Bytes of the scalars at the start of tables and vectors. */
const offsetBytes = 4;

const text = new TextDecoder();

/**
 * How many bytes of vectors may be read. In a sound file vectors hardly share bytes; in a hostile one thousands of tables
 * point to the same long vector.
 */
class Allowance {
  private left: number;

  constructor(bytes: number) {
    this.left = 4 * bytes + 1024;
  }

  spend(bytes: number): void {
    this.left -= bytes;
    if (this.left < 0) throw corrupt('its tables point to the same bytes over and over');
  }
}

export class FlatTable {
  private readonly view: DataView;
  private readonly vtable: number;
  private readonly fields: number;

  private constructor(
    private readonly bytes: Uint8Array,
    private readonly position: number,
    private readonly allowance: Allowance,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.require(position, offsetBytes);
    this.vtable = position - this.view.getInt32(position, true);
    this.require(this.vtable, 4);
    const size = this.view.getUint16(this.vtable, true);
    if (size < 4 || size % 2 !== 0) throw corrupt(`a table at byte ${position} has no field list`);
    this.require(this.vtable, size);
    this.fields = size / 2 - 2;
  }

  /** The table that the file begins with. @throws AppError MODEL_CORRUPT, as all methods do */
  static root(bytes: Uint8Array): FlatTable {
    if (bytes.length < 8) throw corrupt(`it has ${bytes.length} bytes`);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new FlatTable(bytes, view.getUint32(0, true), new Allowance(bytes.length));
  }

  bool(id: number, fallback = false): boolean {
    return this.uint8(id, fallback ? 1 : 0) !== 0;
  }

  uint8(id: number, fallback = 0): number {
    const at = this.field(id, 1);
    return at === null ? fallback : this.view.getUint8(at);
  }

  int8(id: number, fallback = 0): number {
    const at = this.field(id, 1);
    return at === null ? fallback : this.view.getInt8(at);
  }

  int32(id: number, fallback = 0): number {
    const at = this.field(id, 4);
    return at === null ? fallback : this.view.getInt32(at, true);
  }

  uint32(id: number, fallback = 0): number {
    const at = this.field(id, 4);
    return at === null ? fallback : this.view.getUint32(at, true);
  }

  /** A 64-bit number; beyond 2^53 it is not exact, and larger than any file. */
  uint64(id: number): number {
    const at = this.field(id, 8);
    return at === null ? 0 : Number(this.view.getBigUint64(at, true));
  }

  float32(id: number, fallback = 0): number {
    const at = this.field(id, 4);
    return at === null ? fallback : this.view.getFloat32(at, true);
  }

  string(id: number): string | null {
    const bytes = this.byteVector(id);
    return bytes === null ? null : text.decode(bytes);
  }

  /** The bytes of a vector, as they lie in the file. */
  byteVector(id: number): Uint8Array | null {
    const vector = this.vector(id, 1);
    if (vector === null) return null;
    return this.bytes.subarray(vector.start, vector.start + vector.length);
  }

  int32Vector(id: number): number[] {
    return this.numbers(id, 4, (at) => this.view.getInt32(at, true));
  }

  uint32Vector(id: number): number[] {
    return this.numbers(id, 4, (at) => this.view.getUint32(at, true));
  }

  float32Vector(id: number): number[] {
    return this.numbers(id, 4, (at) => this.view.getFloat32(at, true));
  }

  int64Vector(id: number): number[] {
    return this.numbers(id, 8, (at) => Number(this.view.getBigInt64(at, true)));
  }

  table(id: number): FlatTable | null {
    const at = this.field(id, offsetBytes);
    return at === null ? null : new FlatTable(this.bytes, this.follow(at), this.allowance);
  }

  tables(id: number): FlatTable[] {
    const vector = this.vector(id, offsetBytes);
    return Array.from({ length: vector?.length ?? 0 }, (_, i) => {
      return new FlatTable(
        this.bytes,
        this.follow(vector!.start + i * offsetBytes),
        this.allowance,
      );
    });
  }

  private numbers(id: number, size: number, read: (position: number) => number): number[] {
    const vector = this.vector(id, size);
    return Array.from({ length: vector?.length ?? 0 }, (_, i) => read(vector!.start + i * size));
  }

  /** Where the elements of a vector lie and how many there are. */
  private vector(
    id: number,
    size: number,
  ): { readonly start: number; readonly length: number } | null {
    const at = this.field(id, offsetBytes);
    if (at === null) return null;
    const position = this.follow(at);
    this.require(position, offsetBytes);
    const length = this.view.getUint32(position, true);
    this.require(position + offsetBytes, length * size);
    this.allowance.spend(length * size);
    return { start: position + offsetBytes, length };
  }

  /** Where a field lies; null where the table leaves it out. */
  private field(id: number, size: number): number | null {
    if (id >= this.fields) return null;
    const offset = this.view.getUint16(this.vtable + 4 + 2 * id, true);
    if (offset === 0) return null;
    this.require(this.position + offset, size);
    return this.position + offset;
  }

  private follow(at: number): number {
    return at + this.view.getUint32(at, true);
  }

  private require(position: number, size: number): void {
    if (position >= 0 && position + size <= this.bytes.length) return;
    throw corrupt(
      `it points to ${size} bytes at ${position} and ends at byte ${this.bytes.length}`,
    );
  }
}
