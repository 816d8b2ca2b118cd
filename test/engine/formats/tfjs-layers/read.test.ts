// Models that TensorFlow.js made and saved, read here and run by formulas, against its own predictions.

import { describe, expect, it } from 'vitest';
import { silentContext } from '../../../../src-main/engine/context';
import { tfjsLayersReader } from '../../../../src-main/engine/formats/tfjs-layers/reader';
import type { ImportResult } from '../../../../src-main/engine/formats/types';
import { createRng } from '../../../../src-main/engine/graph/rng';
import { maxAbsDiff, runReference } from '../../reference';
import { tempFolder } from '../temp-folder';
import { layers, predict, randomise, saveModel, tf } from './oracle';

const tolerance = 1e-5;
const rng = createRng(99);

function randomInputs(model: layers.LayersModel): Float32Array[] {
  return model.inputs.map(({ shape }) => {
    const size = shape.slice(1).reduce((a, b) => a! * b!, 1)!;
    return Float32Array.from({ length: size }, () => rng.uniform(-1, 1));
  });
}

/** Saves a model with random weights, reads it, and compares what both compute. */
async function readAndCompare(
  model: layers.LayersModel,
  change?: (json: Record<string, unknown>) => void,
): Promise<ImportResult> {
  randomise(model);
  const path = await saveModel(model, await tempFolder(), change);
  const result = await tfjsLayersReader.read(path, silentContext);
  const inputs = randomInputs(model);
  const expected = predict(model, inputs);
  const actual = runReference(result.model.graph, inputs);
  expect(actual.length).toBe(expected.length);
  expected.forEach((output, i) => {
    expect(maxAbsDiff(output, actual[i]!.data)).toBeLessThan(tolerance);
  });
  return result;
}

/** A model of one layer (or a few) on an image. */
function onImage(shape: number[], ...stack: layers.layers.Layer[]): layers.LayersModel {
  const input = layers.input({ shape });
  let x: layers.SymbolicTensor = input;
  for (const layer of stack) x = layer.apply(x) as layers.SymbolicTensor;
  return layers.model({ inputs: input, outputs: x });
}

const image = [6, 7, 4];
const l = layers.layers;

describe('layers', () => {
  const cases: Readonly<Record<string, () => layers.layers.Layer>> = {
    'conv2d same': () => l.conv2d({ filters: 5, kernelSize: 3, strides: 2, padding: 'same' }),
    'conv2d valid, activation': () =>
      l.conv2d({ filters: 5, kernelSize: [3, 2], activation: 'relu' }),
    'conv2d dilated, no bias': () =>
      l.conv2d({ filters: 3, kernelSize: 2, dilationRate: 2, useBias: false }),
    depthwiseConv2d: () =>
      l.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, padding: 'same' }),
    separableConv2d: () => l.separableConv2d({ filters: 6, kernelSize: 3, activation: 'tanh' }),
    'separableConv2d without bias': () =>
      l.separableConv2d({ filters: 6, kernelSize: 3, useBias: false, strides: 2, padding: 'same' }),
    'conv2dTranspose same': () =>
      l.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: 'same' }),
    'conv2dTranspose valid': () =>
      l.conv2dTranspose({ filters: 3, kernelSize: 4, strides: 3, activation: 'sigmoid' }),
    'dense on an image': () => l.dense({ units: 5, activation: 'softmax' }),
    batchNormalization: () => l.batchNormalization({ epsilon: 0.01, momentum: 0.8 }),
    'batchNormalization without scale': () => l.batchNormalization({ scale: false }),
    'batchNormalization without centre': () => l.batchNormalization({ center: false }),
    layerNormalization: () => l.layerNormalization({}),
    relu: () => l.reLU({}),
    relu6: () => l.reLU({ maxValue: 6 }),
    'relu limited': () => l.reLU({ maxValue: 0.25 }),
    leakyReLU: () => l.leakyReLU({ alpha: 0.17 }),
    'leakyReLU by default': () => l.leakyReLU({}),
    elu: () => l.elu({}),
    prelu: () => l.prelu({}),
    'prelu shared': () => l.prelu({ sharedAxes: [1, 2] }),
    softmax: () => l.softmax({ axis: -1 }),
    maxPooling2d: () => l.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }),
    averagePooling2d: () => l.averagePooling2d({ poolSize: [2, 3] }),
    'averagePooling2d same': () => l.averagePooling2d({ poolSize: 3, strides: 2, padding: 'same' }),
    globalAveragePooling2d: () => l.globalAveragePooling2d({}),
    globalMaxPooling2d: () => l.globalMaxPooling2d({}),
    flatten: () => l.flatten(),
    reshape: () => l.reshape({ targetShape: [42, 4] }),
    'reshape with an open axis': () => l.reshape({ targetShape: [2, null, 4] as number[] }),
    permute: () => l.permute({ dims: [3, 1, 2] }),
    zeroPadding2d: () =>
      l.zeroPadding2d({
        padding: [
          [1, 0],
          [2, 3],
        ],
      }),
    'zeroPadding2d over channels': () =>
      l.zeroPadding2d({
        padding: [
          [0, 0],
          [1, 2],
        ],
        dataFormat: 'channelsFirst',
      }),
    cropping2D: () =>
      l.cropping2D({
        cropping: [
          [1, 2],
          [0, 3],
        ],
      }),
    'cropping2D over channels': () =>
      l.cropping2D({
        cropping: [
          [1, 0],
          [1, 2],
        ],
        dataFormat: 'channelsFirst',
      }),
    'upSampling2d nearest': () => l.upSampling2d({ size: [2, 3] }),
    'upSampling2d bilinear': () => l.upSampling2d({ size: [2, 2], interpolation: 'bilinear' }),
    dropout: () => l.dropout({ rate: 0.4 }),
    gaussianNoise: () => l.gaussianNoise({ stddev: 1 }),
    rescaling: () => l.rescaling({ scale: 1 / 127.5, offset: -1 }),
  };
  for (const [name, make] of Object.entries(cases)) {
    it(name, async () => {
      await readAndCompare(onImage(image, make()));
    });
  }

  for (const activation of [
    'elu',
    'hardSigmoid',
    'linear',
    'relu',
    'relu6',
    'selu',
    'sigmoid',
    'softmax',
    'softplus',
    'softsign',
    'tanh',
    'swish',
    'mish',
    'gelu',
  ] as const) {
    it(`activation ${activation}`, async () => {
      await readAndCompare(onImage(image, l.activation({ activation })));
    });
  }

  for (const merge of ['add', 'multiply', 'average', 'maximum', 'minimum'] as const) {
    it(`${merge} of three, with broadcasting`, async () => {
      const x = layers.input({ shape: image });
      const a = l.conv2d({ filters: 4, kernelSize: 1 }).apply(x) as layers.SymbolicTensor;
      const b = l.conv2d({ filters: 1, kernelSize: 1 }).apply(x) as layers.SymbolicTensor;
      const y = l[merge]({}).apply([x, a, b]) as layers.SymbolicTensor;
      await readAndCompare(layers.model({ inputs: x, outputs: y }));
    });
  }

  it('concatenate over channels and over rows', async () => {
    const x = layers.input({ shape: image });
    const a = l.conv2d({ filters: 2, kernelSize: 1 }).apply(x) as layers.SymbolicTensor;
    const wide = l.concatenate({ axis: -1 }).apply([x, a, x]) as layers.SymbolicTensor;
    const tall = l.concatenate({ axis: 1 }).apply([wide, wide]) as layers.SymbolicTensor;
    await readAndCompare(layers.model({ inputs: x, outputs: tall }));
  });
});

