// The primitives of both backends against plain loops, and the native convolutions against the plain ones.

import type { NodeJSKernelBackend } from '@tensorflow/tfjs-node/dist/nodejs_kernel_backend';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRng, type Rng } from '../../../src-main/engine/graph/rng';
import type { ExplicitPadding } from '../../../src-main/engine/graph/types';
import { loadBackend, type Backend } from '../../../src-main/engine/runtime/backend';
import { NativePrimitives } from '../../../src-main/engine/runtime/native';
import { PlainPrimitives } from '../../../src-main/engine/runtime/plain';
import type { ConvWindow, Primitives, Tensor } from '../../../src-main/engine/runtime/primitives';
import { maxAbsDiff } from '../reference';

function numbers(length: number, rng: Rng, low = -1, high = 1): Float32Array {
  return Float32Array.from({ length }, () => rng.uniform(low, high));
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** Every `channels`-th number from `channel` on. */
function ofChannel(values: Float32Array, channel: number, channels: number): number[] {
  return Array.from(values).filter((_, i) => i % channels === channel);
}

describe.each(['tensorflow', 'cpu'] as const)('primitives on %s', (name) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await loadBackend(name);
  });

  describe.each([[[4, 3, 2, 5]], [[6, 5]], [[2, 7, 5]]])('batch norm of %j', (shape) => {
    const channels = 5;
    const epsilon = 1e-3;
    const size = shape.reduce((a, b) => a * b, 1);
    const count = size / channels;
    const rng = createRng(1);
    const x = numbers(size, rng, -2, 3);
    const dy = numbers(size, rng);
    const [gamma, beta, mean, variance] = [0.5, -1, -0.2, 0.4].map((low) =>
      numbers(channels, rng, low, low + 1),
    ) as [Float32Array, Float32Array, Float32Array, Float32Array];

    const batch = Array.from({ length: channels }, (_, c) => {
      const values = ofChannel(x, c, channels);
      const average = sum(values) / count;
      const squares = values.map((value) => (value - average) ** 2);
      return { average, biased: sum(squares) / count, unbiased: sum(squares) / (count - 1) };
    });
    const normalised = x.map((value, i) => {
      const { average, biased } = batch[i % channels]!;
      return (value - average) / Math.sqrt(biased + epsilon);
    });

    /** Runs the training step and reads what it gives. */
    function training(momentum: number): Record<'y' | 'mean' | 'variance', Float32Array> & {
      readonly gradients: Record<'x' | 'gamma' | 'beta', Float32Array>;
    } {
      const { tf, primitives } = backend;
      return tf.tidy(() => {
        const input = tf.tensor(x, shape);
        const vectors = {
          gamma: tf.tensor(gamma),
          beta: tf.tensor(beta),
          mean: tf.tensor(mean),
          variance: tf.tensor(variance),
        };
        const result = primitives.batchNormTraining(input, vectors, epsilon, momentum);
        const gradients = primitives.batchNormGradient(
          tf.tensor(dy, shape),
          input,
          vectors.gamma,
          result.saved,
          epsilon,
        );
        const read = (tensor: Tensor): Float32Array => tensor.dataSync<'float32'>();
        return {
          y: read(result.y),
          mean: read(result.mean),
          variance: read(result.variance),
          gradients: {
            x: read(gradients.x),
            gamma: read(gradients.gamma),
            beta: read(gradients.beta),
          },
        };
      });
    }

    it('normalises by the batch', () => {
      const expected = normalised.map(
        (value, i) => value * gamma[i % channels]! + beta[i % channels]!,
      );
      expect(maxAbsDiff(training(0.9).y, expected)).toBeLessThan(1e-5);
    });

    it.each([0.9, 0.5, 0])('moves the running statistics with momentum %d', (momentum) => {
      const result = training(momentum);
      const moved = (old: Float32Array, value: (c: number) => number): Float32Array =>
        old.map((before, c) => momentum * before + (1 - momentum) * value(c));
      const expectedMean = moved(mean, (c) => batch[c]!.average);
      const expectedVariance = moved(variance, (c) => batch[c]!.unbiased);
      expect(maxAbsDiff(result.mean, expectedMean)).toBeLessThan(1e-5);
      expect(maxAbsDiff(result.variance, expectedVariance)).toBeLessThan(1e-5);
    });

    it('has the gradients of the definition', () => {
      const { gradients } = training(0.9);
      const dBeta = batch.map((_, c) => sum(ofChannel(dy, c, channels)));
      const products = dy.map((value, i) => value * normalised[i]!);
      const dGamma = batch.map((_, c) => sum(ofChannel(products, c, channels)));
      const dx = dy.map((value, i) => {
        const c = i % channels;
        const centred = value - dBeta[c]! / count - (normalised[i]! * dGamma[c]!) / count;
        return (gamma[c]! / Math.sqrt(batch[c]!.biased + epsilon)) * centred;
      });
      expect(maxAbsDiff(gradients.beta, dBeta)).toBeLessThan(1e-5);
      expect(maxAbsDiff(gradients.gamma, dGamma)).toBeLessThan(1e-5);
      expect(maxAbsDiff(gradients.x, dx)).toBeLessThan(1e-5);
    });
  });

  it('takes the cross-entropy of sparse labels', () => {
    const { tf, primitives } = backend;
    const logits = Float32Array.of(1, 2, 3, -50, 60, 0.5);
    const labels = [2, 0];
    const { losses, gradient } = tf.tidy(() => {
      const result = primitives.softmaxCrossEntropy(
        tf.tensor(logits, [2, 3]),
        tf.tensor1d(labels, 'int32'),
      );
      return {
        losses: result.losses.dataSync<'float32'>(),
        gradient: result.gradient.dataSync<'float32'>(),
      };
    });
    labels.forEach((label, row) => {
      const scores = Array.from(logits.subarray(row * 3, row * 3 + 3));
      const total = sum(scores.map((score) => Math.exp(score - 60)));
      const probabilities = scores.map((score) => Math.exp(score - 60) / total);
      expect(losses[row]).toBeCloseTo(60 + Math.log(total) - scores[label]!, 4);
      const expected = probabilities.map((p, i) => p - (i === label ? 1 : 0));
      expect(maxAbsDiff(gradient.subarray(row * 3, row * 3 + 3), expected)).toBeLessThan(1e-5);
    });
  });

  it('has the gradients of the rectifiers', () => {
    const { tf, primitives } = backend;
    const x = [-2, -0.1, 0.1, 5.9, 6.5];
    const dy = [1, 2, 3, 4, 5];
    const result = tf.tidy(() => {
      const [input, gradient] = [tf.tensor1d(x), tf.tensor1d(dy)];
      return [
        primitives.reluGradient(gradient, tf.relu(input)),
        primitives.relu6Gradient(gradient, tf.relu6(input)),
        primitives.leakyReluGradient(gradient, input, 0.1),
      ].map((tensor) => Array.from(tensor.dataSync()));
    });
    expect(result[0]).toEqual([0, 0, 3, 4, 5]);
    expect(result[1]).toEqual([0, 0, 3, 4, 0]);
    expect(maxAbsDiff(result[2]!, [0.1, 0.2, 3, 4, 5])).toBeLessThan(1e-6);
  });

  it.each([false, true])('moves a variable with momentum, Nesterov %s', async (nesterov) => {
    const { tf, primitives } = backend;
    const before = tf.memory().numTensors;
    const [rate, momentum] = [0.1, 0.9];
    const w = [1, -2, 3];
    const v = [0.5, 0, -1];
    const given = Float32Array.from(w);
    const variable = primitives.momentumVariable([3], given, [Float32Array.from(v)]);
    for (const gradient of [
      [1, 2, 3],
      [-1, 0.5, 2],
      [0, 1, 0],
    ]) {
      tf.tidy(() => {
        variable.update(tf.tensor1d(gradient), tf.scalar(rate), tf.scalar(momentum), nesterov);
      });
      gradient.forEach((g, i) => {
        v[i] = momentum * v[i]! + g;
        w[i]! -= rate * (nesterov ? g + momentum * v[i]! : v[i]!);
      });
      expect(maxAbsDiff(variable.value.dataSync(), w)).toBeLessThan(1e-6);
      expect(maxAbsDiff((await variable.slots())[0]!, v)).toBeLessThan(1e-6);
    }
    expect(Array.from(given)).toEqual([1, -2, 3]);
    variable.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('native convolutions', () => {
  const explicit: ExplicitPadding = [
    [2, 1],
    [0, 3],
  ];
  const windows: readonly (ConvWindow & { readonly groups: number })[] = [
    { strides: [1, 1], dilations: [1, 1], padding: 'same', groups: 1 },
    { strides: [2, 2], dilations: [1, 1], padding: 'same', groups: 1 },
    { strides: [2, 1], dilations: [1, 1], padding: 'valid', groups: 1 },
    { strides: [2, 2], dilations: [1, 1], padding: explicit, groups: 1 },
    { strides: [1, 1], dilations: [2, 2], padding: 'same', groups: 1 },
    { strides: [1, 1], dilations: [3, 1], padding: 'valid', groups: 1 },
    { strides: [1, 1], dilations: [2, 2], padding: explicit, groups: 1 },
    { strides: [1, 1], dilations: [1, 1], padding: 'same', groups: 3 },
    { strides: [2, 2], dilations: [1, 1], padding: explicit, groups: 2 },
    { strides: [1, 1], dilations: [2, 2], padding: 'same', groups: 6 },
  ];

  let backend: Backend;
  let plain: Primitives;
  /** As on a build of TensorFlow that has neither groups nor dilated gradients. */
  let modest: Primitives;
  beforeAll(async () => {
    backend = await loadBackend('tensorflow');
    plain = new PlainPrimitives(backend.tf);
    modest = new NativePrimitives(
      backend.tf,
      backend.tf.backend() as unknown as NodeJSKernelBackend,
      { groupedConv: false, dilatedConvGradient: false },
    );
  });

  /** Output and gradients, one after the other. */
  function results(
    primitives: Primitives,
    kind: 'conv2d' | 'depthwise',
    window: ConvWindow,
    groups: number,
  ): number[] {
    const { tf } = backend;
    const rng = createRng(2);
    return tf.tidy(() => {
      const x = tf.tensor(numbers(2 * 9 * 8 * 6, rng), [2, 9, 8, 6]);
      const kernelShape = kind === 'conv2d' ? [3, 3, 6 / groups, 12] : [3, 3, 6, 2];
      const kernel = tf.tensor(
        numbers(
          kernelShape.reduce((a, b) => a * b),
          rng,
        ),
        kernelShape,
      );
      const conv = kind === 'conv2d';
      const y = conv
        ? primitives.conv2d(x, kernel, window)
        : primitives.depthwiseConv2d(x, kernel, window);
      const dy = tf.tensor(numbers(y.size, rng), y.shape);
      const gradients = conv
        ? [
            primitives.conv2dInputGradient(x.shape, kernel, dy, window),
            primitives.conv2dKernelGradient(x, kernel.shape, dy, window),
          ]
        : [
            primitives.depthwiseInputGradient(x.shape, kernel, dy, window),
            primitives.depthwiseKernelGradient(x, kernel.shape, dy, window),
          ];
      return [y, ...gradients].flatMap((tensor) => Array.from(tensor.dataSync()));
    });
  }

  it.each(windows)('agree with the plain ones: %j', ({ groups, ...window }) => {
    const expected = results(plain, 'conv2d', window, groups);
    expect(
      maxAbsDiff(results(backend.primitives, 'conv2d', window, groups), expected),
    ).toBeLessThan(1e-4);
    expect(maxAbsDiff(results(modest, 'conv2d', window, groups), expected)).toBeLessThan(1e-4);
  });

  it.each(windows)('agree with the plain ones, depthwise: %j', (window) => {
    const expected = results(plain, 'depthwise', window, 1);
    const actual = results(backend.primitives, 'depthwise', window, 1);
    expect(maxAbsDiff(actual, expected)).toBeLessThan(1e-4);
  });
});
