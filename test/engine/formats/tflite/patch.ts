// Changes single fields of a .tflite file, found by their ids in schema.fbs as the format lays them out.

/** Ids of fields, each followed by the place in its vector where the field is a vector of tables. */
export type FieldPath = readonly number[];

const view = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Where an offset leads. */
const target = (bytes: Uint8Array, at: number): number => at + view(bytes).getUint32(at, true);

/** Where a table has a field. */
function fieldOf(bytes: Uint8Array, table: number, id: number): number {
  const vtable = table - view(bytes).getInt32(table, true);
  const fields = (view(bytes).getUint16(vtable, true) - 4) / 2;
  const offset = id < fields ? view(bytes).getUint16(vtable + 4 + 2 * id, true) : 0;
  if (offset === 0) throw new Error(`the table leaves out its field ${id}`);
  return table + offset;
}

/** Where the field at the end of a path lies: [2, 0, 3, 1, 4] is field 4 of operator 1 of subgraph 0. */
export function fieldAt(bytes: Uint8Array, path: FieldPath): number {
  let table = target(bytes, 0);
  for (let i = 0; i + 2 < path.length; i += 2) {
    const vector = target(bytes, fieldOf(bytes, table, path[i]!));
    table = target(bytes, vector + 4 + 4 * path[i + 1]!);
  }
  return fieldOf(bytes, table, path.at(-1)!);
}

/** Where the vector of a field begins, its length first. */
export const vectorAt = (bytes: Uint8Array, path: FieldPath): number =>
  target(bytes, fieldAt(bytes, path));

/** A copy with the 32 bits of a field changed. */
export function withField(file: Uint8Array, path: FieldPath, value: number): Uint8Array {
  const bytes = Uint8Array.from(file);
  view(bytes).setInt32(fieldAt(bytes, path), value, true);
  return bytes;
}

/** A copy with the 8 bits of a field changed. */
export function withByte(file: Uint8Array, path: FieldPath, value: number): Uint8Array {
  const bytes = Uint8Array.from(file);
  bytes[fieldAt(bytes, path)] = value;
  return bytes;
}

/** A copy with a number of a field that is a vector of 32-bit numbers changed; place -1 is its length. */
export function withElement(
  file: Uint8Array,
  path: FieldPath,
  place: number,
  value: number,
): Uint8Array {
  const bytes = Uint8Array.from(file);
  view(bytes).setInt32(vectorAt(bytes, path) + 4 + 4 * place, value, true);
  return bytes;
}
