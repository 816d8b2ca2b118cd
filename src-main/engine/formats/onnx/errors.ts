// The errors of reading an ONNX model.

import { AppError } from '../../errors';
import { asFaultOfFile } from '../errors';

export { tooLarge } from '../errors';

/** A file that contradicts itself or the format. */
export function corrupt(
  problem: string,
  details: Readonly<Record<string, unknown>> = {},
  cause?: unknown,
): AppError {
  return new AppError(
    'MODEL_CORRUPT',
    `The ONNX file is damaged. ${problem}.`,
    'Copy the file again from where it was made, together with its weight files if it has any, or export it anew.',
    { details, ...(cause === undefined ? {} : { cause }) },
  );
}

/** What does not fit together in a graph does not in the file that it comes from. */
export const asCorrupt = (error: unknown): unknown => asFaultOfFile(error, corrupt);

/** An operator that cannot be run. `remedy` says what to do about it. */
export function unsupportedOp(
  node: string,
  op: string,
  why: string,
  remedy = 'Replace the layer in the program that made the model, or cut the model off before it, and export again.',
): AppError {
  return new AppError(
    'MODEL_UNSUPPORTED_OP',
    `Layer "${node}" (${op}) cannot be imported: ${why}.`,
    remedy,
    { details: { layer: node, op } },
  );
}

/** A weight file that is not in the model's folder. */
export function unsafePath(path: string): AppError {
  return new AppError(
    'MODEL_UNSAFE_PATH',
    `The model names the weight file ${JSON.stringify(path)}, which is not in its own folder.`,
    'Put the weight files beside the model and name them by relative paths. If you do not know where the model ' +
      'comes from, do not use it.',
    { details: { path } },
  );
}
