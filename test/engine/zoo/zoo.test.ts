// The zoo's architectures are the published ones: counts to the unit, as they are and cut as in the papers.
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src-main/engine/errors';
import { graphCost, nodeCosts } from '../../../src-main/engine/graph/cost';
import { inferShapes } from '../../../src-main/engine/graph/shapes';
import type { Model } from '../../../src-main/engine/graph/types';
import { assertFinite, validateGraph } from '../../../src-main/engine/graph/validate';
import { buildZoo, zooArchitectures } from '../../../src-main/engine/zoo';

type Widths = Record<string, number>;

function counts(model: Model): { params: number; macs: number } {
  const { params, macs } = graphCost(model.graph);
  return { params, macs };
}

/** Counts without the 1 x 1 layers of the shortcuts, which Li et al. leave out for ResNet-34. */
function countsWithoutProjections(model: Model): { params: number; macs: number } {
  const total = { params: 0, macs: 0 };
  const costs = nodeCosts(model.graph);
  for (const { id, name } of model.graph.nodes) {
    if (name.includes('.downsample')) continue;
    total.params += costs.get(id)!.params;
    total.macs += costs.get(id)!.macs;
  }
  return total;
}

describe('zoo', () => {
  it.each([
    // Published by torchvision and Keras as trainable parameters: batch norm's mean and variance not counted.
    ['lenet5', 61_706, 416_520],
    ['resnet18', 11_689_512, 1_814_073_344],
    ['resnet50', 25_557_032, 4_089_184_256],
    ['mobilenetv1', 4_231_976, 568_740_352],
    ['mobilenetv2', 3_504_872, 300_774_272],
    ['mobilenetv2-cifar', 2_236_682, 87_976_448],
    // Li et al. 2017, table 1.
    ['vgg16-cifar', 14_987_722, 313_463_808],
    ['resnet56-cifar', 853_018, 125_485_696],
    ['resnet110-cifar', 1_727_962, 252_887_680],
    // He et al. 2016, table 6: 0.27 and 0.46 million.
    ['resnet20-cifar', 269_722, 40_551_040],
    ['resnet32-cifar', 464_154, 68_862_592],
    ['resnet20-cifar-b', 272_474, 40_813_184],
    // Liu et al. 2017, table 1: 20.04, 1.70 and 1.02 million. Half of their FLOPs are 3.98e8 for VGG-19; for the
    // other two 2.50e8 and 2.67e8, which is 0.7% above the convolutions and dense layers counted here.
    ['vgg19-cifar', 20_035_018, 398_136_320],
    ['preresnet164-cifar', 1_703_258, 247_646_720],
    ['densenet40-cifar', 1_019_722, 264_812_928],
    // torchvision's, counted there over convolutions and the dense layer.
    ['densenet121', 7_978_856, 2_834_161_664],
  ])('counts %s', (id, params, macs) => {
    expect(counts(buildZoo(id, { seed: 1 }))).toEqual({ params, macs });
  });

  it('counts what Keras calls all parameters of MobileNetV2 as stored bytes', () => {
    const { graph } = buildZoo('mobilenetv2', { seed: 1 });
    expect(graphCost(graph).weightBytes).toBe(3_538_984 * 4);
  });

  // The larger ones are drawn the same way, and take seconds.
  it.each(zooArchitectures.filter(({ id }) => /cifar|lenet/.test(id) && !id.startsWith('vgg')))(
    'builds a valid $id',
    ({ id, classes }) => {
      const { graph, outputKind } = buildZoo(id, { seed: 2 });
      validateGraph(graph);
      assertFinite(graph);
      expect(inferShapes(graph).get(graph.outputs[0]!.tensor)).toEqual([classes]);
      expect(outputKind).toBe('logits');
    },
  );
});

