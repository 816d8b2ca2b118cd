// The types of number in which layers compute: floating point of any width becomes float32.

import { isObject } from '../config';
import type { LayerCall } from './types';

/** A policy by its name, written as a text or as an object that has one. */
function policyOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!isObject(value) || !isObject(value['config'])) return undefined;
  const { name } = value['config'];
  return typeof name === 'string' ? name : undefined;
}

/** @throws AppError MODEL_UNSUPPORTED_OP for a layer whose numbers are quantised, naming it */
export function requirePlainNumbers(call: LayerCall): void {
  const policy = policyOf(call.config.raw('dtype'));
  if (policy === undefined || policy === 'float32') return;
  if (!/^(mixed_)?b?float(16|64)$/.test(policy)) {
    throw call.unsupported(
      `it computes in "${policy}"`,
      'Import the model as it was before it was quantised, and quantise at export.',
    );
  }
  call.note(`The model was made to compute in ${policy}; here it computes in float32.`);
}
