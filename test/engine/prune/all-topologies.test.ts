// Every topology of the reference by its number: cut, proved twice, priced by hand, stored, exported and run.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentContext } from '../../../src-main/engine/context';
import { formatWriter } from '../../../src-main/engine/formats/table';
import { graphCost } from '../../../src-main/engine/graph/cost';
import { createRng } from '../../../src-main/engine/graph/rng';
import { decodeModel, encodeModel } from '../../../src-main/engine/graph/serialize';
import { inferShapes } from '../../../src-main/engine/graph/shapes';
import type { Model } from '../../../src-main/engine/graph/types';
import { verifyExport } from '../../../src-main/engine/measure/verify';
import { analyse, checkEquivalence, explainLayers, prune } from '../../../src-main/engine/prune';
import { defaultPruneOptions } from '../../../src-main/engine/prune/options';
import { runForward } from '../../../src-main/engine/train/executor';
import { tempFolder } from '../formats/temp-folder';
import { expectCutEquivalent, makeModel, weightOf } from './networks';
import { groupsAndShapes } from './topologies/groups-and-shapes';
import { runFormats, type RunFormat } from './topologies/tools';
import { trunksAndJoins } from './topologies/trunks-and-joins';

const topologies = [...trunksAndJoins, ...groupsAndShapes];
const written = { precision: 'fp32', name: 'net' } as const;

/** Writes a model in a format, runs the file with its own runtime, and compares with the executor. */
async function expectExported(model: Model, format: RunFormat): Promise<void> {
  const folder = await tempFolder();
  const writer = formatWriter(format);
  const files = await writer.write(model, written);
  await mkdir(folder, { recursive: true });
  for (const { path, bytes } of files) await writeFile(join(folder, path), bytes);
  const runner = await writer.openRunner(
    folder,
    files.map(({ path }) => path),
  );
  try {
    const rng = createRng(4);
    const size = model.graph.inputs[0]!.shape.reduce((product, length) => product * length, 1);
    const inputs = Float32Array.from({ length: 3 * size }, () => rng.normal());
    const samples = { count: 3, inputs, labels: null };
    const verdict = await verifyExport(model, runner, samples, 1e-5, silentContext);
    expect(verdict).toMatchObject({ passed: true, samples: 3 });
  } finally {
    runner.close();
  }
}

describe('topology', () => {
  it.each(topologies.map((topology) => [topology.number, topology.name, topology] as const))(
    '%i: %s',
    async (_number, _name, topology) => {
      const { build, kept, params, macs, frozen = {}, structure } = topology;
      const model = makeModel(build);
      const analysis = analyse(model, structure);
      const choice = new Map(kept.map(([group, channels]) => [group, Int32Array.from(channels)]));

      const slim = expectCutEquivalent(model, analysis, choice);
      const verdict = await checkEquivalence(model, slim, analysis, choice, {
        samples: 2,
        seed: 1,
      });
      expect(verdict.passed).toBe(true);
      const shapes = inferShapes(model.graph);
      const slimShapes = inferShapes(slim.graph);
      for (const { tensor } of model.graph.outputs) {
        expect(slimShapes.get(tensor)).toEqual(shapes.get(tensor));
      }
      expect(graphCost(slim.graph)).toMatchObject({ params, macs });
      const codes = new Map(explainLayers(model, analysis).map(({ name, code }) => [name, code]));
      for (const [layer, code] of Object.entries(frozen)) {
        expect([layer, codes.get(layer)]).toEqual([layer, code]);
      }

      const loaded = decodeModel(encodeModel(slim));
      expect(loaded.graph).toEqual(slim.graph);
      if (loaded.graph.inputs.length > 1) return; // The runners take one image.
      for (const format of runFormats) {
        if (!(topology.refusedBy ?? []).includes(format)) {
          await expectExported(loaded, format);
          continue;
        }
        const refused = Promise.resolve().then(() => formatWriter(format).write(loaded, written));
        await expect(refused).rejects.toMatchObject({ code: 'EXPORT_UNSUPPORTED' });
      }
    },
  );

  it('2: gamma zero and beta not: exact for valid windows, reported where the border differs', async () => {
    const withZeros = (kernelSize: number, padding: 'same' | 'valid'): Model => {
      const model = makeModel((b) => {
        const x = b.conv2d(b.input('image', [5, 5, 3]), { name: 'a', filters: 5, kernelSize: 3 });
        const y = b.activation(b.batchNorm(x, { name: 'bn' }), 'relu');
        const z = b.conv2d(y, { name: 'b', filters: 4, kernelSize, padding });
        b.output(b.dense(b.globalAvgPool(z), { units: 3, name: 'head' }));
      });
      weightOf(model, 'bn/gamma').data.set([0, 0], 1);
      weightOf(model, 'bn/beta').data.set([0.7, 0.4], 1);
      return model;
    };
    const table = { a: 3 };
    const options = { ...defaultPruneOptions, criterion: 'bn', target: {}, table } as const;
    for (const [kernelSize, padding, result] of [
      [1, 'same', 'exact'],
      [3, 'valid', 'exact'],
      [3, 'same', 'approximate'],
    ] as const) {
      const model = withZeros(kernelSize, padding);
      const { model: slim, plan } = prune(model, options);
      expect(plan.folds).toEqual([{ node: 'b', channels: 2, result }]);
      expect(weightOf(slim, 'b/kernel').shape).toEqual([kernelSize, kernelSize, 3, 4]);
      // Not the masked model: the original itself gives the same, where the fold is exact.
      const input = Float32Array.from({ length: 75 }, (_, i) => Math.sin(i));
      const [before, after] = await Promise.all(
        [model, slim].map(async (each) => (await runForward(each, [input], 1))[0]!),
      );
      const apart = Math.max(...before!.map((value, i) => Math.abs(value - after![i]!)));
      if (result === 'exact') expect(apart).toBeLessThan(1e-5);
      else expect(apart).toBeGreaterThan(1e-3);
    }
  });

  it('27: iterated cuts name the channels of the first ancestor', () => {
    const model = makeModel((b) => {
      const x = b.conv2d(b.input('image', [4, 4, 3]), { name: 'a', filters: 8, kernelSize: 3 });
      const y = b.conv2d(b.activation(x, 'relu'), { name: 'b', filters: 6, kernelSize: 3 });
      b.output(b.dense(b.globalAvgPool(y), { units: 3, name: 'head' }));
    });
    const cutTo = (from: Model, channels: number[]): Model =>
      expectCutEquivalent(from, analyse(from), new Map([[0, Int32Array.from(channels)]]));
    const twice = cutTo(cutTo(model, [1, 3, 4, 6, 7]), [0, 2, 4]);
    const loaded = decodeModel(encodeModel(twice));
    expect(loaded.graph.nodes.find(({ name }) => name === 'a')!.origin).toEqual([1, 4, 7]);
    expect(weightOf(loaded, 'a/bias').data).toEqual(
      Float32Array.from([1, 4, 7], (channel) => weightOf(model, 'a/bias').data[channel]!),
    );
    expect(graphCost(loaded.graph).params).toBe(27 * 3 + 3 + 9 * 3 * 6 + 6 + 6 * 3 + 3);
  });
});
