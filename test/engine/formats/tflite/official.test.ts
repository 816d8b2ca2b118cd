// Files of the official converter, read and held to what its own interpreter computes with them.

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { silentContext } from '../../../../src-main/engine/context';
import { readModel } from '../../../../src-main/engine/formats/table';
import { readTflite } from '../../../../src-main/engine/formats/tflite/reader';
import { SignalToNoise } from '../../../../src-main/engine/quantize/signal';
import { runReference } from '../../reference';

const fixtures = resolve(import.meta.dirname, '../../../fixtures/tflite');
const expected = JSON.parse(readFileSync(join(fixtures, 'expected.json'), 'utf8')) as Readonly<
  Record<string, { readonly input: string; readonly outputs: readonly string[] }>
>;

function numbers(base64: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer);
}

/**
 * Least signal to noise in dB: float32 but for the order of sums; whatever the interpreter rounds to 8 bits on its way, and
 * the graph does not, is noise.
 */
it.each([
  ['net-fp32.tflite', 100],
  ['parts-fp32.tflite', 100],
  ['net-fp16.tflite', 100],
  ['net-dynamic.tflite', 30],
  ['net-int8.tflite', 25],
  ['net-int8-float-io.tflite', 25],
])('%s', async (file, least) => {
  const bytes = new Uint8Array(readFileSync(join(fixtures, file)));
  const { model, quantized = [] } = await readTflite(bytes, 'net', silentContext);
  const { input, outputs } = expected[file]!;
  const signal = new SignalToNoise();
  runReference(model.graph, [numbers(input)]).forEach(({ data }, i) => {
    expect(data.length).toBe(numbers(outputs[i]!).length);
    signal.add(numbers(outputs[i]!), data);
  });
  expect(signal.decibels()).toBeGreaterThan(least);
  expect(quantized.length > 0).toBe(/dynamic|int8/.test(file));
});

it('models that compute with integers are shown, not imported', async () => {
  for (const file of ['net-int8.tflite', 'net-int8-float-io.tflite']) {
    await expect(readModel(join(fixtures, file), silentContext)).rejects.toMatchObject({
      code: 'MODEL_QUANTIZED',
    });
  }
});
