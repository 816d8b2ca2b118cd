// Written models: loaded and run by tfjs-layers itself, and read back as the very same graph.

import { describe, expect, it } from 'vitest';
import { silentContext } from '../../../../src-main/engine/context';
import { readModel, writeModel } from '../../../../src-main/engine/formats/table';
import { tfjsLayersWriter } from '../../../../src-main/engine/formats/tfjs-layers/writer';
import type { Graph, Model } from '../../../../src-main/engine/graph/types';
import {
  commonActivations,
  commonGraphs,
  explicit,
  graphOf,
  image,
  joinGraph,
  joins,
  modelOf,
  oddModel,
  random,
  save,
  single,
  throughModel,
} from '../keras-graphs';
import { maxAbsDiff, runReference } from '../../reference';
import { expectSameGraph } from '../same-graph';
import { loadWritten, predict } from './oracle';

const options = { precision: 'fp32', name: 'test' } as const;

/** Writes a model, and expects tfjs to compute the same and the reader to give the same model. */
async function writeAndCompare(
  model: Model,
  tolerance = 1e-5,
  inputs = model.graph.inputs.map(({ shape }) => random(shape, -2, 2).data as Float32Array),
): Promise<void> {
  const files = await writeModel(model, 'tfjs-layers', options);
  const loaded = await loadWritten(files);
  const expected = runReference(model.graph, inputs);
  const actual = predict(loaded, inputs);
  loaded.dispose();
  expect(actual.length).toBe(expected.length);
  expected.forEach(({ data }, i) => expect(maxAbsDiff(data, actual[i]!)).toBeLessThan(tolerance));

  const { model: read, preprocessingKnown } = await readModel(await save(files), silentContext);
  expect(preprocessingKnown).toBe(true);
  expect({ ...read, graph: null }).toEqual({ ...model, graph: null });
  expectSameGraph(read.graph, model.graph);
}

describe('ops', () => {
  for (const [name, make] of Object.entries(commonGraphs)) {
    it(name, () => writeAndCompare(modelOf(make())));
  }

  for (const op of joins) {
    it(`${op}, also with a channel vector`, () => writeAndCompare(modelOf(joinGraph(op))));
  }

  for (const fn of commonActivations) {
    it(`activation ${fn}`, () => writeAndCompare(modelOf(single('activation', image, { fn }))));
  }

  it('activation hardSigmoid with a slope of its own', () =>
    writeAndCompare(modelOf(single('activation', image, { fn: 'hardSigmoid', alpha: 1 / 6 }))));

  const unsupported: Readonly<Record<string, () => Graph>> = {
    'conv2d in groups': () =>
      graphOf(image, (b, x) =>
        b.conv2d(x, { filters: 4, kernelSize: 3, groups: 2, name: 'layer' }),
      ),
    'dilated depthwise': () =>
      graphOf(image, (b, x) =>
        b.depthwiseConv2d(x, { kernelSize: 3, dilations: 2, name: 'layer' }),
      ),
    'mirrored padding': () =>
      single('pad', image, {
        paddings: [
          [1, 1],
          [1, 1],
          [0, 0],
        ],
        mode: 'reflect',
        value: 0,
      }),
    'group norm': () => single('groupNorm', image, { epsilon: 1e-3, groups: 2 }),
    'resize to any size': () =>
      single('resize', image, {
        size: [7, 7],
        mode: 'nearest',
        alignCorners: false,
        halfPixel: false,
      }),
    'explicit padding of a maximum': () =>
      graphOf(image, (b, x) => b.maxPool2d(x, { poolSize: 3, padding: explicit, name: 'layer' })),
  };
  for (const [name, make] of Object.entries(unsupported)) {
    it(`refuses ${name}, naming the layer`, () => {
      expect(() => tfjsLayersWriter.write(modelOf(make()), options)).toThrowError(
        expect.objectContaining({
          code: 'EXPORT_UNSUPPORTED',
          message: expect.stringContaining('"layer"'),
        }),
      );
    });
  }
});

describe('models', () => {
  it('with labels, several inputs and outputs, odd names, shared layers and provenance', () =>
    writeAndCompare(oddModel()));

  it('an output that is an input', () => writeAndCompare(throughModel()));

  it('weights in several files of 4 MiB', async () => {
    const graph = graphOf([1200], (b, x) => b.dense(x, { units: 1000 }));
    const files = await writeModel(modelOf(graph), 'tfjs-layers', options);
    expect(files.map(({ path, bytes }) => [path, bytes.length])).toEqual([
      ['model.json', files[0]!.bytes.length],
      ['group1-shard1of2.bin', 4 * 1024 * 1024],
      ['group1-shard2of2.bin', 4 * 1201 * 1000 - 4 * 1024 * 1024],
    ]);
    const { model } = await readModel(await save(files), silentContext);
    expectSameGraph(model.graph, graph);
  });
});
