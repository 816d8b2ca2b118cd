// The errors of reading a TensorFlow.js Layers model.

import { AppError } from '../../errors';

/** A file that contradicts itself or the format. */
export function corrupt(
  problem: string,
  details: Readonly<Record<string, unknown>> = {},
  cause?: unknown,
): AppError {
  return new AppError(
    'MODEL_CORRUPT',
    `${problem}.`,
    'Copy model.json and all its weight files again from where they were made, or export them anew.',
    { details, ...(cause === undefined ? {} : { cause }) },
  );
}

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

/** Something larger than any real model of this kind. */
export function tooLarge(what: string, found: number, limit: number): AppError {
  return new AppError(
    'MODEL_TOO_LARGE',
    `${what}: ${found}, the limit is ${limit}.`,
    'Secateur reads networks for edge devices; a file of this size is damaged or not one of these.',
    { details: { found, limit } },
  );
}
