// Layers with filters and normalisations.

import type { Op, Padding } from '../../../graph/types';
import {
  composite,
  exact,
  layerAxis,
  type Exported,
  type ExportNode,
  type NodeExport,
  type Port,
} from './types';

/** The input with explicit padding around it, where the node has that. */
function padded<K extends Op>(node: NodeExport<K>, padding: Padding): { port: Port; name: string } {
  const input = node.inputs[0]!;
  if (typeof padding === 'string') return { port: input, name: padding };
  const config = { padding, data_format: 'channels_last' };
  return { port: node.layer('ZeroPadding2D', config, [input], { suffix: 'pad' }), name: 'valid' };
}

/** Explicit padding is a layer of its own: both together are the node. */
function withPadding(padding: Padding, output: Port): Exported {
  return typeof padding === 'string' ? exact(output) : composite(output);
}

function biasSetting<K extends Op>(node: NodeExport<K>): { readonly use_bias: boolean } {
  return { use_bias: node.weight('bias') !== undefined };
}

export const conv2d: ExportNode<'conv2d'> = (node) => {
  const { filters, kernelSize, strides, dilations, padding, groups } = node.node.attrs;
  if (groups > 1 && node.target === 'tfjs') throw node.unsupported('it does not run groups');
  if (Math.max(...strides) > 1 && Math.max(...dilations) > 1) {
    throw node.unsupported('it does not run strides and dilations at once');
  }
  const input = padded(node, padding);
  const config = {
    filters,
    kernel_size: kernelSize,
    strides,
    dilation_rate: dilations,
    padding: input.name,
    data_format: 'channels_last',
    activation: 'linear',
    ...(groups > 1 ? { groups } : {}),
    ...biasSetting(node),
  };
  const weights = { kernel: node.weight('kernel'), bias: node.weight('bias') };
  return withPadding(padding, node.layer('Conv2D', config, [input.port], { weights }));
};

export const depthwiseConv2d: ExportNode<'depthwiseConv2d'> = (node) => {
  const { kernelSize, strides, dilations, padding, multiplier } = node.node.attrs;
  const dilated = Math.max(...dilations) > 1;
  if (dilated && node.target === 'tfjs') {
    throw node.unsupported('it ignores the dilation of depthwise convolutions');
  }
  if (dilated && Math.max(...strides) > 1) {
    throw node.unsupported('it does not run strides and dilations at once');
  }
  if (strides[0] !== strides[1] && node.target === 'keras') {
    throw node.unsupported('it takes one stride for rows and columns of a depthwise convolution');
  }
  const input = padded(node, padding);
  const config = {
    kernel_size: kernelSize,
    strides,
    dilation_rate: dilations,
    padding: input.name,
    depth_multiplier: multiplier,
    data_format: 'channels_last',
    activation: 'linear',
    ...biasSetting(node),
  };
  const weights = { depthwise_kernel: node.weight('kernel'), bias: node.weight('bias') };
  return withPadding(padding, node.layer('DepthwiseConv2D', config, [input.port], { weights }));
};

export const conv2dTranspose: ExportNode<'conv2dTranspose'> = (node) => {
  const { filters, kernelSize, strides, dilations, padding, outputPadding } = node.node.attrs;
  if (Math.max(...dilations) > 1) {
    throw node.unsupported('it does not run dilated transposed convolutions');
  }
  const isExplicit = typeof padding !== 'string';
  if (!isExplicit && outputPadding !== null && node.target === 'tfjs') {
    throw node.unsupported('it has no output padding of transposed convolutions');
  }
  const config = {
    filters,
    kernel_size: kernelSize,
    strides,
    padding: isExplicit ? 'valid' : padding,
    data_format: 'channels_last',
    activation: 'linear',
    ...(isExplicit || outputPadding === null ? {} : { output_padding: outputPadding }),
    ...biasSetting(node),
  };
  const weights = { kernel: node.weight('kernel'), bias: node.weight('bias') };
  if (!isExplicit) {
    return exact(node.layer('Conv2DTranspose', config, node.inputs, { weights }));
  }
  // Explicit padding takes away from the borders of the whole result.
  const whole = node.layer('Conv2DTranspose', config, node.inputs, { weights, suffix: 'whole' });
  const cropping = [0, 1].map((axis) => {
    const span = Math.max(kernelSize[axis]!, strides[axis]!);
    const size = (node.inputShapes[0]![axis]! - 1) * strides[axis]! + span;
    const before = padding[axis]![0];
    return [before, size - before - node.outputShapes[0]![axis]!];
  });
  if (cropping.flat().some((amount) => amount < 0)) {
    throw node.unsupported('its output padding is larger than its padding');
  }
  const crop = { cropping, data_format: 'channels_last' };
  return composite(node.layer('Cropping2D', crop, [whole]));
};

export const dense: ExportNode<'dense'> = (node) => {
  const config = { units: node.node.attrs.units, activation: 'linear', ...biasSetting(node) };
  const weights = { kernel: node.weight('kernel'), bias: node.weight('bias') };
  return exact(node.layer('Dense', config, node.inputs, { weights }));
};

export const batchNorm: ExportNode<'batchNorm'> = (node) => {
  const weights = {
    gamma: node.weight('gamma'),
    beta: node.weight('beta'),
    moving_mean: node.weight('mean'),
    moving_variance: node.weight('variance'),
  };
  const config = {
    axis: -1,
    momentum: node.node.attrs.momentum,
    epsilon: node.node.attrs.epsilon,
    scale: weights.gamma !== undefined,
    center: weights.beta !== undefined,
  };
  return exact(node.layer('BatchNormalization', config, node.inputs, { weights }));
};

export const layerNorm: ExportNode<'layerNorm'> = (node) => {
  const { epsilon, axes } = node.node.attrs;
  const rank = node.inputShapes[0]!.length;
  const resolved = axes.map((axis) => (axis < 0 ? axis + rank : axis));
  if (resolved.some((axis, i) => i > 0 && axis < resolved[i - 1]!)) {
    throw node.unsupported('its axes are not in order');
  }
  const weights = { gamma: node.weight('gamma'), beta: node.weight('beta') };
  const config = {
    axis: axes.map(layerAxis),
    epsilon,
    scale: weights.gamma !== undefined,
    center: weights.beta !== undefined,
  };
  return exact(node.layer('LayerNormalization', config, node.inputs, { weights }));
};

export const groupNorm: ExportNode<'groupNorm'> = (node) => {
  if (node.target === 'tfjs') throw node.unsupported('it has no group normalisation');
  const { epsilon, groups } = node.node.attrs;
  const weights = { gamma: node.weight('gamma'), beta: node.weight('beta') };
  const config = {
    groups,
    axis: -1,
    epsilon,
    scale: weights.gamma !== undefined,
    center: weights.beta !== undefined,
  };
  return exact(node.layer('GroupNormalization', config, node.inputs, { weights }));
};