it('a separable convolution with a multiplier', async () => {
  const separable = { filters: 6, kernelSize: 3, depthMultiplier: 2 };
  await readAndCompare(onImage(image, l.separableConv2d(separable)), (json) => {
    // tfjs 4.22 forgets to save this setting; Keras saves it.
    const topology = json['modelTopology'] as { config: { layers: { config: object }[] } };
    Object.assign(topology.config.layers[1]!.config, { depth_multiplier: 2 });
  });
});

describe('structure', () => {
  it('a Sequential model keeps its names, and its last softmax tells what the output is', async () => {
    const model = layers.sequential({ name: 'lenet' });
    const first = { filters: 4, kernelSize: 3, activation: 'relu', name: 'c1' } as const;
    model.add(l.conv2d({ ...first, inputShape: [8, 8, 1] }));
    model.add(l.maxPooling2d({ poolSize: 2, name: 'p1' }));
    model.add(l.flatten({ name: 'flat' }));
    model.add(l.dense({ units: 3, activation: 'softmax', name: 'out' }));
    const { model: read, preprocessingKnown } = await readAndCompare(model);
    expect(read.graph.name).toBe('lenet');
    expect(read.graph.nodes.map(({ name }) => name)).toEqual([
      'c1',
      'c1_relu',
      'p1',
      'flat',
      'out',
      'out_softmax',
    ]);
    expect(read.graph.inputs.map(({ shape }) => shape)).toEqual([[8, 8, 1]]);
    expect(read.outputKind).toBe('softmax');
    expect(read.preprocessing).toEqual({
      scale: 1 / 255,
      mean: [0],
      std: [1],
      channelOrder: 'gray',
    });
    expect(preprocessingKnown).toBe(false);
  });

  it('a first rescaling layer is preprocessing that the model does itself', async () => {
    const model = onImage(
      [4, 4, 3],
      l.rescaling({ scale: 1 / 255 }),
      l.flatten(),
      l.dense({ units: 2 }),
    );
    const { model: read, preprocessingKnown } = await readAndCompare(model);
    expect(preprocessingKnown).toBe(true);
    expect(read.preprocessing.scale).toBe(1);
    expect(read.outputKind).toBe('logits');
  });

  it('a layer called twice is two nodes with the same weights', async () => {
    const [a, b] = [layers.input({ shape: image }), layers.input({ shape: image })];
    const shared = l.conv2d({ filters: 3, kernelSize: 3, name: 'tower' });
    const [x, y] = [shared.apply(a), shared.apply(b)] as layers.SymbolicTensor[];
    const joined = l.concatenate({}).apply([x!, y!]) as layers.SymbolicTensor;
    const { model } = await readAndCompare(layers.model({ inputs: [a, b], outputs: joined }));
    const towers = model.graph.nodes.filter(({ op }) => op === 'conv2d');
    expect(towers.map(({ name }) => name)).toEqual(['tower', 'tower_call2']);
    expect(towers[0]!.weights).toEqual(towers[1]!.weights);
    expect(model.graph.weights.size).toBe(2);
  });

  it('a model used twice as a layer', async () => {
    const inner = onImage([6, 7, 4], l.conv2d({ filters: 4, kernelSize: 3, padding: 'same' }));
    const x = layers.input({ shape: image });
    const once = inner.apply(x) as layers.SymbolicTensor;
    const twice = inner.apply(l.reLU({}).apply(once)) as layers.SymbolicTensor;
    const sum = l.add({}).apply([once, twice]) as layers.SymbolicTensor;
    const { model } = await readAndCompare(layers.model({ inputs: x, outputs: sum }));
    expect(model.graph.nodes.map(({ op }) => op)).toEqual([
      'conv2d',
      'activation',
      'conv2d',
      'add',
    ]);
  });

  it('a Sequential model as the first layer of another', async () => {
    const backbone = layers.sequential();
    backbone.add(l.conv2d({ filters: 2, kernelSize: 3, inputShape: image }));
    const model = layers.sequential();
    model.add(backbone);
    model.add(l.flatten());
    await readAndCompare(model);
  });

  it('several inputs and outputs, one of them read further', async () => {
    const [a, b] = [layers.input({ shape: image }), layers.input({ shape: [4] })];
    const features = l.conv2d({ filters: 4, kernelSize: 3, padding: 'same' }).apply(a);
    const scaled = l.multiply({}).apply([features as layers.SymbolicTensor, b]);
    const pooled = l.globalAveragePooling2d({}).apply(scaled);
    const outputs = [pooled, features] as layers.SymbolicTensor[];
    const { model } = await readAndCompare(layers.model({ inputs: [a, b], outputs }));
    expect(model.outputKind).toBe('values');
  });

  it('layers in another order than they are computed', async () => {
    const model = onImage(image, l.conv2d({ filters: 2, kernelSize: 1 }), l.reLU({}), l.flatten());
    await readAndCompare(model, (json) => {
      const topology = json['modelTopology'] as { config: { layers: unknown[] } };
      topology.config.layers.reverse();
    });
  });

  it('names the optimizer weights that it leaves out', async () => {
    const model = onImage([4], l.dense({ units: 2 }));
    const folder = await tempFolder();
    const path = await saveModel(model, folder, (json) => {
      const manifest = json['weightsManifest'] as { weights: object[] }[];
      manifest[0]!.weights.push({ name: 'adam/iter', shape: [0], dtype: 'int32' });
    });
    const { notes } = await tfjsLayersReader.read(path, silentContext);
    expect(notes.join()).toContain('adam/iter');
  });
});

