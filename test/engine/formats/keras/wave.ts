// Inputs that Keras and these tests make alike, and how far outputs are apart.

/** The input of common.py: sin(0.7 i + (0.1 i^2 mod 1)), scaled and moved. */
export function wave(size: number, scale = 1, offset = 0): Float32Array {
  return Float32Array.from(
    { length: size },
    (_, i) => offset + scale * Math.sin(0.7 * i + ((0.1 * i * i) % 1)),
  );
}

/** Largest difference, relative to the largest value: infinite when the lengths differ. */
export function relativeDifference(actual: ArrayLike<number>, wanted: ArrayLike<number>): number {
  if (actual.length !== wanted.length) return Infinity;
  let [difference, largest] = [0, 0];
  for (let i = 0; i < wanted.length; i++) {
    const here = Math.abs(actual[i]! - wanted[i]!);
    difference = Number.isNaN(here) ? Infinity : Math.max(difference, here);
    largest = Math.max(largest, Math.abs(wanted[i]!));
  }
  return difference / Math.max(largest, 1e-9);
}
