// Numbers off the backend, several tensors at once.

import type { Tensor } from '../runtime/primitives';

/** Reads float32 tensors and disposes them, also where one cannot be read. */
export async function readTogether(tensors: readonly Tensor[]): Promise<Float32Array[]> {
  try {
    return await Promise.all(tensors.map((tensor) => tensor.data<'float32'>()));
  } finally {
    for (const tensor of tensors) tensor.dispose();
  }
}
