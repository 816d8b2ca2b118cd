// The errors of reading foreign files that are the same for every format.

import { AppError } from '../errors';

/** Makes the error for a file that contradicts itself or its format. */
export type Corrupt = (
  problem: string,
  details: Readonly<Record<string, unknown>> | undefined,
  cause: unknown,
) => AppError;

/** What does not fit together in a graph does not in the file that it comes from. */
export function asFaultOfFile(error: unknown, corrupt: Corrupt): unknown {
  if (error instanceof AppError && error.code === 'GRAPH_INVALID') {
    return corrupt(error.message.replace(/\.$/, ''), error.details, error);
  }
  return error;
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
