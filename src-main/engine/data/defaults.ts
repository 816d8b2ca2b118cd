// Default options of the data part of the engine.

import type { DecodeOptions } from './types';

/** Take images as they are; hold back a tenth for validation and a tenth for testing; stop at damage. */
export const defaultDecodeOptions: DecodeOptions = {
  size: null,
  channels: null,
  fit: 'cover',
  seed: 1,
  valFraction: 0.1,
  testFraction: 0.1,
  onUnreadable: 'error',
};
