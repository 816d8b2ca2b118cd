// The choice between calibration methods: candidates share what does not depend on the method, and a single method is
// not tried.

import { expect, it } from 'vitest';
import { silentContext } from '../../../../src-main/engine/context';
import { tfliteWriter } from '../../../../src-main/engine/formats/tflite/writer';
import type { QuantizedFiles } from '../../../../src-main/engine/formats/types';
import { GraphBuilder } from '../../../../src-main/engine/graph/build';
import { createRng } from '../../../../src-main/engine/graph/rng';
import {
  calibrationMethods,
  type CalibrationMethod,
} from '../../../../src-main/engine/quantize/types';
import { asModel } from './precisions';

const rng = createRng(83);
const size = 12 * 12 * 3;
const count = 12;

/** Numbers of a few outliers, so that the methods find different ranges. */
function samples(): { readonly count: number; readonly inputs: Float32Array } {
  const inputs = Float32Array.from({ length: count * size }, (_, i) =>
    i % 997 === 0 ? rng.uniform(20, 40) : rng.normal(),
  );
  return { count, inputs };
}

const model = asModel(
  (() => {
    const builder = new GraphBuilder('net', { rng });
    const x = builder.input('image', [12, 12, 3]);
    const y = builder.activation(builder.conv2d(x, { filters: 8, kernelSize: 3 }), 'relu');
    const z = builder.depthwiseConv2d(y, { kernelSize: 3, multiplier: 2 });
    builder.output(builder.dense(builder.globalAvgPool(z), { units: 5 }));
    return builder.build();
  })(),
);
const [calibration, trial] = [samples(), samples()];

/** The files, and the labels of the progress in which they were made. */
async function quantize(
  method: CalibrationMethod | 'auto',
): Promise<QuantizedFiles & { readonly labels: readonly string[] }> {
  const labels: string[] = [];
  const context = {
    ...silentContext,
    progress: ({ label }: { readonly label: string }) => void labels.push(label),
  };
  const options = { name: 'net', calibration, trial, method, io: 'int8', keepFloat: [] } as const;
  return { ...(await tfliteWriter.quantize!(model, options, context)), labels };
}

it('takes the method with least noise, and writes what that method alone gives', async () => {
  const chosen = await quantize('auto');
  const { trials, method } = chosen.report;
  expect(trials.map((each) => each.method)).toEqual(calibrationMethods);
  const best = Math.max(...trials.map(({ decibels }) => decibels!));
  expect(trials.find(({ decibels }) => decibels === best)!.method).toBe(method);
  const files = await Promise.all(calibrationMethods.map(async (each) => quantize(each)));
  expect(new Set(files.map((each) => Buffer.from(each.files[0]!.bytes).toString('hex'))).size).toBe(
    3,
  );
  const alone = files[calibrationMethods.indexOf(method)]!;
  expect(alone.files).toEqual(chosen.files);
  expect(alone.report.layers).toEqual(chosen.report.layers);
});

it('tries nothing where there is no choice', async () => {
  const { report, labels } = await quantize('percentile');
  expect(report).toMatchObject({ method: 'percentile', images: count, trials: [] });
  expect(labels.some((label) => label.startsWith('Trying'))).toBe(false);
  expect(labels.at(-1)).toContain('noise');
});
