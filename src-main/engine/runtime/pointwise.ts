// 1 x 1 convolutions as matrix products, put in the place of TensorFlow's own kernels where those cannot be used:
// oneDNN plans them by the sizes of the processor's caches and divides by zero where a virtual machine reports
// none (brgemm's estimate for 1 x 1, seen with TensorFlow 2.21): the process ends. Everything else of oneDNN
// works there, and without it training takes twice the time.

import type { KernelConfig, NamedTensorInfoMap } from '@tensorflow/tfjs-core';
import type { Pair } from '../graph/types';
import type { Tensor, TensorFlow } from './primitives';
import { spreadStrides, takeStrides } from './unit-stride';

/** Whether a kernel [kh, kw, in, out] sees one pixel, and all channels of it. */
export function isPointwise(channels: number, kernelShape: readonly number[]): boolean {
  return kernelShape[0] === 1 && kernelShape[1] === 1 && kernelShape[2] === channels;
}

/** [N, H, W, in] with a kernel [1, 1, in, out], without padding. */
export function pointwiseConv(tf: TensorFlow, x: Tensor, kernel: Tensor, strides: Pair): Tensor {
  return tf.tidy(() => {
    const taken = isUnit(strides) ? x : takeStrides(tf, x, strides);
    const y = tf.matMul(asRows(tf, taken), asMatrix(tf, kernel));
    return tf.reshape(y, [...taken.shape.slice(0, 3), kernel.shape[3]!]);
  });
}

/** The gradient of pointwiseConv with respect to its input of the given shape. */
export function pointwiseInputGradient(
  tf: TensorFlow,
  inputShape: readonly number[],
  kernel: Tensor,
  dy: Tensor,
  strides: Pair,
): Tensor {
  return tf.tidy(() => {
    const rows = tf.matMul(asRows(tf, dy), asMatrix(tf, kernel), false, true);
    const dx = tf.reshape(rows, [...dy.shape.slice(0, 3), inputShape[3]!]);
    return isUnit(strides) ? dx : spreadStrides(tf, dx, strides, [inputShape[1]!, inputShape[2]!]);
  });
}

/** The gradient of pointwiseConv with respect to its kernel, [1, 1, in, out]. */
export function pointwiseKernelGradient(
  tf: TensorFlow,
  x: Tensor,
  dy: Tensor,
  strides: Pair,
): Tensor {
  return tf.tidy(() => {
    const taken = isUnit(strides) ? x : takeStrides(tf, x, strides);
    const product = tf.matMul(asRows(tf, taken), asRows(tf, dy), true);
    return tf.reshape(product, [1, 1, x.shape[3]!, dy.shape[3]!]);
  });
}

interface ConvAttrs {
  readonly strides: number | [number, number];
  readonly pad: unknown;
  readonly inputShape?: number[];
  readonly filterShape?: number[];
  readonly activation?: 'linear' | 'relu' | 'prelu' | 'elu' | 'relu6' | 'leakyrelu' | 'sigmoid';
  readonly leakyreluAlpha?: number;
}

/** What tfjs-node does after a fused convolution. */
type Activate = (
  x: Tensor,
  activation: NonNullable<ConvAttrs['activation']>,
  preluWeights?: Tensor,
  leakyReluAlpha?: number,
) => Tensor;

/** Takes 1 x 1 convolutions from the native kernels, for every user of tfjs in this process. */
export function replacePointwiseKernels(
  tf: TensorFlow,
  backendName: string,
  activate: Activate,
): void {
  const replace = (
    name: string,
    compute: (inputs: Record<string, Tensor>, attrs: ConvAttrs, strides: Pair) => Tensor | null,
  ): void => {
    const original: KernelConfig = tf.getKernel(name, backendName);
    tf.unregisterKernel(name, backendName);
    tf.registerKernel({
      ...original,
      kernelFunc: (parameters) => {
        const inputs = parameters.inputs as NamedTensorInfoMap & Record<string, Tensor>;
        const attrs = parameters.attrs as unknown as ConvAttrs;
        // Without padding of its own a 1 x 1 kernel needs none, be it 'same' or 'valid'.
        const bare = typeof attrs.pad === 'string';
        const { strides } = attrs;
        const pair: Pair = typeof strides === 'number' ? [strides, strides] : strides;
        return (bare ? compute(inputs, attrs, pair) : null) ?? original.kernelFunc(parameters);
      },
    });
  };
  replace(tf.Conv2D, ({ x, filter }, _, strides) =>
    isPointwise(x!.shape[3]!, filter!.shape) ? pointwiseConv(tf, x!, filter!, strides) : null,
  );
  replace(tf.FusedConv2D, ({ x, filter, bias, preluActivationWeights }, attrs, strides) =>
    isPointwise(x!.shape[3]!, filter!.shape)
      ? tf.tidy(() => {
          const y = pointwiseConv(tf, x!, filter!, strides);
          const { activation = 'linear', leakyreluAlpha } = attrs;
          const sum = bias ? tf.add(y, bias) : y;
          return activate(sum, activation, preluActivationWeights, leakyreluAlpha);
        })
      : null,
  );
  replace(tf.Conv2DBackpropInput, ({ dy, filter }, { inputShape }, strides) =>
    isPointwise(inputShape![3]!, filter!.shape)
      ? pointwiseInputGradient(tf, inputShape!, filter!, dy!, strides)
      : null,
  );
  replace(tf.Conv2DBackpropFilter, ({ x, dy }, { filterShape }, strides) =>
    isPointwise(x!.shape[3]!, filterShape!) ? pointwiseKernelGradient(tf, x!, dy!, strides) : null,
  );
}

function isUnit([down, across]: Pair): boolean {
  return down === 1 && across === 1;
}

function asRows(tf: TensorFlow, x: Tensor): Tensor {
  const channels = x.shape[3]!;
  return tf.reshape(x, [x.size / channels, channels]);
}

function asMatrix(tf: TensorFlow, kernel: Tensor): Tensor {
  return tf.reshape(kernel, [kernel.shape[2]!, kernel.shape[3]!]);
}
