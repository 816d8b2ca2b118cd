// Lists of indices.

/** 0 to `count` - 1. */
export function allIndices(count: number): Int32Array {
  const indices = new Int32Array(count);
  for (let i = 0; i < count; i++) indices[i] = i;
  return indices;
}

/** The indices from 0 to `count` - 1 that pass a test, ascending. */
export function indicesWhere(count: number, test: (index: number) => boolean): Int32Array {
  const indices = new Int32Array(count);
  let length = 0;
  for (let i = 0; i < count; i++) if (test(i)) indices[length++] = i;
  return indices.slice(0, length);
}
