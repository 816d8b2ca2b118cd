// How sensitivity is measured unless one says otherwise, and the check of what one says.

import { AppError } from '../../errors';
import type { SensitivityOptions } from './types';

/** Nine widths, a thousand images: minutes for a network of a few dozen layers. */
export const defaultSensitivityOptions: SensitivityOptions = {
  criterion: 'l1',
  grid: [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1],
  samples: 1000,
  recalibrate: true,
  seed: 0,
};

/** @throws AppError INVALID_ARGUMENT naming the option that is out of range. */
export function checkSensitivityOptions({ grid, samples }: SensitivityOptions): void {
  if (grid.length === 0)
    throw outOfRange('grid', 'empty', 'a list of shares, for instance 0.75,0.5');
  for (const share of grid) {
    if (!(share > 0 && share < 1)) throw outOfRange('grid', share, 'shares above 0 and below 1');
  }
  if (!Number.isInteger(samples) || samples < 1) {
    throw outOfRange('number of samples', samples, 'a whole number of at least 1');
  }
}

function outOfRange(option: string, value: number | string, range: string): AppError {
  const message = value === 'empty' ? `The ${option} is empty.` : `The ${option} holds ${value}.`;
  return new AppError('INVALID_ARGUMENT', message, `It must be ${range}.`, {
    details: { option, value },
  });
}
