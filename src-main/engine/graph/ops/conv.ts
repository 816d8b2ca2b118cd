// Layers with filters: convolutions and dense.
import type { NodeOf, Pair, Shape } from '../types';
import { channelsOf, inputAt, inputOfRank, requireIntegers, shapeError, sizeOf } from './check';
import { lastAxisLabels, repeatEach, siteIfPresent } from './labels';
import type { ChannelContext, OpDef, WeightShapes } from './types';
import { dilatedSize, windowOutput } from './windows';

function kernelAndBias(kernel: Shape, outputs: number): WeightShapes {
  return {
    kernel: { shape: kernel, optional: false },
    bias: { shape: [outputs], optional: true },
  };
}

/** New channels with a filter each: kernel slices on `axis`, and the bias. */
function produceFilters<K extends 'conv2d' | 'conv2dTranspose' | 'dense'>(
  context: ChannelContext<K>,
  axis: number,
  count: number,
): Int32Array {
  const ids = context.produce(count);
  context.site('kernel', axis, ids, 'out');
  siteIfPresent(context, 'bias', 0, ids, 'out');
  context.out(0, lastAxisLabels(ids));
  return ids;
}

/** Makes position j of every group one channel, and returns the ids of the first group's positions. */
function coupleSlots<K extends 'conv2d'>(
  context: ChannelContext<K>,
  ids: Int32Array,
  groups: number,
): Int32Array {
  const slots = ids.length / groups;
  const first = ids.subarray(0, slots);
  for (let group = 1; group < groups; group++) {
    context.couple(first, ids.subarray(group * slots, (group + 1) * slots));
  }
  return first;
}

/** Makes the channels of each group one channel: one id a group, and the group's others with it. */
function coupleBlocks<K extends 'conv2d'>(
  context: ChannelContext<K>,
  ids: Int32Array,
  groups: number,
): Int32Array {
  const size = ids.length / groups;
  const first = Int32Array.from({ length: groups }, (_, group) => ids[group * size]!);
  context.couple(repeatEach(first, size), ids);
  return first;
}

/** One input channel per group: each group is a channel that is cut with its filters. */
function isDepthwise(node: NodeOf<'conv2d'>, inputChannels: number): boolean {
  return node.attrs.groups > 1 && node.attrs.groups === inputChannels;
}

export const conv2d: OpDef<'conv2d'> = {
  summary: 'Convolution, optionally grouped and dilated',
  inputs: { min: 1, max: 1 },
  weightShapes(node, inputs) {
    const { kernelSize, filters, groups } = node.attrs;
    const perGroup = channelsOf(node, inputs) / groups;
    return kernelAndBias([...kernelSize, perGroup, filters], filters);
  },
  infer(node, inputs) {
    const { filters, groups } = node.attrs;
    const [height, width] = windowOutput(node, inputs, node.attrs);
    requireIntegers(node, inputs, 'filters and groups', [filters, groups]);
    if (channelsOf(node, inputs) % groups !== 0 || filters % groups !== 0) {
      throw shapeError(
        node,
        inputs,
        `channels and ${filters} filters must divide by ${groups} groups`,
      );
    }
    return [[height, width, filters]];
  },
  // Each output value is a sum over the kernel window and the channels of its group
  // (Li et al. 2017, "Pruning Filters for Efficient ConvNets", section 3.1).
  macs(node, inputs, outputs) {
    const { kernelSize, groups } = node.attrs;
    return (
      sizeOf(outputs[0]!) * kernelSize[0] * kernelSize[1] * (channelsOf(node, inputs) / groups)
    );
  },
  channels(context) {
    const { node } = context;
    const { filters, groups } = node.attrs;
    const input = context.lastAxis(0);
    if (isDepthwise(node, input.length)) {
      const output = repeatEach(input, filters / groups);
      context.site('kernel', 3, output, 'depthwise');
      siteIfPresent(context, 'bias', 0, output, 'out');
      context.out(0, lastAxisLabels(output));
      return;
    }
    if (groups > 1 && context.grouped === 'groups') {
      // Each filter reads its own group alone: with the group's input its filters go, and no slice of others.
      const inputs = coupleBlocks(context, input, groups);
      context.couple(inputs, coupleBlocks(context, produceFilters(context, 3, filters), groups));
      return;
    }
    // A grouped kernel stores one slice per position within a group, shared by no two groups but of equal
    // number in all: so position j leaves every group or none, on both sides.
    context.site('kernel', 2, coupleSlots(context, input, groups), 'in');
    coupleSlots(context, produceFilters(context, 3, filters), groups);
  },
  recut(node, cut) {
    // Slots leave all groups alike, so that the number of groups stays; whole groups are groups without a filter.
    const perGroup = node.attrs.filters / node.attrs.groups;
    const kept = cut.keptOut(0);
    const groups = new Set(kept.map((filter) => Math.floor(filter / perGroup))).size;
    return { op: 'conv2d', attrs: { ...node.attrs, filters: kept.length, groups } };
  },
};

