// Architectures of the zoo, whole and cut, through both writers: two files, two runtimes, one result; and back.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { silentContext } from '../../../src-main/engine/context';
import { formatWriter, readModel } from '../../../src-main/engine/formats/table';
import type { WriteFormat } from '../../../src-main/engine/formats/types';
import { createRng } from '../../../src-main/engine/graph/rng';
import type { Model, Shape } from '../../../src-main/engine/graph/types';
import { defaultPruneOptions, prune } from '../../../src-main/engine/prune';
import { buildZoo } from '../../../src-main/engine/zoo';
import { maxAbsDiff } from '../reference';
import { expectSameGraph } from './same-graph';
import { tempFolder } from './temp-folder';

/** Architectures of every family; inputs smaller than the published ones where that is quicker. */
const cases: Readonly<Record<string, Shape | null>> = {
  lenet5: null,
  'vgg16-cifar': null,
  'resnet20-cifar': null,
  'resnet20-cifar-b': null,
  'preresnet164-cifar': [16, 16, 3],
  'densenet40-cifar': [16, 16, 3],
  mobilenetv1: [32, 32, 3],
  mobilenetv2: [32, 32, 3],
  resnet18: [32, 32, 3],
};

async function write(
  model: Model,
  format: WriteFormat,
): Promise<{ folder: string; files: string[] }> {
  const folder = await tempFolder();
  const files = await formatWriter(format).write(model, { precision: 'fp32', name: 'net' });
  for (const { path, bytes } of files) {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
  return { folder, files: files.map(({ path }) => path) };
}

/** Expects both files to compute the same, and the TensorFlow.js one to be read as the very same model. */
async function expectSameEverywhere(model: Model): Promise<void> {
  const size = model.graph.inputs[0]!.shape.reduce((a, b) => a * b, 1);
  const rng = createRng(2);
  const input = Float32Array.from({ length: size }, () => rng.normal());
  const outputs: Float32Array[] = [];
  for (const format of ['tfjs-layers', 'tflite'] as const) {
    const { folder, files } = await write(model, format);
    const runner = await formatWriter(format).openRunner(folder, files);
    outputs.push((await runner.run(input))[0]!);
    runner.close();
    if (format === 'tfjs-layers') {
      const read = await readModel(folder, silentContext);
      expectSameGraph(read.model.graph, model.graph);
      expect({ ...read.model, graph: null }).toEqual({ ...model, graph: null });
    }
  }
  const largest = Math.max(...outputs[0]!.map(Math.abs));
  expect(largest).toBeGreaterThan(0);
  expect(maxAbsDiff(outputs[0]!, outputs[1]!)).toBeLessThan(1e-5 * Math.max(1, largest));
}

for (const [id, inputShape] of Object.entries(cases)) {
  it(`${id}, whole and cut`, async () => {
    const model = buildZoo(id, { seed: 1, ...(inputShape === null ? {} : { inputShape }) });
    await expectSameEverywhere(model);
    const cut = prune(model, { ...defaultPruneOptions, target: { macs: 0.6 } }).model;
    const wasCut = cut.graph.nodes.filter(({ origin }) => origin !== undefined);
    expect(wasCut.length).toBeGreaterThan(0);
    await expectSameEverywhere(cut);
  }, 120_000);
}
