// Bytes of an ONNX file to messages and back.

import { configure, Root, util, type Type } from 'protobufjs/light.js';
import { corrupt } from '../errors';
import type { ModelProto } from './messages';
import { schema } from './schema';

// 64-bit integers become numbers: sizes and axes are far below 2^53, and "to the end" of a slice stays huge.
(util as { Long: unknown }).Long = undefined;
configure();

let modelType: Type | null = null;

function getModelType(): Type {
  modelType ??= Root.fromJSON(schema).lookupType('ModelProto');
  return modelType;
}

/**
 * Decodes a file. Bytes of tensors are views of it. Fields of another type than the format's are skipped.
 * @throws AppError MODEL_CORRUPT
 */
export function decodeModelProto(bytes: Uint8Array): ModelProto {
  try {
    return getModelType().decode(bytes) as unknown as ModelProto;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw corrupt(`It is not valid protobuf, or cut off: ${why.slice(0, 120)}`, {}, error);
  }
}

/** The bytes of a file. */
export function encodeModelProto(model: ModelProto): Uint8Array {
  return getModelType().encode(model).finish();
}
