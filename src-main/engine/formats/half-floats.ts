// Numbers of 16 bits, which several formats store.

/** IEEE 754 binary16 as float32: sign, 5 bits of exponent (bias 15), 10 bits of fraction. */
export function halvesToFloats(halves: ArrayLike<number>): Float32Array {
  const result = new Float32Array(halves.length);
  for (let i = 0; i < result.length; i++) {
    const bits = halves[i]!;
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 0x1f;
    const fraction = bits & 0x3ff;
    if (exponent === 0) result[i] = sign * fraction * 2 ** -24;
    else if (exponent === 0x1f) result[i] = fraction === 0 ? sign * Infinity : NaN;
    else result[i] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return result;
}