describe('published cuts', () => {
  it('VGG-16-A: half of the first layer and of the last six', () => {
    const widths: Widths = { conv1: 32 };
    for (let i = 8; i <= 13; i++) widths[`conv${i}`] = 256;
    const model = buildZoo('vgg16-cifar', { seed: 1, widths });
    expect(counts(model)).toEqual({ params: 5_397_034, macs: 206_279_680 });
  });

  /**
   * Widths after cutting the first layer of each block of a stage by the stage's ratio. Layers are numbered
   * from 1, the very first convolution included, as in the lists of layers to skip of Li et al.
   */
  function blockWidths(
    blocks: readonly number[],
    filters: readonly number[],
    ratios: readonly number[],
    skip: readonly number[],
    nameOf: (stage: number, block: number) => string,
  ): Widths {
    const widths: Widths = {};
    let layer = 2;
    for (const [stage, count] of blocks.entries()) {
      for (let block = 0; block < count; block++, layer += 2) {
        if (skip.includes(layer)) continue;
        widths[nameOf(stage, block)] = Math.floor(filters[stage]! * (1 - ratios[stage]!));
      }
    }
    return widths;
  }

  const cifar = [16, 32, 64];
  const cifarName = (stage: number, block: number): string =>
    `stage${stage + 1}.block${block + 1}.conv1`;

  it.each([
    ['ResNet-56-A', 56, [0.1, 0.1, 0.1], [16, 20, 38, 54], 773_336, 112_435_840],
    ['ResNet-56-B', 56, [0.6, 0.3, 0.1], [16, 18, 20, 34, 38, 54], 735_712, 90_907_264],
    ['ResNet-110-A', 110, [0.5, 0, 0], [36], 1_688_522, 212_779_648],
    ['ResNet-110-B', 110, [0.5, 0.4, 0.3], [36, 38, 74], 1_168_424, 155_124_352],
  ])('%s', (_name, depth, ratios, skip, params, macs) => {
    const n = (depth - 2) / 6;
    const widths = blockWidths([n, n, n], cifar, ratios, skip, cifarName);
    const model = buildZoo(`resnet${depth}-cifar`, { seed: 1, widths });
    expect(counts(model)).toEqual({ params, macs });
  });

  it.each([
    ['ResNet-34', [0, 0, 0, 0], 21_623_848, 3_644_493_824],
    ['ResNet-34-A', [0.3, 0.3, 0.3, 0], 19_977_940, 3_080_916_992],
    ['ResNet-34-B', [0.5, 0.6, 0.4, 0], 19_295_548, 2_763_001_856],
  ])('%s', (_name, ratios, params, macs) => {
    const widths = blockWidths(
      [3, 4, 6, 3],
      [64, 128, 256, 512],
      ratios,
      [2, 8, 14, 16, 26, 28, 30, 32],
      (stage, block) => `layer${stage + 1}.${block}.conv1`,
    );
    const model = buildZoo('resnet34', { seed: 1, widths });
    expect(countsWithoutProjections(model)).toEqual({ params, macs });
    // The three projections: torchvision's 21,797,672 parameters are these and the first row.
    expect(counts(model).params - params).toBe(173_824);
  });
});

describe('buildZoo', () => {
  it('takes another input, number of classes, gamma and seed', () => {
    const model = buildZoo('resnet20-cifar', {
      inputShape: [28, 28, 1],
      classes: 7,
      seed: 3,
      gamma: 0.5,
    });
    const { graph, preprocessing } = model;
    expect(graph.inputs[0]!.shape).toEqual([28, 28, 1]);
    expect(graph.weights.get('fc/kernel')!.shape).toEqual([64, 7]);
    expect(new Set(graph.weights.get('conv1.bn/gamma')!.data)).toEqual(new Set([0.5]));
    expect(preprocessing.channelOrder).toBe('gray');
    const kernel = (seed: number): unknown =>
      buildZoo('lenet5', { seed }).graph.weights.get('conv1/kernel')!.data;
    expect(kernel(4)).toEqual(kernel(4));
    expect(kernel(4)).not.toEqual(kernel(5));
  });

  it('draws kernels with the deviation of He et al.', () => {
    const { weights } = buildZoo('resnet20-cifar', { seed: 6 }).graph;
    const { data } = weights.get('stage3.block3.conv2/kernel')!;
    const squares = (data as Float32Array).reduce((sum, value) => sum + value ** 2, 0);
    expect(Math.sqrt(squares / data.length)).toBeCloseTo(Math.sqrt(2 / (9 * 64)), 3);
  });

  it.each([
    ['NOT_FOUND', 'alexnet', {}, /alexnet/],
    ['NOT_FOUND', 'lenet5', { widths: { conv9: 3 } }, /conv9/],
    ['INVALID_ARGUMENT', 'lenet5', { classes: 0 }, /units/],
    ['INVALID_ARGUMENT', 'vgg16-cifar', { inputShape: [8, 8, 3] }, /pool4/],
    ['INVALID_ARGUMENT', 'resnet20-cifar', { inputShape: [32, 32, 4] }, /1 or 3 channels/],
    ['INVALID_ARGUMENT', 'resnet20-cifar', { widths: { 'stage1.block1.conv2': 8 } }, /broadcast/],
  ])('answers %s for %s %j', (code, id, options, message) => {
    try {
      buildZoo(id, { seed: 1, ...options });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(AppError);
      expect((error as AppError).code).toBe(code);
      expect((error as AppError).message).toMatch(message);
    }
  });
});
