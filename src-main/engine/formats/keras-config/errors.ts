// The errors of reading a model that is described as Keras does.

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
    `${problem}.`,
    'Copy the model again from where it was made, with all its files, or export it anew.',
    { details, ...(cause === undefined ? {} : { cause }) },
  );
}

/** What does not fit together in a graph does not in the file that it comes from. */
export const asCorrupt = (error: unknown): unknown => asFaultOfFile(error, corrupt);

/** A layer that cannot be run. `remedy` says what to do about it. */
export function unsupportedLayer(
  layer: string,
  className: string,
  why: string,
  remedy = 'Replace the layer in the program that made the model, or leave it out, and export again.',
): AppError {
  return new AppError(
    'MODEL_UNSUPPORTED_OP',
    `Layer "${layer}" (${className}) cannot be imported: ${why}.`,
    remedy,
    { details: { layer, class: className } },
  );
}

/** Numbers that cannot be computed with, which no weight of the graph will show. */
export function notFinite(layer: string, className: string, what: string): AppError {
  return new AppError(
    'MODEL_NOT_FINITE',
    `Layer "${layer}" (${className}): the ${what} holds numbers that are not finite.`,
    'The model diverged when it was trained: take an earlier checkpoint.',
    { details: { layer } },
  );
}
