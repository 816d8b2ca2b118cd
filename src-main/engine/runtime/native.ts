// Primitives by TensorFlow's own kernels, which tfjs-node reaches but does not use: fused batch norm and its
// gradient, ReluGrad, sparse cross-entropy, convolutions with groups, dilation and explicit padding, and
// momentum updates in place.

import type { NodeJSKernelBackend } from '@tensorflow/tfjs-node/dist/nodejs_kernel_backend';
import type { TFEOpAttr } from '@tensorflow/tfjs-node/dist/tfjs_binding';
import { cropPadding, padImage, paddedShape, splitPadding } from './explicit-padding';
import { groupsOf, PlainPrimitives } from './plain';
import { isSquare } from './unit-stride';
import { NativeOps } from './native-ops';
import { NativeAdam, NativeMomentum } from './native-variables';
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

/** What not every build of TensorFlow can do on its processor; the plain primitives step in. */
export interface NativeCapabilities {
  readonly groupedConv: boolean;
  readonly dilatedConvGradient: boolean;
  /** 1 x 1 convolutions: see pointwise.ts. */
  readonly pointwiseConv: boolean;
}

export class NativePrimitives implements Primitives {
  private readonly ops: NativeOps;
  private readonly plain: PlainPrimitives;
  private readonly capabilities: NativeCapabilities;
  private readonly windowAttrs = new WeakMap<ConvWindow, TFEOpAttr[]>();

  constructor(
    private readonly tf: TensorFlow,
    backend: NodeJSKernelBackend,
    capabilities: Partial<NativeCapabilities> = {},
  ) {
    this.ops = new NativeOps(backend);
    this.plain = new PlainPrimitives(tf);
    const all = { groupedConv: true, dilatedConvGradient: true, pointwiseConv: true };
    this.capabilities = { ...all, ...capabilities };
    this.capabilities = { ...all, ...probe(tf, this, this.plain), ...capabilities };
  }

  conv2d(x: Tensor, kernel: Tensor, window: ConvWindow): Tensor {
    if (!this.handles(x.shape, kernel.shape)) return this.plain.conv2d(x, kernel, window);
    return this.ops.run1('Conv2D', this.attrsOf(window), [x, kernel]);
  }

  conv2dInputGradient(
    inputShape: readonly number[],
    kernel: Tensor,
    dy: Tensor,
    window: ConvWindow,
  ): Tensor {
    if (!this.handles(inputShape, kernel.shape) || !this.handlesGradient(window)) {
      return this.plain.conv2dInputGradient(inputShape, kernel, dy, window);
    }
    return this.inputGradient('Conv2DBackpropInput', inputShape, kernel, dy, window);
  }

  conv2dKernelGradient(
    x: Tensor,
    kernelShape: readonly number[],
    dy: Tensor,
    window: ConvWindow,
  ): Tensor {
    if (!this.handles(x.shape, kernelShape) || !this.handlesGradient(window)) {
      return this.plain.conv2dKernelGradient(x, kernelShape, dy, window);
    }
    return this.kernelGradient('Conv2DBackpropFilter', x, kernelShape, dy, window);
  }

  depthwiseConv2d(x: Tensor, kernel: Tensor, window: ConvWindow): Tensor {
    if (!isPlainWindow(window)) return this.plain.depthwiseConv2d(x, kernel, window);
    return this.ops.run1('DepthwiseConv2dNative', this.attrsOf(window), [x, kernel]);
  }

  depthwiseInputGradient(
    inputShape: readonly number[],
    kernel: Tensor,
    dy: Tensor,
    window: ConvWindow,
  ): Tensor {
    if (!isPlainWindow(window)) {
      return this.plain.depthwiseInputGradient(inputShape, kernel, dy, window);
    }
    const op = 'DepthwiseConv2dNativeBackpropInput';
    return this.inputGradient(op, inputShape, kernel, dy, window);
  }

  depthwiseKernelGradient(
    x: Tensor,
    kernelShape: readonly number[],
    dy: Tensor,
    window: ConvWindow,
  ): Tensor {
    if (!isPlainWindow(window)) {
      return this.plain.depthwiseKernelGradient(x, kernelShape, dy, window);
    }
    const op = 'DepthwiseConv2dNativeBackpropFilter';
    return this.kernelGradient(op, x, kernelShape, dy, window);
  }

