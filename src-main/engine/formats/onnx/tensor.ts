// Stored tensors of an ONNX file: initialisers and attributes. Their numbers are decoded when somebody asks for
// them, from views of the file, so that a model is in memory twice at most: in the file and as weights.

import { sizeOf } from '../../graph/ops/check';
import type { Shape } from '../../graph/types';
import { AppError } from '../../errors';
import { corrupt, tooLarge } from './errors';
import { maxFoldedSize, maxRank, maxWeightBytes } from './limits';
import { decodeNumbers, elementBytes, kindOf, packedNumbers, type Kind } from './numbers';
import type { TensorProto } from './proto/messages';
import { dataTypeName, dataTypes, externalLocation } from './proto/schema';

export type Numbers = Float32Array | Float64Array;

/** A tensor that is known when the file is read. */
export interface Constant {
  readonly name: string;
  /** All axes: constants have no batch. */
  readonly shape: Shape;
  readonly kind: Kind;
  /** float32 numbers, or whole numbers and truth values as doubles. The array must not be changed. */
  numbers(): Numbers;
}

/** A constant whose numbers are there. */
export function constantOf(name: string, shape: Shape, kind: Kind, data: Numbers): Constant {
  return { name, shape, kind, numbers: () => data };
}

/** Bytes of a tensor in another file. */
export type ReadExternal = (tensor: TensorProto, bytes: number) => Uint8Array;

/**
 * A tensor of the file. Its shape and the number of its bytes are checked at once.
 * @throws AppError MODEL_CORRUPT, MODEL_TOO_LARGE; MODEL_UNSUPPORTED_OP, when its numbers are asked for, where they
 * are of a type that no network computes with
 */
export function storedTensor(
  tensor: TensorProto,
  fallbackName: string,
  external: ReadExternal,
): Constant {
  const name = tensor.name || fallbackName;
  const shape = checkedShape(name, tensor.dims);
  const type = tensor.dataType ?? 0;
  const kind = kindOf(type);
  const count = sizeOf(shape);
  if (kind === null) return unknownNumbers(name, shape, type);
  if (kind !== 'float' && count > maxFoldedSize) {
    throw tooLarge(`Numbers in the ${dataTypeName(type)} tensor "${name}"`, count, maxFoldedSize);
  }
  const expected = count * elementBytes(type);
  if (tensor.dataLocation === externalLocation) {
    const bytes = external(tensor, expected);
    return { name, shape, kind, numbers: () => decodeNumbers(bytes, type, count) };
  }
  const raw = tensor.rawData;
  if (raw && raw.length > 0) {
    if (raw.length !== expected) {
      throw corrupt(
        `The tensor "${name}" of shape [${shape.join(', ')}] (${dataTypeName(type)}) holds ${raw.length} bytes ` +
          `instead of ${expected}`,
        { tensor: name },
      );
    }
    return { name, shape, kind, numbers: () => decodeNumbers(raw, type, count) };
  }
  const numbers = packedNumbers(tensor, type, count);
  if (numbers === null) {
    throw corrupt(`The tensor "${name}" does not hold the ${count} numbers of its shape`, {
      tensor: name,
    });
  }
  return { name, shape, kind, numbers };
}

function checkedShape(name: string, dims: readonly number[]): Shape {
  if (dims.length > maxRank) throw tooLarge(`Axes of the tensor "${name}"`, dims.length, maxRank);
  if (dims.some((size) => !Number.isInteger(size) || size < 0)) {
    throw corrupt(`The tensor "${name}" has the shape [${dims.join(', ')}]`, { tensor: name });
  }
  const bytes = 4 * sizeOf(dims);
  if (bytes > maxWeightBytes) {
    throw tooLarge(`Bytes of the tensor "${name}"`, bytes, maxWeightBytes);
  }
  return [...dims];
}

/** Stands in the file, but nothing can be done with it: an error where it is used. */
function unknownNumbers(name: string, shape: Shape, type: number): Constant {
  return {
    name,
    shape,
    kind: 'float',
    numbers() {
      throw new AppError(
        'MODEL_UNSUPPORTED_OP',
        `The tensor "${name}" holds numbers of ${dataTypeName(type)}, which no layer here computes with.`,
        type === dataTypes.STRING
          ? 'Export the network without its text processing.'
          : 'Export the model with float32 or float16 weights.',
        { details: { tensor: name } },
      );
    },
  };
}
