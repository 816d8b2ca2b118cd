// The operations of a training step that decide its speed, stated once and implemented twice: with
// TensorFlow's own kernels (native.ts) and with plain tfjs ops that run on every backend (plain.ts).

import type * as tfjs from '@tensorflow/tfjs-core';
import type { Padding, Pair } from '../graph/types';

/** The tfjs API: ops, memory, engine. Loaded with the backend, never imported by value. */
export type TensorFlow = typeof tfjs;
export type Tensor = tfjs.Tensor;

/** How a convolution moves over its input. */
export interface ConvWindow {
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly padding: Padding;
}

/** Vectors [C] of a batch normalisation. */
export interface BatchNormVectors {
  readonly gamma: Tensor;
  readonly beta: Tensor;
  /** Running statistics. */
  readonly mean: Tensor;
  readonly variance: Tensor;
}

export interface BatchNormResult {
  readonly y: Tensor;
  /** Running statistics after this batch: momentum * old + (1 - momentum) * batch. */
  readonly mean: Tensor;
  readonly variance: Tensor;
  /** What the gradient needs beside x and gamma. */
  readonly saved: readonly Tensor[];
}

export interface BatchNormGradients {
  readonly x: Tensor;
  readonly gamma: Tensor;
  readonly beta: Tensor;
}

export interface CrossEntropy {
  /** -log(softmax(logits)[label]) of each sample, [N]. */
  readonly losses: Tensor;
  /** Gradient of the sum of the losses with respect to the logits, [N, classes]. */
  readonly gradient: Tensor;
}

/** A trainable tensor with what its optimizer accumulates, updated in place where the backend can. */
export interface TrainedVariable {
  /** The value as it is now. The variable owns it: it is gone after the next update. */
  readonly value: Tensor;
  /** What is accumulated, each of the value's length: v of momentum; m and v of Adam. */
  slots(): Promise<readonly Float32Array[]>;
  dispose(): void;
}

export interface MomentumVariable extends TrainedVariable {
  /**
   * v <- momentum * v + gradient, then value <- value - rate * v, or with Nesterov's look-ahead
   * value <- value - rate * (gradient + momentum * v). The learning rate multiplies outside of v, as in PyTorch
   * (Keras accumulates rate * gradient instead: the same as long as the rate does not change).
   */
  update(gradient: Tensor, rate: Tensor, momentum: Tensor, nesterov: boolean): void;
}

/** Scalars of a step of Adam. */
export interface AdamStep {
  /** With the corrections of the bias of m and v in it: rate * sqrt(1 - beta2^t) / (1 - beta1^t). */
  readonly rate: Tensor;
  /** epsilon * sqrt(1 - beta2^t), which makes it the epsilon beside the corrected root of v. */
  readonly epsilon: Tensor;
  readonly beta1: Tensor;
  readonly beta2: Tensor;
}

export interface AdamVariable extends TrainedVariable {
  /**
   * value <- kept * value where `kept` is given (decoupled weight decay), then
   * m <- m + (1 - beta1) * (gradient - m), v <- v + (1 - beta2) * (gradient^2 - v),
   * value <- value - rate * m / (sqrt(v) + epsilon).
   */
  update(gradient: Tensor, step: AdamStep, kept: Tensor | null): void;
}

/**
 * Tensors are NHWC. Kernels: [kh, kw, in / groups, out] (groups follow from the shapes), depthwise
 * [kh, kw, in, multiplier]. Results are new tensors that the caller disposes.
 */
export interface Primitives {
  conv2d(x: Tensor, kernel: Tensor, window: ConvWindow): Tensor;
  /** Gradient of conv2d with respect to its input of the given shape: also the transposed convolution. */
  conv2dInputGradient(
    inputShape: readonly number[],
    kernel: Tensor,
    dy: Tensor,
    window: ConvWindow,
  ): Tensor;
  conv2dKernelGradient(
    x: Tensor,
    kernelShape: readonly number[],
    dy: Tensor,
    window: ConvWindow,
  ): Tensor;

  depthwiseConv2d(x: Tensor, kernel: Tensor, window: ConvWindow): Tensor;
  depthwiseInputGradient(
    inputShape: readonly number[],
    kernel: Tensor,
    dy: Tensor,
    window: ConvWindow,
  ): Tensor;
  depthwiseKernelGradient(
    x: Tensor,
    kernelShape: readonly number[],
    dy: Tensor,
    window: ConvWindow,
  ): Tensor;

  /** Adds a vector to the last axis. */
  addBias(x: Tensor, bias: Tensor): Tensor;
  /** Sums over all axes but the last. */
  biasGradient(dy: Tensor): Tensor;

  /** Normalises over the last axis with the running statistics. */
  batchNorm(x: Tensor, vectors: BatchNormVectors, epsilon: number): Tensor;
  /**
   * Normalises over the last axis with the statistics of the batch (biased variance), and moves the running
   * ones towards them (unbiased variance: n / (n - 1) times the biased one), as PyTorch and TensorFlow do.
   */
  batchNormTraining(
    x: Tensor,
    vectors: BatchNormVectors,
    epsilon: number,
    momentum: number,
  ): BatchNormResult;
  batchNormGradient(
    dy: Tensor,
    x: Tensor,
    gamma: Tensor,
    saved: readonly Tensor[],
    epsilon: number,
  ): BatchNormGradients;

  /** Gradients of max(x, 0) and min(max(x, 0), 6), from the output y. */
  reluGradient(dy: Tensor, y: Tensor): Tensor;
  relu6Gradient(dy: Tensor, y: Tensor): Tensor;
  /** Gradient of max(x, alpha * x) from the input, 0 < alpha < 1. */
  leakyReluGradient(dy: Tensor, x: Tensor, alpha: number): Tensor;

  /** Logits [N, classes], labels int32 [N]. */
  softmaxCrossEntropy(logits: Tensor, labels: Tensor): CrossEntropy;

  /** `slots` are those of a variable that this one goes on from; null begins with zeros. */
  momentumVariable(
    shape: readonly number[],
    value: Float32Array,
    slots: readonly Float32Array[] | null,
  ): MomentumVariable;

  adamVariable(
    shape: readonly number[],
    value: Float32Array,
    slots: readonly Float32Array[] | null,
  ): AdamVariable;
}