describe('quantised weights', () => {
  for (const dtype of ['uint8', 'uint16', 'float16'] as const) {
    it(`${dtype} become the numbers that tfjs reads`, async () => {
      const model = onImage([3], l.dense({ units: 4, name: 'd' }));
      const values = {
        uint8: Uint8Array.of(0, 1, 2, 3, 50, 100, 150, 200, 252, 253, 254, 255),
        uint16: Uint16Array.of(0, 1, 2, 3, 500, 1000, 15000, 20000, 40000, 50000, 65534, 65535),
        // 0, smallest subnormal, 1, -1, 2, 0.5, 1.5, -2.25, largest, 1/3, smallest normal, -0
        float16: Uint16Array.of(
          ...[0x0000, 0x0001, 0x3c00, 0xbc00, 0x4000, 0x3800, 0x3e00, 0xc080],
          ...[0x7bff, 0x3555, 0x0400, 0x8000],
        ),
      }[dtype];
      const quantization = dtype === 'float16' ? { dtype } : { dtype, scale: 0.03, min: -1.25 };
      const spec: tf.io.WeightsManifestEntry = {
        name: 'd/kernel',
        shape: [3, 4],
        dtype: 'float32',
        quantization: { original_dtype: 'float32', ...quantization } as never,
      };
      const expected = tf.io.decodeWeights(values.slice().buffer, [spec])['d/kernel']!.dataSync();

      const folder = await tempFolder();
      const path = await saveModel(model, folder, (json) => {
        json['weightsManifest'] = [
          { paths: ['kernel.bin'], weights: [spec] },
          { paths: ['bias.bin'], weights: [{ name: 'd/bias', shape: [4], dtype: 'float32' }] },
        ];
      });
      const { writeFile } = await import('node:fs/promises');
      await writeFile(`${folder}/kernel.bin`, new Uint8Array(values.buffer));
      await writeFile(`${folder}/bias.bin`, new Uint8Array(16));
      const { model: read } = await tfjsLayersReader.read(path, silentContext);
      expect(read.graph.weights.get('d/kernel')!.data).toEqual(expected);
    });
  }
});