  addBias(x: Tensor, bias: Tensor): Tensor {
    return this.ops.run1('BiasAdd', [this.ops.float, this.ops.nhwc], [x, bias]);
  }

  biasGradient(dy: Tensor): Tensor {
    return this.ops.run1('BiasAddGrad', [this.ops.float, this.ops.nhwc], [dy]);
  }

  // Not FusedBatchNormV3: at inference oneDNN's takes ten times as long as two passes where it finds no cache sizes.
  batchNorm(x: Tensor, vectors: BatchNormVectors, epsilon: number): Tensor {
    return this.plain.batchNorm(x, vectors, epsilon);
  }

  batchNormTraining(
    x: Tensor,
    vectors: BatchNormVectors,
    epsilon: number,
    momentum: number,
  ): BatchNormResult {
    const image = this.asImage(x);
    const attrs = [
      ...this.batchNormAttrs(epsilon, true),
      this.ops.number('exponential_avg_factor', 1 - momentum),
    ];
    const { gamma, beta } = vectors;
    const [y, mean, variance, ...saved] = this.ops.run(
      'FusedBatchNormV3',
      attrs,
      [image, gamma, beta, vectors.mean, vectors.variance],
      6,
    );
    return { y: this.likeImage(y!, x), mean: mean!, variance: variance!, saved };
  }

  batchNormGradient(
    dy: Tensor,
    x: Tensor,
    gamma: Tensor,
    saved: readonly Tensor[],
    epsilon: number,
  ): BatchNormGradients {
    const [dx, dGamma, dBeta, ...unused] = this.ops.run(
      'FusedBatchNormGradV3',
      this.batchNormAttrs(epsilon, true),
      [this.asImage(dy), this.asImage(x), gamma, ...saved],
      5,
    );
    this.tf.dispose(unused);
    return { x: this.likeImage(dx!, x), gamma: dGamma!, beta: dBeta! };
  }

  reluGradient(dy: Tensor, y: Tensor): Tensor {
    return this.ops.run1('ReluGrad', [this.ops.float], [dy, y]);
  }

  relu6Gradient(dy: Tensor, y: Tensor): Tensor {
    return this.ops.run1('Relu6Grad', [this.ops.float], [dy, y]);
  }

  leakyReluGradient(dy: Tensor, x: Tensor, alpha: number): Tensor {
    const attrs = [this.ops.float, this.ops.number('alpha', alpha)];
    return this.ops.run1('LeakyReluGrad', attrs, [dy, x]);
  }

  softmaxCrossEntropy(logits: Tensor, labels: Tensor): CrossEntropy {
    const attrs = [this.ops.float, this.ops.type('Tlabels', 'int32')];
    const [losses, gradient] = this.ops.run(
      'SparseSoftmaxCrossEntropyWithLogits',
      attrs,
      [logits, labels],
      2,
    );
    return { losses: losses!, gradient: gradient! };
  }

  momentumVariable(
    shape: readonly number[],
    value: Float32Array,
    slots: readonly Float32Array[] | null,
  ): MomentumVariable {
    return new NativeMomentum(this.tf, this.ops, shape, value, slots);
  }

  adamVariable(
    shape: readonly number[],
    value: Float32Array,
    slots: readonly Float32Array[] | null,
  ): AdamVariable {
    return new NativeAdam(this.tf, this.ops, shape, value, slots);
  }

  private handles(inputShape: readonly number[], kernelShape: readonly number[]): boolean {
    const { groupedConv, pointwiseConv } = this.capabilities;
    if (!pointwiseConv && kernelShape[0] === 1 && kernelShape[1] === 1) return false;
    return groupedConv || groupsOf(inputShape, kernelShape) === 1;
  }

  private handlesGradient(window: ConvWindow): boolean {
    return this.capabilities.dilatedConvGradient || !isDilated(window);
  }

  private attrsOf(window: ConvWindow): TFEOpAttr[] {
    let attrs = this.windowAttrs.get(window);
    if (attrs === undefined) {
      attrs = convolutionAttrs(this.ops, window);
      this.windowAttrs.set(window, attrs);
    }
    return attrs;
  }