export const depthwiseConv2d: OpDef<'depthwiseConv2d'> = {
  summary: 'Convolution of each channel on its own, `multiplier` filters a channel',
  inputs: { min: 1, max: 1 },
  weightShapes(node, inputs) {
    const { kernelSize, multiplier } = node.attrs;
    const channels = channelsOf(node, inputs);
    return kernelAndBias([...kernelSize, channels, multiplier], channels * multiplier);
  },
  infer(node, inputs) {
    const [height, width] = windowOutput(node, inputs, node.attrs);
    requireIntegers(node, inputs, 'multiplier', [node.attrs.multiplier]);
    return [[height, width, channelsOf(node, inputs) * node.attrs.multiplier]];
  },
  // A grouped convolution with one input channel a group.
  macs(node, _inputs, outputs) {
    const { kernelSize } = node.attrs;
    return sizeOf(outputs[0]!) * kernelSize[0] * kernelSize[1];
  },
  channels(context) {
    const input = context.lastAxis(0);
    const output = repeatEach(input, context.node.attrs.multiplier);
    context.site('kernel', 2, input, 'depthwise');
    siteIfPresent(context, 'bias', 0, output, 'out');
    context.out(0, lastAxisLabels(output));
  },
};

/** Output size of a transposed convolution along one axis. */
function transposedSize(node: NodeOf<'conv2dTranspose'>, axis: 0 | 1, size: number): number {
  const { padding, outputPadding } = node.attrs;
  const stride = node.attrs.strides[axis];
  const span = dilatedSize(node.attrs.kernelSize[axis], node.attrs.dilations[axis]);
  const extra = outputPadding?.[axis] ?? 0;
  if (padding === 'same') {
    if (outputPadding === null) return size * stride;
    return (size - 1) * stride + span - 2 * Math.floor(span / 2) + extra;
  }
  if (padding === 'valid') {
    return (
      size * stride + (outputPadding === null ? Math.max(span - stride, 0) : span - stride + extra)
    );
  }
  return (size - 1) * stride + span - padding[axis][0] - padding[axis][1] + extra;
}

export const conv2dTranspose: OpDef<'conv2dTranspose'> = {
  summary: 'Transposed convolution (the gradient of a convolution with respect to its input)',
  inputs: { min: 1, max: 1 },
  weightShapes(node, inputs) {
    const { kernelSize, filters } = node.attrs;
    return kernelAndBias([...kernelSize, filters, channelsOf(node, inputs)], filters);
  },
  // Sizes as Keras computes them for 'same' and 'valid' (keras/src/ops/operation_utils.py,
  // compute_conv_transpose_output_shape); explicit padding crops the full result, as in PyTorch and ONNX.
  infer(node, inputs) {
    const { filters, kernelSize, strides, dilations } = node.attrs;
    const [height, width] = inputOfRank(node, inputs, 0, 3) as readonly [number, number, number];
    requireIntegers(node, inputs, 'filters, window sizes, strides and dilations', [
      filters,
      ...kernelSize,
      ...strides,
      ...dilations,
    ]);
    const output: Pair = [transposedSize(node, 0, height), transposedSize(node, 1, width)];
    if (Math.min(...output) < 1) throw shapeError(node, inputs, 'the padding leaves nothing');
    return [[...output, filters]];
  },
  // Every input position meets the whole kernel (fvcore's conv_flop_count counts transposed layers so).
  macs(node, inputs) {
    const { kernelSize, filters } = node.attrs;
    return sizeOf(inputs[0]!) * kernelSize[0] * kernelSize[1] * filters;
  },
  channels(context) {
    context.site('kernel', 3, context.lastAxis(0), 'in');
    produceFilters(context, 2, context.node.attrs.filters);
  },
  recut(node, cut) {
    return { op: 'conv2dTranspose', attrs: { ...node.attrs, filters: cut.keptOut(0).length } };
  },
};

export const dense: OpDef<'dense'> = {
  summary: 'Matrix product over the last axis',
  inputs: { min: 1, max: 1 },
  weightShapes(node, inputs) {
    return kernelAndBias([channelsOf(node, inputs), node.attrs.units], node.attrs.units);
  },
  infer(node, inputs) {
    requireIntegers(node, inputs, 'units', [node.attrs.units]);
    channelsOf(node, inputs);
    return [[...inputAt(node, inputs, 0).slice(0, -1), node.attrs.units]];
  },
  // One product of the kernel at each position of the leading axes.
  macs(node, inputs) {
    return sizeOf(inputs[0]!) * node.attrs.units;
  },
  channels(context) {
    context.site('kernel', 0, context.lastAxis(0), 'in');
    produceFilters(context, 1, context.node.attrs.units);
  },
  recut: (_node, cut) => ({ op: 'dense', attrs: { units: cut.keptOut(0).length } }),
};
