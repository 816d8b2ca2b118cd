// The errors of reading a .tflite file.

import { AppError } from '../../errors';
import { asFaultOfFile } from '../errors';

export { tooLarge } from '../errors';

/** A file that contradicts itself or the format. */
export function corrupt(
  problem: string,
  details: Readonly<Record<string, unknown>> = {},
): AppError {
  return new AppError(
    'MODEL_CORRUPT',
    `The .tflite file is damaged: ${problem}.`,
    'Copy the file again from where it was made, or convert the model anew.',
    { details },
  );
}

/** What does not fit together in a graph does not in the file that it comes from. */
export const asCorrupt = (error: unknown): unknown => asFaultOfFile(error, corrupt);

/** An operator that cannot be run. */
export function unsupportedOperator(layer: string, operator: string, why: string): AppError {
  return new AppError(
    'MODEL_UNSUPPORTED_OP',
    `Layer "${layer}" (${operator}) cannot be imported: ${why}.`,
    'Replace the layer in the program that made the model, or import the model that the file was converted from.',
    { details: { layer, operator } },
  );
}
