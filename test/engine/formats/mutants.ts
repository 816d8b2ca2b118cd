// What may become of a file with bytes or values exchanged.

/** It is read, or refused with one of these codes; anything else is a fault of the reader. */
export const mutantOutcomes: ReadonlySet<string> = new Set([
  'read',
  'MODEL_CORRUPT',
  'MODEL_FORMAT_UNKNOWN',
  'MODEL_NOT_FINITE',
  'MODEL_TOO_LARGE',
  'MODEL_UNSAFE_PATH',
  'MODEL_UNSUPPORTED_OP',
]);
