// Weights in half precision: each is stored so and brought to float32 by an operator that runtimes fold away when they
// load the file, or that hardware with 16-bit arithmetic leaves out.

import { largestHalf, toHalf } from '../../../quantize/half';
import { absent, Program, type ProgramData } from '../program';
import type { MetadataEntry } from '../serialize';
import { Copier, storedFloats } from './copy';

/** Shorter vectors stay as they are: an operator costs more than they do. */
const fewest = 16;

/** Says that the model bears 16-bit arithmetic with 32-bit sums, as the official converter does. */
export const reducedPrecision: MetadataEntry = {
  name: 'reduced_precision_support',
  bytes: new TextEncoder().encode('fp16accfp32'),
};

/** The program with its weights in half precision. Numbers beyond the largest half stay float32. */
export function toFloat16(source: ProgramData): Program {
  const target = new Program(source.name);
  const copier = new Copier(source, target);
  copier.inputs();
  const read = source.operations.flatMap(({ inputs, layer }) =>
    inputs.map((tensor) => ({ tensor, layer })),
  );
  const seen = new Set([absent]);
  for (const { tensor, layer } of read) {
    if (seen.has(tensor)) continue;
    seen.add(tensor);
    const halves = halvesOf(storedFloats(source, tensor));
    if (halves === null) continue;
    const { shape } = source.tensors[tensor]!;
    target.layer = layer;
    const stored = target.constant('half', shape, halves);
    copier.set(tensor, target.emit('DEQUANTIZE', [stored], shape, {}, 3));
  }
  for (const operation of source.operations) copier.operation(operation);
  copier.outputs();
  return target;
}

function halvesOf(numbers: Float32Array | null): Uint16Array | null {
  if (numbers === null || numbers.length < fewest) return null;
  return numbers.every((value) => Math.abs(value) <= largestHalf) ? toHalf(numbers) : null;
}
