// What a tensor of a program is while its operators are turned into layers: stored numbers, or the output of a layer.

import { sizeOf } from '../../../graph/ops/check';
import type { ExplicitPadding, Pair, Shape, TensorId } from '../../../graph/types';
import { halvesToFloats } from '../../half-floats';
import type { ProgramTensor, Quantization } from '../program';

/** Stored numbers; 64-bit integers are kept as 32-bit ones, of which axes and sizes are. */
export interface Constant {
  readonly kind: 'constant';
  readonly shape: Shape;
  readonly data: Float32Array | Int32Array;
}

/** An output of a layer. */
export interface Activation {
  readonly kind: 'activation';
  readonly tensor: TensorId;
  /** False where the program has merged the batch of one into another axis: then it has no axis for it. */
  readonly batched: boolean;
}

/**
 * An image whose pixels were spread over the batch, every `block`-th of a row and column together: what TensorFlow makes a
 * dilated convolution of. Nothing but a convolution may read it, and what that gives is gathered again at once.
 */
export interface Spread {
  readonly kind: 'spread';
  readonly source: Activation;
  readonly block: Pair;
  /** Zeros that were put around the image before. */
  readonly paddings: ExplicitPadding;
  /** The convolution that read it, to be made once its dilation and padding are known. */
  readonly convolution: ((dilations: Pair, padding: ExplicitPadding) => Activation) | null;
}

export type Value = Constant | Activation | Spread;

export const constantOf = (shape: Shape, data: Constant['data']): Constant => ({
  kind: 'constant',
  shape,
  data,
});

/** The numbers of a stored tensor, integers with scales as what they stand for; null for types that hold none. */
export function storedNumbers(tensor: ProgramTensor, bytes: Uint8Array): Constant {
  // Typed arrays must begin at multiples of their element's size, vectors of a file need not.
  const { buffer } = bytes.slice();
  const { shape, quantization } = tensor;
  const exact = (data: ArrayLike<number>): Constant =>
    quantization === null
      ? constantOf(shape, data instanceof Int32Array ? data : Int32Array.from(data))
      : constantOf(shape, dequantised(data, shape, quantization));
  switch (tensor.type) {
    case 'float32':
      return constantOf(shape, new Float32Array(buffer));
    case 'float16':
      return constantOf(shape, halvesToFloats(new Uint16Array(buffer)));
    case 'int32':
      return exact(new Int32Array(buffer));
    case 'int64':
      return exact(Int32Array.from(new BigInt64Array(buffer), (value) => clamped(value)));
    case 'int16':
      return exact(new Int16Array(buffer));
    case 'int8':
      return exact(new Int8Array(buffer));
    case 'uint8':
    case 'bool':
      return exact(new Uint8Array(buffer));
  }
}

const largest = 2n ** 31n - 1n;

/** Ends of slices are written as the largest number there is. */
function clamped(value: bigint): number {
  return Number(value > largest ? largest : value < -largest ? -largest : value);
}

/** real = (stored - zeroPoint) * scale, by position of the axis where there are several. */
function dequantised(
  data: ArrayLike<number>,
  shape: Shape,
  { scales, zeroPoints, axis }: Quantization,
): Float32Array {
  const inner = scales.length === 1 ? data.length : sizeOf(shape.slice(axis + 1));
  const result = new Float32Array(data.length);
  for (let start = 0, block = 0; start < result.length; start += inner, block++) {
    const scale = scales[block % scales.length]!;
    const zeroPoint = zeroPoints[block % scales.length]!;
    for (let i = start; i < start + inner; i++) result[i] = (data[i]! - zeroPoint) * scale;
  }
  return result;
}
