// Models of PyTorch's two exporters and of ONNX's own tools: read, cut, written and run by ONNX Runtime and LiteRT.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentContext } from '../../../../src-main/engine/context';
import { formatWriter } from '../../../../src-main/engine/formats/table';
import { onnxReader } from '../../../../src-main/engine/formats/onnx/reader';
import type { Model } from '../../../../src-main/engine/graph/types';
import {
  analyse,
  checkEquivalence,
  defaultPruneOptions,
  prune,
} from '../../../../src-main/engine/prune';
import { graphCost } from '../../../../src-main/engine/graph/cost';
import { runForward } from '../../../../src-main/engine/train/executor';
import { tempFolder } from '../temp-folder';
import { difference, expectedOf, inputsOf, names, readFixture } from './fixtures';

const tolerance = 1e-4;

/** Networks to be cut; the other files test operators and have little or nothing that could go. */
const networks = names.filter((name) =>
  /^(resnet|mobile|densenet|shuffle|inception|vgg|segmentation)/.test(name),
);

async function run(model: Model, name: string): Promise<readonly Float32Array[]> {
  const shapes = model.graph.inputs.map(({ shape }) => shape);
  return runForward(model, inputsOf(name, shapes), 1);
}

/** Writes a model and runs the file; the runners take models of one input. */
async function runWritten(
  model: Model,
  format: 'onnx' | 'tflite',
  input: Float32Array,
): Promise<{ outputs: readonly Float32Array[]; folder: string }> {
  const folder = await tempFolder();
  const writer = formatWriter(format);
  const files = await writer.write(model, { precision: 'fp32', name: 'model' });
  for (const { path, bytes } of files) await writeFile(join(folder, path), bytes);
  const runner = await writer.openRunner(
    folder,
    files.map(({ path }) => path),
  );
  try {
    return { outputs: await runner.run(input), folder };
  } finally {
    runner.close();
  }
}

it('all files are there', () => {
  expect(names.length).toBe(28);
  expect(networks.length).toBe(16);
});

describe.each(names)('%s', (name) => {
  it('computes what ONNX Runtime computes', async () => {
    const { model } = await readFixture(name);
    expect(difference(await run(model, name), expectedOf(name))).toBeLessThan(tolerance);
  });

  it('is the same when it was written as ONNX and as TFLite, and read again', async () => {
    const { model } = await readFixture(name);
    if (model.graph.inputs.length > 1) return;
    const [input] = inputsOf(name, [model.graph.inputs[0]!.shape]) as [Float32Array];
    const expected = expectedOf(name);
    const written = await runWritten(model, 'onnx', input);
    expect(difference(written.outputs, expected)).toBeLessThan(tolerance);
    const again = await onnxReader.read(join(written.folder, 'model.onnx'), silentContext);
    expect(difference(await run(again.model, name), expected)).toBeLessThan(tolerance);
    expect(again.preprocessingKnown).toBe(true);
    const { outputs } = await runWritten(model, 'tflite', input);
    expect(difference(outputs, expected)).toBeLessThan(tolerance);
  });
});

describe.each(networks)('%s, cut to 60 % of its MACs', (name) => {
  it('equals its masked original, in every runtime', async () => {
    const { model } = await readFixture(name);
    const analysis = analyse(model);
    const result = prune(model, { ...defaultPruneOptions, target: { macs: 0.6 } }, analysis);
    const { macs } = graphCost(result.model.graph);
    expect(macs).toBeLessThanOrEqual(0.6 * graphCost(model.graph).macs);
    const proof = { samples: 2, seed: 1 };
    const { passed } = await checkEquivalence(
      model,
      result.model,
      analysis,
      result.plan.kept,
      proof,
    );
    expect(passed).toBe(true);
    const [input] = inputsOf(name, [model.graph.inputs[0]!.shape]) as [Float32Array];
    const expected = (await runForward(result.model, [input], 1)).map((values) => ({ values }));
    for (const format of ['onnx', 'tflite'] as const) {
      const { outputs } = await runWritten(result.model, format, input);
      expect(difference(outputs, expected)).toBeLessThan(tolerance);
    }
  });
});
