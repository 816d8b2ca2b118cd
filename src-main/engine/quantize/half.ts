// Half precision (IEEE 754 binary16), as bits in 16-bit integers: JavaScript has no arrays of it everywhere.

/** The largest number of half precision. */
export const largestHalf = 65504;

/** The nearest half; of two equally near ones the even one. Beyond the largest it is infinite. */
export function toHalf(values: Float32Array): Uint16Array {
  const source = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < halves.length; i++) halves[i] = halfBits(source[i]!);
  return halves;
}

/** The half of a float32 that is given and returned as bits. */
function halfBits(float: number): number {
  const sign = (float >>> 16) & 0x8000;
  const magnitude = float & 0x7fffffff;
  // Infinity, and NaN with a bit of its payload.
  if (magnitude >= 0x7f800000) return sign | 0x7c00 | (magnitude > 0x7f800000 ? 0x200 : 0);
  // From half of the step behind the largest half on.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    // The exponent's bias goes from 127 to 15, the fraction from 23 bits to 10.
    return sign | rounded(magnitude - 0x38000000, 13);
  }
  // Subnormal halves count steps of 2^-24; up to half a step is 0.
  if (magnitude < 0x33000000) return sign;
  const fraction = (magnitude & 0x7fffff) | 0x800000;
  return sign | rounded(fraction, 126 - (magnitude >>> 23));
}

/** value / 2^shift, to the nearest, halves to even. */
function rounded(value: number, shift: number): number {
  const whole = value >>> shift;
  const rest = value & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return rest > half || (rest === half && (whole & 1) === 1) ? whole + 1 : whole;
}
