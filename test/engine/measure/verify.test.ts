// Verification: passes for what was written, and for nothing else.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentContext } from '../../../src-main/engine/context';
import { formatWriter } from '../../../src-main/engine/formats/table';
import type { FileRunner, WriteFormat } from '../../../src-main/engine/formats/types';
import { GraphBuilder } from '../../../src-main/engine/graph/build';
import { createRng } from '../../../src-main/engine/graph/rng';
import type { Model } from '../../../src-main/engine/graph/types';
import { verifyExport, type VerificationSamples } from '../../../src-main/engine/measure/verify';
import { buildZoo } from '../../../src-main/engine/zoo';
import { tempFolder } from '../formats/temp-folder';

const lenet = buildZoo('lenet5', { seed: 3 });

function samplesFor(model: Model, count: number, seed = 5): VerificationSamples {
  const size = model.graph.inputs[0]!.shape.reduce((a, b) => a * b, 1);
  const rng = createRng(seed);
  const inputs = Float32Array.from({ length: count * size }, () => rng.normal());
  return { count, inputs, labels: Int32Array.from({ length: count }, () => rng.int(10)) };
}

async function open(model: Model, format: WriteFormat): Promise<FileRunner> {
  const folder = await tempFolder();
  const files = await formatWriter(format).write(model, { precision: 'fp32', name: 'net' });
  await mkdir(folder, { recursive: true });
  for (const { path, bytes } of files) await writeFile(join(folder, path), bytes);
  return formatWriter(format).openRunner(
    folder,
    files.map(({ path }) => path),
  );
}

describe('written files', () => {
  for (const format of ['tflite', 'tfjs-layers'] as const) {
    it(`${format} reproduces its version, batch by batch and one by one`, async () => {
      const runner = await open(lenet, format);
      const samples = samplesFor(lenet, 60);
      const result = await verifyExport(lenet, runner, samples, 1e-4, silentContext);
      runner.close();
      expect(result).toMatchObject({ samples: 60, top1Agreement: 1, passed: true });
      expect(result.maxAbsDiff).toBeLessThan(1e-4);
      expect(result.meanAbsDiff).toBeLessThanOrEqual(result.maxAbsDiff);
      expect(result.accuracy!.file).toBe(result.accuracy!.version);
      expect(result.runtime).toContain(format === 'tflite' ? 'LiteRT' : 'TensorFlow.js');
    });
  }

  it('of another version is refused', async () => {
    const runner = await open(buildZoo('lenet5', { seed: 4 }), 'tflite');
    const result = await verifyExport(lenet, runner, samplesFor(lenet, 8), 1e-4, silentContext);
    runner.close();
    expect(result.passed).toBe(false);
    expect(result.maxAbsDiff).toBeGreaterThan(1e-2);
  });
});

/** A model that gives its input and ten times its input. */
function twoOutputs(): Model {
  const builder = new GraphBuilder('two');
  const x = builder.input('x', [3]);
  builder.output(builder.activation(x, 'linear'), 'same');
  builder.output(builder.apply('rescale', [x], { scale: [10], offset: [0] }), 'tenfold');
  return { ...lenet, graph: builder.build() };
}

/** A "file" that computes what a function says. */
function runnerOf(run: (input: Float32Array) => Float32Array[]): FileRunner {
  return { runtime: 'test', run: (input) => Promise.resolve(run(input)), close: () => undefined };
}

const samples: VerificationSamples = {
  count: 2,
  inputs: Float32Array.of(0.1, 0.9, 0.2, 0.7, 0.5, 0.6),
  labels: Int32Array.of(1, 2),
};

const tenfold = (input: Float32Array): Float32Array => input.map((value) => value * 10);

describe('the verdict', () => {
  it('counts agreement, accuracy and differences', async () => {
    const shifted = runnerOf((x) => [
      x.map((value, i) => (i === 2 ? value + 0.25 : value)),
      tenfold(x),
    ]);
    const result = await verifyExport(twoOutputs(), shifted, samples, 1e-4, silentContext);
    expect(result.maxAbsDiff).toBeCloseTo(0.25, 6);
    // Two of twelve values are off by 0.25.
    expect(result.meanAbsDiff).toBeCloseTo(0.5 / 12, 6);
    // The second sample moves from class 0 to class 2, which is its label.
    expect(result.top1Agreement).toBe(0.5);
    expect(result.accuracy).toEqual({ version: 0.5, file: 1 });
    expect(result.passed).toBe(false);
  });

  it('grows its tolerance with large outputs', async () => {
    const off = (amount: number): FileRunner =>
      runnerOf((x) => [x, tenfold(x).map((value) => value + amount)]);
    const large: VerificationSamples = { ...samples, inputs: samples.inputs.map((x) => 10 * x) };
    const passed = await verifyExport(twoOutputs(), off(5e-4), large, 1e-4, silentContext);
    const failed = await verifyExport(twoOutputs(), off(2e-3), large, 1e-4, silentContext);
    // The largest output is 90, so 9e-4 is let pass.
    expect(passed.tolerance).toBeCloseTo(9e-4, 7);
    expect(passed.passed).toBe(true);
    expect(failed.passed).toBe(false);
  });

  it('refuses missing outputs, NaN and outputs of another length', async () => {
    const runners = [
      runnerOf((x) => [x]),
      runnerOf((x) => [x, tenfold(x), x]),
      runnerOf((x) => [x, tenfold(x).fill(NaN)]),
      runnerOf((x) => [x, tenfold(x).slice(1)]),
    ];
    for (const runner of runners) {
      const result = await verifyExport(twoOutputs(), runner, samples, 1e-4, silentContext);
      expect(result.passed).toBe(false);
      expect(result.maxAbsDiff).toBe(Infinity);
    }
  });

  it('proves nothing by outputs that are infinite in both', async () => {
    const vast = { ...samples, inputs: new Float32Array(6).fill(3e38) };
    const same = runnerOf((x) => [x, tenfold(x)]);
    const result = await verifyExport(twoOutputs(), same, vast, 1e-4, silentContext);
    expect(result.passed).toBe(false);
  });

  it('lets rounding decide between equal scores, and nothing larger', async () => {
    const tied = { count: 1, inputs: Float32Array.of(0.5, 0.50001, 0), labels: null };
    const nudged = runnerOf((x) => {
      const same = x.slice();
      same[0]! += 2e-5;
      return [same, tenfold(x)];
    });
    const result = await verifyExport(twoOutputs(), nudged, tied, 1e-4, silentContext);
    expect(result).toMatchObject({ top1Agreement: 0, accuracy: null, passed: true });
    const strict = await verifyExport(twoOutputs(), nudged, tied, 1e-7, silentContext);
    expect(strict.passed).toBe(false);
  });
});
