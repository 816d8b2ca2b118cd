// The size of a model as a device sees it: the bytes of its file.

import { AppError } from '../errors';
import { tfliteWriter } from '../formats/tflite/writer';
import type { Model } from '../graph/types';

/** The float32 .tflite file of a model. @throws AppError EXPORT_UNSUPPORTED naming the node */
export async function tfliteBytes(model: Model): Promise<Uint8Array> {
  const [file] = await tfliteWriter.write(model, { precision: 'fp32', name: 'model' });
  if (!file) throw new AppError('INTERNAL', 'The TFLite writer wrote no file.', 'This is a bug.');
  return file.bytes;
}

/** Bytes of the float32 .tflite file; null for a model that TFLite cannot express. */
export async function exportedBytes(model: Model): Promise<number | null> {
  try {
    return (await tfliteBytes(model)).byteLength;
  } catch (error) {
    if (error instanceof AppError && error.code === 'EXPORT_UNSUPPORTED') return null;
    throw error;
  }
}
