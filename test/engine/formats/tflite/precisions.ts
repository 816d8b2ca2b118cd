// A graph in every precision of the format, run by LiteRT and held to the reference.

import { expect } from 'vitest';
import { silentContext } from '../../../../src-main/engine/context';
import { tfliteWriter } from '../../../../src-main/engine/formats/tflite/writer';
import type { QuantizedFiles } from '../../../../src-main/engine/formats/types';
import type { Graph, Model } from '../../../../src-main/engine/graph/types';
import { openLiteRt } from '../../../../src-main/engine/measure/litert';
import { SignalToNoise } from '../../../../src-main/engine/quantize/signal';
import { parseFile } from '../../../../src-main/engine/formats/tflite/parse';
import type { ProgramData } from '../../../../src-main/engine/formats/tflite/program';
import type { Value } from '../../reference';

export const asModel = (graph: Graph): Model => ({
  graph,
  preprocessing: { scale: 1, mean: [0], std: [1], channelOrder: 'rgb' },
  labels: null,
  outputKind: 'values',
});

/** Full int8, calibrated on the given samples alone: pixels from 0 to 255 would make the steps of these graphs coarse. */
export async function int8File(
  graph: Graph,
  inputs: Float32Array,
  count: number,
  keepFloat: readonly string[] = [],
  io: 'int8' | 'float' = 'float',
): Promise<QuantizedFiles> {
  const { min, max } = inputs.reduce(
    (range, x) => ({ min: Math.min(range.min, x), max: Math.max(range.max, x) }),
    { min: 0, max: 0 },
  );
  // 0 becomes min and 255 becomes max.
  const scale = (max - min) / 255 || 1;
  const model = {
    ...asModel(graph),
    preprocessing: { scale, mean: [-min], std: [1], channelOrder: 'rgb' as const },
  };
  const samples = { count, inputs };
  return tfliteWriter.quantize!(
    model,
    { name: 'net', calibration: samples, trial: samples, method: 'minmax', io, keepFloat },
    silentContext,
  );
}

export function programOf(files: QuantizedFiles['files']): ProgramData {
  return parseFile(files[0]!.bytes).program;
}

/** Signal to noise of what LiteRT gives for a file, in dB. */
async function decibels(
  bytes: Uint8Array,
  input: Float32Array,
  expected: readonly Value[],
): Promise<number> {
  const runner = await openLiteRt(bytes);
  try {
    const signal = new SignalToNoise();
    const outputs = await runner.run(input);
    outputs.forEach((output, i) => signal.add(expected[i]!.data, output));
    return signal.decibels();
  } finally {
    runner.close();
  }
}

/**
 * Least signal to noise of each precision: half has 11 bits, 8 bits of a uniform tensor are 48 dB, and both lose some in a
 * chain of operators.
 */
const least = { fp16: 55, 'int8-dynamic': 25, int8: 22 } as const;

/** Expects the outputs of a graph in the smaller precisions to be those of the reference, but for rounding. */
export async function expectSmallerPrecisions(
  graph: Graph,
  input: Float32Array,
  expected: readonly Value[],
): Promise<void> {
  for (const precision of ['fp16', 'int8-dynamic'] as const) {
    const [file] = await tfliteWriter.write(asModel(graph), { precision, name: 'net' });
    expect(await decibels(file!.bytes, input, expected), precision).toBeGreaterThan(
      least[precision],
    );
  }
  const { files } = await int8File(graph, input, 1);
  expect(await decibels(files[0]!.bytes, input, expected), 'int8').toBeGreaterThan(least.int8);
}
