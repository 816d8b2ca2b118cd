// The errors of reading a TensorFlow.js graph model that speak of its operations.

import { AppError } from '../../errors';

/** An operation that cannot be run. `remedy` says what to do about it. */
export function unsupportedOp(
  node: string,
  op: string,
  why: string,
  remedy = 'Replace the operation in the program that made the model, or cut the model off before it, and convert ' +
    'it again.',
): AppError {
  return new AppError(
    'MODEL_UNSUPPORTED_OP',
    `Node "${node}" (${op}) cannot be imported: ${why}.`,
    remedy,
    { details: { layer: node, op } },
  );
}
