// Layers with filters.

import type { Padding } from '../../../graph/types';
import type { Config } from '../config';
import { withActivation } from './activation';
import type { LayerCall, Variable, WeightedLayer } from './types';

function hasBias(config: Config): boolean {
  return config.flag('use_bias', true);
}

/** Kernels and, unless the layer has none, the bias. */
function kernelsAndBias(...kernels: readonly string[]): (config: Config) => readonly Variable[] {
  return (config) =>
    [...kernels, ...(hasBias(config) ? ['bias'] : [])].map((name) => ({ name, trainable: true }));
}

/** The kernel of that name and, unless the layer has none, the bias. */
function kernelAndBias(call: LayerCall, kernel: string): ReturnType<LayerCall['weights']> {
  return call.weights({ kernel, ...(hasBias(call.config) ? { bias: 'bias' } : {}) });
}

export function requireChannelsLast(call: LayerCall): void {
  const format = call.config.text('data_format', 'channels_last').replace(/_/g, '').toLowerCase();
  if (format === 'channelslast') return;
  throw call.unsupported('its images have the channels first');
}

function paddingOf(call: LayerCall): Padding {
  const padding = call.config.text('padding', 'valid').toLowerCase();
  if (padding === 'same' || padding === 'valid') return padding;
  throw call.unsupported(`the padding "${padding}" is for sequences`);
}

function windowOf(call: LayerCall): {
  readonly kernelSize: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly padding: Padding;
} {
  const { config } = call;
  requireChannelsLast(call);
  return {
    kernelSize: config.pair('kernel_size'),
    strides: config.pair('strides', [1, 1]),
    dilations: config.pair('dilation_rate', [1, 1]),
    padding: paddingOf(call),
  };
}

export const conv2d: WeightedLayer = {
  variables: kernelsAndBias('kernel'),
  add(call) {
    const { builder, config, name, input } = call;
    const attrs = {
      ...windowOf(call),
      filters: config.int('filters'),
      groups: config.int('groups', 1),
    };
    const weights = kernelAndBias(call, 'kernel');
    return withActivation(call, builder.apply('conv2d', [input], attrs, { name, weights }));
  },
};

export const depthwiseConv2d: WeightedLayer = {
  variables: kernelsAndBias('depthwise_kernel'),
  add(call) {
    const { builder, config, name, input } = call;
    const attrs = { ...windowOf(call), multiplier: config.int('depth_multiplier', 1) };
    const weights = kernelAndBias(call, 'depthwise_kernel');
    return withActivation(
      call,
      builder.apply('depthwiseConv2d', [input], attrs, { name, weights }),
    );
  },
};

export const separableConv2d: WeightedLayer = {
  variables: kernelsAndBias('depthwise_kernel', 'pointwise_kernel'),
  add(call) {
    const { builder, config, name, input } = call;
    const window = windowOf(call);
    const depthwiseName = `${name}_depthwise`;
    const depthwise = builder.apply(
      'depthwiseConv2d',
      [input],
      { ...window, multiplier: config.int('depth_multiplier', 1) },
      {
        name: depthwiseName,
        weights: call.weights({ kernel: 'depthwise_kernel' }, { node: depthwiseName }),
      },
    );
    const pointwise = builder.apply(
      'conv2d',
      [depthwise],
      {
        kernelSize: [1, 1],
        strides: [1, 1],
        dilations: [1, 1],
        padding: 'valid',
        filters: config.int('filters'),
        groups: 1,
      },
      { name, weights: kernelAndBias(call, 'pointwise_kernel') },
    );
    call.note(`The separable convolution "${name}" became a depthwise and a 1 x 1 convolution.`);
    return withActivation(call, pointwise);
  },
};

export const conv2dTranspose: WeightedLayer = {
  variables: kernelsAndBias('kernel'),
  add(call) {
    const { builder, config, name, input } = call;
    const attrs = {
      ...windowOf(call),
      filters: config.int('filters'),
      outputPadding: config.has('output_padding') ? config.pair('output_padding') : null,
    };
    const weights = kernelAndBias(call, 'kernel');
    return withActivation(
      call,
      builder.apply('conv2dTranspose', [input], attrs, { name, weights }),
    );
  },
};

export const dense: WeightedLayer = {
  variables: kernelsAndBias('kernel'),
  add(call) {
    const { builder, config, name, input } = call;
    const weights = kernelAndBias(call, 'kernel');
    const attrs = { units: config.int('units') };
    return withActivation(call, builder.apply('dense', [input], attrs, { name, weights }));
  },
};
