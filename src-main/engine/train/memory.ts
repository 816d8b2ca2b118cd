// Memory that runs out in a step: what is thrown then, and what to do about it.

import { AppError } from '../errors';

/** TensorFlow's words ("OOM when allocating tensor", RESOURCE_EXHAUSTED) and those of JavaScript's arrays. */
const shortage =
  /\bOOM\b|ResourceExhausted|Resource exhausted|RESOURCE_EXHAUSTED|Array buffer allocation failed|Invalid typed array length/i;

/** The error of a step as OUT_OF_MEMORY where memory is what it lacked; else as it is. */
export function asMemoryError(error: unknown, batchSize: number): unknown {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof AppError || !shortage.test(message)) return error;
  const half = Math.floor(batchSize / 2);
  return new AppError(
    'OUT_OF_MEMORY',
    `A batch of ${batchSize} images takes more memory than there is.`,
    half >= 1
      ? `Set the batch size to ${half}, or close other programs.`
      : 'Close other programs, or train a smaller network.',
    { details: { batchSize, suggestedBatchSize: Math.max(half, 1) }, cause: error },
  );
}