  private batchNormAttrs(epsilon: number, training: boolean): TFEOpAttr[] {
    const { ops } = this;
    return [
      ops.float,
      ops.type('U', 'float32'),
      ops.nhwc,
      ops.number('epsilon', epsilon),
      ops.boolean('is_training', training),
    ];
  }

  /** The fused batch norm takes [N, H, W, C] only; row-major order makes every tensor one. */
  private asImage(x: Tensor): Tensor {
    if (x.rank === 4) return x;
    const channels = x.shape.at(-1)!;
    return this.tf.reshape(x, [x.size / channels, 1, 1, channels]);
  }

  private likeImage(y: Tensor, x: Tensor): Tensor {
    return x.rank === 4 ? y : this.tf.reshape(y, x.shape);
  }

  // TensorFlow's fast kernels know explicit padding forwards only.
  private inputGradient(
    op: 'Conv2DBackpropInput' | 'DepthwiseConv2dNativeBackpropInput',
    inputShape: readonly number[],
    kernel: Tensor,
    dy: Tensor,
    window: ConvWindow,
  ): Tensor {
    const { padding, window: inner } = splitPadding(window);
    return this.tf.tidy(() => {
      const shape = this.tf.tensor1d(paddedShape(inputShape, padding), 'int32');
      const dx = this.ops.run1(op, this.attrsOf(inner), [shape, kernel, dy]);
      return cropPadding(this.tf, dx, padding, inputShape);
    });
  }

  private kernelGradient(
    op: 'Conv2DBackpropFilter' | 'DepthwiseConv2dNativeBackpropFilter',
    x: Tensor,
    kernelShape: readonly number[],
    dy: Tensor,
    window: ConvWindow,
  ): Tensor {
    const { padding, window: inner } = splitPadding(window);
    return this.tf.tidy(() => {
      const shape = this.tf.tensor1d([...kernelShape], 'int32');
      const image = padImage(this.tf, x, padding);
      return this.ops.run1(op, this.attrsOf(inner), [image, shape, dy]);
    });
  }
}

function convolutionAttrs(ops: NativeOps, window: ConvWindow): TFEOpAttr[] {
  const { strides, dilations, padding } = window;
  const explicit = typeof padding === 'string' ? null : padding;
  return [
    ops.float,
    ops.nhwc,
    ops.integers('strides', [1, ...strides, 1]),
    ops.integers('dilations', [1, ...dilations, 1]),
    ops.string('padding', explicit ? 'EXPLICIT' : (padding as string).toUpperCase()),
    ...(explicit ? [ops.integers('explicit_paddings', [0, 0, ...explicit.flat(), 0, 0])] : []),
  ];
}

function isDilated({ dilations }: ConvWindow): boolean {
  return dilations[0] !== 1 || dilations[1] !== 1;
}

/** TensorFlow's depthwise kernels take one stride for both axes and, without oneDNN, no dilation. */
function isPlainWindow(window: ConvWindow): boolean {
  return isSquare(window) && !isDilated(window);
}

/** Tries on a few numbers what this build of TensorFlow computes, and computes right. */
function probe(
  tf: TensorFlow,
  native: Primitives,
  plain: Primitives,
): Omit<NativeCapabilities, 'pointwiseConv'> {
  const agrees = (groups: number, dilation: number): boolean => {
    const window: ConvWindow = {
      strides: [1, 1],
      dilations: [dilation, dilation],
      padding: 'same',
    };
    const results = (primitives: Primitives): Tensor => {
      const x = tf.reshape(tf.range(0, 100), [1, 5, 5, 4]);
      const kernel = tf.reshape(tf.range(0, (9 * 16) / groups), [3, 3, 4 / groups, 4]);
      const y = primitives.conv2d(x, kernel, window);
      const dx = primitives.conv2dInputGradient(x.shape, kernel, x, window);
      const dKernel = primitives.conv2dKernelGradient(x, kernel.shape, x, window);
      return tf.concat([y, dx, dKernel].map((part) => tf.reshape(part, [-1])));
    };
    return tf.tidy(() => {
      try {
        const expected = results(plain);
        const difference = tf.max(tf.abs(tf.sub(results(native), expected))).dataSync()[0]!;
        return difference <= 1e-5 * tf.max(expected).dataSync()[0]!;
      } catch {
        return false;
      }
    });
  };
  return { groupedConv: agrees(2, 1), dilatedConvGradient: agrees(1, 2) };
}
