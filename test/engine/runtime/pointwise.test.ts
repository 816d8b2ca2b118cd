// 1 x 1 convolutions as matrix products, against plain loops, and put in the place of TensorFlow's kernels.

import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRng } from '../../../src-main/engine/graph/rng';
import type { Pair } from '../../../src-main/engine/graph/types';
import {
  isPointwise,
  pointwiseConv,
  pointwiseInputGradient,
  pointwiseKernelGradient,
  replacePointwiseKernels,
} from '../../../src-main/engine/runtime/pointwise';
import { maxAbsDiff } from '../reference';

const [batch, height, width, inputs, outputs] = [2, 5, 4, 3, 6] as const;
const rng = createRng(5);
const numbers = (length: number): Float32Array =>
  Float32Array.from({ length }, () => rng.uniform(-1, 1));
const x = numbers(batch * height * width * inputs);
const kernel = numbers(inputs * outputs);

/** Calls `each` for every product of a 1 x 1 convolution: offsets into x, kernel and y. */
function forEachProduct(
  [down, across]: Pair,
  each: (x: number, kernel: number, y: number) => void,
): void {
  const [rows, columns] = [Math.ceil(height / down), Math.ceil(width / across)];
  for (let n = 0; n < batch; n++)
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++)
        for (let i = 0; i < inputs; i++)
          for (let o = 0; o < outputs; o++)
            each(
              ((n * height + r * down) * width + c * across) * inputs + i,
              i * outputs + o,
              ((n * rows + r) * columns + c) * outputs + o,
            );
}

describe.each([[[1, 1]], [[2, 2]], [[2, 1]], [[3, 2]]] as const)('at strides %j', (strides) => {
  const shape = [batch, Math.ceil(height / strides[0]), Math.ceil(width / strides[1]), outputs];
  const size = shape.reduce((a, b) => a * b);
  const dy = numbers(size);
  const expected = { y: new Float32Array(size), dx: x.map(() => 0), dKernel: kernel.map(() => 0) };
  forEachProduct(strides, (a, k, y) => {
    expected.y[y]! += x[a]! * kernel[k]!;
    expected.dx[a]! += dy[y]! * kernel[k]!;
    expected.dKernel[k]! += x[a]! * dy[y]!;
  });
  const image = (): tf.Tensor => tf.tensor(x, [batch, height, width, inputs]);
  const filter = (): tf.Tensor => tf.tensor(kernel, [1, 1, inputs, outputs]);
  const gradient = (): tf.Tensor => tf.tensor(dy, shape);

  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it('convolves', () => {
    const y = pointwiseConv(tf, image(), filter(), strides);
    expect(y.shape).toEqual(shape);
    expect(maxAbsDiff(y.dataSync(), expected.y)).toBeLessThan(1e-6);
  });

  it('gives the gradient of the input', () => {
    const dx = pointwiseInputGradient(tf, image().shape, filter(), gradient(), strides);
    expect(dx.shape).toEqual([batch, height, width, inputs]);
    expect(maxAbsDiff(dx.dataSync(), expected.dx)).toBeLessThan(1e-6);
  });

  it('gives the gradient of the kernel', () => {
    const dKernel = pointwiseKernelGradient(tf, image(), gradient(), strides);
    expect(dKernel.shape).toEqual([1, 1, inputs, outputs]);
    expect(maxAbsDiff(dKernel.dataSync(), expected.dKernel)).toBeLessThan(1e-5);
  });
});

describe('in the place of a backend’s kernels', () => {
  const names = [
    tf.Conv2D,
    tf.FusedConv2D,
    tf.Conv2DBackpropInput,
    tf.Conv2DBackpropFilter,
  ] as const;
  const called: string[] = [];
  beforeAll(async () => {
    tf.registerBackend('guarded', tf.findBackendFactory('cpu'));
    for (const kernelConfig of tf.getKernelsForBackend('cpu')) {
      const { kernelName, kernelFunc } = kernelConfig;
      const guarded = names.some((name) => name === kernelName);
      tf.registerKernel({
        ...kernelConfig,
        backendName: 'guarded',
        kernelFunc: (parameters) => {
          if (guarded) called.push(kernelName);
          return kernelFunc(parameters);
        },
      });
    }
    replacePointwiseKernels(tf, 'guarded', (y, activation) =>
      activation === 'relu' ? tf.relu(y) : y,
    );
    await tf.setBackend('guarded');
  });

  it('serves convolutions, fused ones and gradients, and never the backend’s own kernels', () => {
    called.length = 0;
    const image = tf.tensor4d(x, [batch, height, width, inputs]);
    const filter = tf.tensor4d(kernel, [1, 1, inputs, outputs]);
    const bias = tf.tensor1d(numbers(outputs));
    const y = tf.conv2d(image, filter, 2, 'same');
    const fused = tf.fused.conv2d({
      x: image,
      filter,
      strides: 2,
      pad: 'same',
      bias,
      activation: 'relu',
    });
    expect(maxAbsDiff(fused.dataSync(), tf.relu(tf.add(y, bias)).dataSync())).toBeLessThan(1e-6);
    const attrs = { strides: 2, pad: 'same', dataFormat: 'NHWC' };
    const dx: tf.Tensor = tf
      .engine()
      .runKernel(tf.Conv2DBackpropInput, { dy: y, filter }, { ...attrs, inputShape: image.shape });
    const dKernel: tf.Tensor = tf
      .engine()
      .runKernel(
        tf.Conv2DBackpropFilter,
        { x: image, dy: y },
        { ...attrs, filterShape: filter.shape },
      );
    const expected = pointwiseInputGradient(tf, image.shape, filter, y, [2, 2]);
    expect(maxAbsDiff(dx.dataSync(), expected.dataSync())).toBe(0);
    expect(dKernel.shape).toEqual(filter.shape);
    expect(called).toEqual([]);
  });

  it('leaves every other kernel to the backend', () => {
    called.length = 0;
    const image = tf.tensor4d(x, [batch, height, width, inputs]);
    tf.conv2d(image, tf.zeros([3, 3, inputs, outputs]), 1, 'same').dispose();
    tf.conv2d(image, tf.zeros([1, 1, inputs, outputs]), 1, 1).dispose();
    expect(called).toEqual([tf.Conv2D, tf.Conv2D]);
    expect(isPointwise(inputs, [1, 1, 1, outputs])).toBe(false);
  });
});
