// Channels that are constant leave nothing behind when they are cut: their constants move into the next layer.

import { describe, expect, it } from 'vitest';
import type { GraphBuilder } from '../../../src-main/engine/graph/build';
import type { ActivationFn, Model, Padding } from '../../../src-main/engine/graph/types';
import { droppedClasses } from '../../../src-main/engine/prune/groups';
import { analyse, cut } from '../../../src-main/engine/prune';
import { foldConstants } from '../../../src-main/engine/prune/fold';
import type { ConstantFold } from '../../../src-main/engine/prune/types';
import { difference, expectCutEquivalent, makeModel, weightOf } from './networks';

/** Biases are stored in single precision. */
const singlePrecision = 1e-6;

/** The first layer keeps these channels; the others of its six are made constant. */
const kept = new Map([[0, Int32Array.of(0, 3, 5)]]);
const constantChannels = [1, 2, 4];

/** Six channels with batch norm, then what is built on them. */
function modelWith(
  build: (b: GraphBuilder, x: string) => string,
  fn: ActivationFn = 'relu',
): Model {
  const model = makeModel((b) => {
    const x = b.conv2d(b.input('image', [6, 6, 3]), { name: 'a', filters: 6, kernelSize: 3 });
    const y = build(b, b.activation(b.batchNorm(x, { name: 'a_bn' }), fn));
    b.output(b.dense(b.flatten(y), { units: 3, name: 'head' }));
  });
  const { data: gamma } = weightOf(model, 'a_bn/gamma');
  const { data: beta } = weightOf(model, 'a_bn/beta');
  for (const channel of constantChannels) {
    gamma[channel] = 0;
    beta[channel] = channel / 2;
  }
  return model;
}

function foldsOf(model: Model): readonly ConstantFold[] {
  const analysis = analyse(model);
  return foldConstants(analysis, droppedClasses(analysis, kept)).folds;
}

/** How far the cut model is from the uncut, unmasked original. */
function loss(model: Model): number {
  const analysis = analyse(model);
  const slim = expectCutEquivalent(model, analysis, kept);
  return difference(model, slim, 5);
}

const conv =
  (kernelSize: number, padding: Padding, bias = true) =>
  (b: GraphBuilder, x: string): string =>
    b.conv2d(x, { name: 'b', filters: 4, kernelSize, padding, bias });

describe('constants of cut channels', () => {
  it.each<[string, (b: GraphBuilder, x: string) => string]>([
    ['a 1 x 1 convolution', conv(1, 'same')],
    ['a convolution without padding', conv(3, 'valid')],
    ['a dense layer', (b, x) => b.dense(b.globalAvgPool(x), { name: 'b', units: 4 })],
    ['a dense layer behind flatten', (b, x) => b.dense(b.flatten(x), { name: 'b', units: 4 })],
    ['pooling', (b, x) => conv(1, 'same')(b, b.maxPool2d(x, { poolSize: 3, padding: 'same' }))],
    ['a concatenation', (b, x) => conv(1, 'same')(b, b.concat([b.activation(x, 'sigmoid'), x]))],
    ['the mean of a batch norm', (b, x) => b.batchNorm(conv(1, 'same', false)(b, x))],
    [
      'a depthwise convolution without padding',
      (b, x) => conv(1, 'same')(b, b.depthwiseConv2d(x, { kernelSize: 3, padding: 'valid' })),
    ],
  ])('are kept exactly by %s', (_name, build) => {
    const model = modelWith(build);
    expect(foldsOf(model)).toEqual([{ node: 'b', channels: 3, result: 'exact' }]);
    expect(loss(model)).toBeLessThan(singlePrecision);
  });

  it.each<ActivationFn>(['relu', 'relu6', 'leakyRelu', 'sigmoid', 'tanh', 'swish', 'hardSwish'])(
    'pass %s as numbers',
    (fn) => {
      expect(loss(modelWith(conv(1, 'same'), fn))).toBeLessThan(singlePrecision);
    },
  );

  it('are approximate where zeros pad the image, and better than nothing', () => {
    const model = modelWith(conv(3, 'same'));
    expect(foldsOf(model)).toEqual([{ node: 'b', channels: 3, result: 'approximate' }]);
    const folded = loss(model);
    expect(folded).toBeGreaterThan(singlePrecision);
    // Without betas there is nothing to fold, and the constants are missing everywhere.
    const silenced = modelWith(conv(3, 'same'));
    for (const channel of constantChannels) weightOf(silenced, 'a_bn/beta').data[channel] = 0;
    const unfolded = difference(model, cut(silenced, analyse(silenced), kept), 5);
    expect(folded).toBeLessThan(unfolded);
  });

  it('are exact within a padded image', () => {
    const model = modelWith((b, x) =>
      b.apply('crop', [conv(3, 'same')(b, x)], {
        amounts: [
          [1, 1],
          [1, 1],
        ],
      }),
    );
    expect(loss(model)).toBeLessThan(singlePrecision);
  });

  it('are said to be lost where no bias can take them', () => {
    const model = modelWith(conv(1, 'same', false));
    expect(foldsOf(model)).toEqual([{ node: 'b', channels: 3, result: 'lost' }]);
    expect(loss(model)).toBeGreaterThan(singlePrecision);
  });

  it('are the biases of filters that are zero', () => {
    const model = makeModel((b) => {
      const x = b.conv2d(b.input('image', [4, 4, 3]), { name: 'a', filters: 6, kernelSize: 3 });
      b.output(b.dense(b.globalAvgPool(b.activation(x, 'relu')), { name: 'b', units: 3 }));
    });
    const { data } = weightOf(model, 'a/kernel');
    for (let i = 0; i < data.length; i++) if (constantChannels.includes(i % 6)) data[i] = 0;
    weightOf(model, 'a/bias').data.fill(0.5);
    expect(foldsOf(model)).toEqual([{ node: 'b', channels: 3, result: 'exact' }]);
    expect(loss(model)).toBeLessThan(singlePrecision);
  });

  it('are nothing where channels stay or are not constant', () => {
    const model = modelWith(conv(1, 'same'));
    const analysis = analyse(model);
    expect(foldConstants(analysis, new Uint8Array(analysis.flow.classCount)).folds).toEqual([]);
    const plain = makeModel((b) => {
      const x = b.conv2d(b.input('image', [4, 4, 3]), { name: 'a', filters: 6, kernelSize: 3 });
      b.output(b.dense(b.globalAvgPool(b.batchNorm(x)), { name: 'b', units: 3 }));
    });
    expect(foldsOf(plain)).toEqual([]);
  });
});
