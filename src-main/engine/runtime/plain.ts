// Primitives in plain tfjs ops: right on every backend, and the reference for the native ones.

import type { Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import type { Pair } from '../graph/types';
import { cropPadding, padImage, paddedShape, splitPadding } from './explicit-padding';
import { PlainAdam, PlainMomentum } from './plain-variables';
import type {
  AdamVariable,
  BatchNormGradients,
  BatchNormResult,
  BatchNormVectors,
  ConvWindow,
  CrossEntropy,
  MomentumVariable,
  Primitives,
  Tensor,
  TensorFlow,
} from './primitives';
import { atUnitStride, isSquare, spreadStrides, takeStrides, unitStrideSize } from './unit-stride';

/** What tfjs convolves with gradients on every backend: no dilation, no explicit padding. */
interface SimpleWindow {
  readonly strides: [number, number];
  readonly pad: 'same' | 'valid';
}

type Conv = (x: Tensor, kernel: Tensor, window: SimpleWindow) => Tensor;
type InputGradient = (shape: number[], kernel: Tensor, dy: Tensor, window: SimpleWindow) => Tensor;
type KernelGradient = (x: Tensor, shape: number[], dy: Tensor, window: SimpleWindow) => Tensor;

export class PlainPrimitives implements Primitives {
  constructor(private readonly tf: TensorFlow) {}

  conv2d(x: Tensor, kernel: Tensor, window: ConvWindow): Tensor {
    return this.convolve(x, kernel, window, (input, filter, simple) =>
      this.perGroup(groupsOf(x.shape, kernel.shape), [input, 3], [filter, 3], 3, (a, b) =>
        this.tf.conv2d(a as Tensor4D, b as Tensor4D, simple.strides, simple.pad),
      ),
    );
  }

  conv2dInputGradient(
    inputShape: readonly number[],
    kernel: Tensor,
    dy: Tensor,
    window: ConvWindow,
  ): Tensor {
    const groups = groupsOf(inputShape, kernel.shape);
    return this.inputGradient(inputShape, kernel, dy, window, (shape, filter, gradient, simple) =>
      this.perGroup(groups, [filter, 3], [gradient, 3], 3, (f, g) =>
        this.tf
          .engine()
          .runKernel(
            this.tf.Conv2DBackpropInput,
            { dy: g, filter: f },
            { ...convAttrs(simple), inputShape: [...shape.slice(0, 3), shape[3]! / groups] },
          ),
      ),
    );
  }

  conv2dKernelGradient(
    x: Tensor,
    kernelShape: readonly number[],
    dy: Tensor,
    window: ConvWindow,
  ): Tensor {
    const groups = groupsOf(x.shape, kernelShape);
    return this.kernelGradient(x, kernelShape, dy, window, (input, shape, gradient, simple) =>
      this.perGroup(groups, [input, 3], [gradient, 3], 3, (a, g) =>
        this.tf
          .engine()
          .runKernel(
            this.tf.Conv2DBackpropFilter,
            { x: a, dy: g },
            { ...convAttrs(simple), filterShape: [...shape.slice(0, 3), shape[3]! / groups] },
          ),
      ),
    );
  }

  depthwiseConv2d(x: Tensor, kernel: Tensor, window: ConvWindow): Tensor {
    if (!isSquare(window)) {
      const unit = atUnitStride(window, x.shape, kernel.shape);
      return this.tf.tidy(() =>
        takeStrides(this.tf, this.depthwiseConv2d(x, kernel, unit), window.strides),
      );
    }
    return this.convolve(x, kernel, window, (input, filter, { strides, pad }) =>
      this.tf.depthwiseConv2d(input as Tensor4D, filter as Tensor4D, strides, pad),
    );
  }

  depthwiseInputGradient(
    inputShape: readonly number[],
    kernel: Tensor,
    dy: Tensor,
    window: ConvWindow,
  ): Tensor {
    if (!isSquare(window)) {
      return this.atUnitStride(inputShape, kernel.shape, dy, window, (unit, spread) =>
        this.depthwiseInputGradient(inputShape, kernel, spread, unit),
      );
    }
    return this.inputGradient(inputShape, kernel, dy, window, (shape, filter, gradient, simple) =>
      this.tf
        .engine()
        .runKernel(
          this.tf.DepthwiseConv2dNativeBackpropInput,
          { dy: gradient, filter },
          { ...convAttrs(simple), inputShape: shape },
        ),
    );
  }

  depthwiseKernelGradient(
    x: Tensor,
    kernelShape: readonly number[],
    dy: Tensor,
    window: ConvWindow,
  ): Tensor {
    if (!isSquare(window)) {
      return this.atUnitStride(x.shape, kernelShape, dy, window, (unit, spread) =>
        this.depthwiseKernelGradient(x, kernelShape, spread, unit),
      );
    }
    return this.kernelGradient(x, kernelShape, dy, window, (input, shape, gradient, simple) =>
      this.tf
        .engine()
        .runKernel(
          this.tf.DepthwiseConv2dNativeBackpropFilter,
          { x: input, dy: gradient },
          { ...convAttrs(simple), filterShape: shape },
        ),
    );
  }

  /** A gradient of a window with unequal strides, by the gradient of the same window at stride 1. */
  private atUnitStride(
    inputShape: readonly number[],
    kernelShape: readonly number[],
    dy: Tensor,
    window: ConvWindow,
    gradient: (unit: ConvWindow, dy: Tensor) => Tensor,
  ): Tensor {
    const unit = atUnitStride(window, inputShape, kernelShape);
    const size = unitStrideSize(unit, inputShape, kernelShape);
    return this.tf.tidy(() => gradient(unit, spreadStrides(this.tf, dy, window.strides, size)));
  }

  addBias(x: Tensor, bias: Tensor): Tensor {
    return this.tf.add(x, bias);
  }

  biasGradient(dy: Tensor): Tensor {
    return this.tf.sum(
      dy,
      dy.shape.slice(0, -1).map((_, axis) => axis),
    );
  }

  batchNorm(x: Tensor, vectors: BatchNormVectors, epsilon: number): Tensor {
    const { tf } = this;
    return tf.tidy(() => {
      const scale = tf.mul(vectors.gamma, tf.rsqrt(tf.add(vectors.variance, epsilon)));
      const shift = tf.sub(vectors.beta, tf.mul(vectors.mean, scale));
      return tf.add(tf.mul(x, scale), shift);
    });
  }

  batchNormTraining(
    x: Tensor,
    vectors: BatchNormVectors,
    epsilon: number,
    momentum: number,
  ): BatchNormResult {
    const { tf } = this;
    const axes = x.shape.slice(0, -1).map((_, axis) => axis);
    const count = x.size / x.shape.at(-1)!;
    const [y, mean, variance, batchMean, deviation] = tf.tidy(() => {
      const average = tf.mean(x, axes);
      const centred = tf.sub(x, average);
      const biased = tf.mean(tf.square(centred), axes);
      const inverse = tf.rsqrt(tf.add(biased, epsilon));
      const normalised = tf.mul(centred, tf.mul(inverse, vectors.gamma));
      const moved = (old: Tensor, batch: Tensor): Tensor =>
        tf.add(tf.mul(old, momentum), tf.mul(batch, 1 - momentum));
      const unbiased = tf.mul(biased, count / Math.max(count - 1, 1));
      return [
        tf.add(normalised, vectors.beta),
        moved(vectors.mean, average),
        moved(vectors.variance, unbiased),
        average,
        inverse,
      ] as [Tensor, Tensor, Tensor, Tensor, Tensor];
    });
    return { y, mean, variance, saved: [batchMean, deviation] };
  }

  // Ioffe and Szegedy 2015, section 3, with the sums over the batch collected.
  batchNormGradient(
    dy: Tensor,
    x: Tensor,
    gamma: Tensor,
    saved: readonly Tensor[],
  ): BatchNormGradients {
    const { tf } = this;
    const axes = x.shape.slice(0, -1).map((_, axis) => axis);
    const count = x.size / x.shape.at(-1)!;
    const [mean, inverse] = saved as readonly [Tensor, Tensor];
    const [dx, dGamma, dBeta] = tf.tidy(() => {
      const normalised = tf.mul(tf.sub(x, mean), inverse);
      const beta = tf.sum(dy, axes);
      const scale = tf.sum(tf.mul(dy, normalised), axes);
      const shared = tf.div(tf.add(beta, tf.mul(normalised, scale)), count);
      return [tf.mul(tf.sub(dy, shared), tf.mul(gamma, inverse)), scale, beta] as [
        Tensor,
        Tensor,
        Tensor,
      ];
    });
    return { x: dx, gamma: dGamma, beta: dBeta };
  }

  reluGradient(dy: Tensor, y: Tensor): Tensor {
    const { tf } = this;
    return tf.tidy(() => tf.mul(dy, tf.cast(tf.greater(y, 0), 'float32')));
  }

  relu6Gradient(dy: Tensor, y: Tensor): Tensor {
    const { tf } = this;
    return tf.tidy(() => {
      const inside = tf.logicalAnd(tf.greater(y, 0), tf.less(y, 6));
      return tf.mul(dy, tf.cast(inside, 'float32'));
    });
  }

  leakyReluGradient(dy: Tensor, x: Tensor, alpha: number): Tensor {
    const { tf } = this;
    return tf.tidy(() => tf.where(tf.greater(x, 0), dy, tf.mul(dy, alpha)));
  }

  softmaxCrossEntropy(logits: Tensor, labels: Tensor): CrossEntropy {
    const { tf } = this;
    const [losses, gradient] = tf.tidy(() => {
      const target = tf.oneHot(labels as Tensor1D, logits.shape[1]!, 1, 0, 'float32');
      const logProbabilities = tf.logSoftmax(logits);
      const picked = tf.neg(tf.sum(tf.mul(target, logProbabilities), 1));
      return [picked, tf.sub(tf.exp(logProbabilities), target)] as [Tensor, Tensor];
    });
    return { losses, gradient };
  }

  momentumVariable(
    shape: readonly number[],
    value: Float32Array,
    slots: readonly Float32Array[] | null,
  ): MomentumVariable {
    return new PlainMomentum(this.tf, shape, value, slots);
  }

  adamVariable(
    shape: readonly number[],
    value: Float32Array,
    slots: readonly Float32Array[] | null,
  ): AdamVariable {
    return new PlainAdam(this.tf, shape, value, slots);
  }

  /** Brings a convolution to a simple one: dilation into the kernel, explicit padding into the input. */
  private convolve(x: Tensor, kernel: Tensor, window: ConvWindow, conv: Conv): Tensor {
    return this.tf.tidy(() => {
      const { padding } = splitPadding(window);
      const expanded = this.dilated(kernel, window.dilations);
      return conv(padImage(this.tf, x, padding), expanded, simpleWindow(window));
    });
  }

  private inputGradient(
    inputShape: readonly number[],
    kernel: Tensor,
    dy: Tensor,
    window: ConvWindow,
    gradient: InputGradient,
  ): Tensor {
    return this.tf.tidy(() => {
      const { padding } = splitPadding(window);
      const expanded = this.dilated(kernel, window.dilations);
      const shape = paddedShape(inputShape, padding);
      const dx = gradient(shape, expanded, dy, simpleWindow(window));
      return cropPadding(this.tf, dx, padding, inputShape);
    });
  }

  private kernelGradient(
    x: Tensor,
    kernelShape: readonly number[],
    dy: Tensor,
    window: ConvWindow,
    gradient: KernelGradient,
  ): Tensor {
    return this.tf.tidy(() => {
      const { padding } = splitPadding(window);
      const [rows, columns, ...channels] = kernelShape as [number, number, number, number];
      const [down, across] = window.dilations;
      const shape = [(rows - 1) * down + 1, (columns - 1) * across + 1, ...channels];
      const dKernel = gradient(padImage(this.tf, x, padding), shape, dy, simpleWindow(window));
      return this.undilated(dKernel, kernelShape, window.dilations);
    });
  }

  /** A kernel with zeros between its rows and columns. */
  private dilated(kernel: Tensor, [down, across]: Pair): Tensor {
    if (down === 1 && across === 1) return kernel;
    const { tf } = this;
    const [rows, columns, a, b] = kernel.shape as [number, number, number, number];
    const apart = tf.reshape(kernel, [rows, 1, columns, 1, a * b]);
    const spread = tf.pad(apart, [
      [0, 0],
      [0, down - 1],
      [0, 0],
      [0, across - 1],
      [0, 0],
    ]);
    const whole = tf.reshape(spread, [rows * down, columns * across, a, b]);
    const size = [(rows - 1) * down + 1, (columns - 1) * across + 1, a, b];
    return tf.slice(whole, [0, 0, 0, 0], size);
  }

  /** The entries of a dilated kernel that belong to the kernel itself. */
  private undilated(kernel: Tensor, shape: readonly number[], [down, across]: Pair): Tensor {
    if (down === 1 && across === 1) return kernel;
    const { tf } = this;
    const [rows, columns, a, b] = shape as [number, number, number, number];
    const whole = tf.pad(kernel, [
      [0, down - 1],
      [0, across - 1],
      [0, 0],
      [0, 0],
    ]);
    const apart = tf.reshape(whole, [rows, down, columns, across, a * b]);
    return tf.reshape(tf.slice(apart, [0, 0, 0, 0, 0], [rows, 1, columns, 1, a * b]), [...shape]);
  }

  /** Runs an op on each group of channels of both operands, and joins the results along `axis`. */
  private perGroup(
    groups: number,
    [a, axisA]: readonly [Tensor, number],
    [b, axisB]: readonly [Tensor, number],
    axis: number,
    op: (a: Tensor, b: Tensor) => Tensor,
  ): Tensor {
    if (groups === 1) return op(a, b);
    const { tf } = this;
    const parts = tf.split(b, groups, axisB);
    return tf.concat(
      tf.split(a, groups, axisA).map((part, group) => op(part, parts[group]!)),
      axis,
    );
  }
}

/** Groups of a convolution whose kernel sees only a part of the input's channels. */
export function groupsOf(inputShape: readonly number[], kernelShape: readonly number[]): number {
  return inputShape[3]! / kernelShape[2]!;
}

function simpleWindow({ strides, padding }: ConvWindow): SimpleWindow {
  return { strides: [...strides], pad: padding === 'same' ? 'same' : 'valid' };
}

function convAttrs({ strides, pad }: SimpleWindow): tfAttrs {
  return { strides, pad, dataFormat: 'NHWC', dilations: [1, 1] };
}

type tfAttrs = Record<string, string | number[]>;
