// The precisions of exports: what a file in each of them must keep to count as good, and what is not to be had.

import { AppError } from '../errors';
import type { RoundingLimits } from '../measure/types';
import { formatEntry, type Format, type Precision } from './catalogue';

/**
 * Largest difference of an output for float32, whose arithmetic only runs in another order; for the others how many
 * points of top-1 accuracy they may cost on real images, and without images how close the outputs must stay.
 */
export const verificationLimits: Readonly<Record<Precision, number | RoundingLimits>> = {
  fp32: 1e-4,
  fp16: { maxDrop: 0.005, minCosine: 0.9999 },
  'int8-dynamic': { maxDrop: 0.01, minCosine: 0.99 },
  uint8: { maxDrop: 0.01, minCosine: 0.99 },
  int8: { maxDrop: 0.02, minCosine: 0.98 },
};

/** The error for a precision that a format does not have. */
export function noSuchPrecision(format: Format, precision: Precision): AppError {
  const { title, precisions } = formatEntry(format);
  return new AppError(
    'INVALID_ARGUMENT',
    `${title} is not written in the precision ${precision}.`,
    `Take one of: ${precisions.join(', ')}.`,
    { details: { field: 'precision' } },
  );
}

/** The error for full int8 without images. */
export function needsImages(): AppError {
  return new AppError(
    'INVALID_ARGUMENT',
    'Full int8 needs images: the ranges of activations are found on them.',
    'Name a data set (--data), or take the precision int8-dynamic, which needs none.',
    { details: { field: 'data' } },
  );
}
