// Layers with filters: convolutions and dense. Kernels are brought to TFLite's layouts, and a batch norm that
// follows is folded into kernel and bias.

import type { Window } from '../../../graph/ops/windows';
import { unsupported, type TensorIndex } from '../program';
import { fusedActivations, paddings } from '../schema';
import { scaledKernel, transposedRegion } from '../../lowering';
import { transposed } from '../../transpose';
import { batched, type Lower, type Lowering } from './types';
import { padForWindow } from './window';

type FilterOp = 'conv2d' | 'depthwiseConv2d' | 'conv2dTranspose' | 'dense';

/** The bias after folding, always present: XNNPACK and the converter's own files have one. */
function foldedBias<K extends FilterOp>(layer: Lowering<K>, channels: number): TensorIndex {
  const stored = layer.weight('bias')?.data;
  const bias = new Float32Array(channels);
  for (let c = 0; c < channels; c++) {
    const value = stored?.[c] ?? 0;
    bias[c] = layer.affine ? value * layer.affine.scale[c]! + layer.affine.shift[c]! : value;
  }
  return layer.program.constant('bias', [channels], bias);
}

export const conv2d: Lower<'conv2d'> = (layer) => {
  const { node, program } = layer;
  const { filters, kernelSize, groups } = node.attrs;
  const [kh, kw] = kernelSize;
  const inputChannels = layer.inputShapes[0]!.at(-1)!;
  const perGroup = inputChannels / groups;
  const kernel = scaledKernel(layer, { channels: filters, inner: 1 });
  // One input channel a group is a depthwise convolution, for which TFLite has its own operator.
  if (groups > 1 && perGroup === 1) {
    const depthwise = program.constant('kernel', [1, kh, kw, filters], kernel);
    return [emitDepthwise(layer, depthwise, filters, filters / groups)];
  }
  const weights = program.constant(
    'kernel',
    [filters, kh, kw, perGroup],
    transposed(kernel, [kh, kw, perGroup, filters], [3, 0, 1, 2]),
  );
  const padded = padForWindow(program, layer.inputs[0]!, layer.inputShapes[0]!, node.attrs, 0);
  const output = program.emit(
    'CONV_2D',
    [padded.tensor, weights, foldedBias(layer, filters)],
    batched(layer.outputShapes[0]!),
    {
      ...windowOptions(node.attrs),
      padding: paddings[padded.padding],
      activation: fusedActivations[layer.activation],
    },
    groups > 1 ? 6 : 1,
  );
  return [output];
};

export const depthwiseConv2d: Lower<'depthwiseConv2d'> = (layer) => {
  const [kh, kw] = layer.node.attrs.kernelSize;
  const channels = layer.outputShapes[0]!.at(-1)!;
  // [kh, kw, in, multiplier] is [1, kh, kw, in * multiplier] as it lies.
  const kernel = scaledKernel(layer, { channels, inner: 1 });
  const weights = layer.program.constant('kernel', [1, kh, kw, channels], kernel);
  return [emitDepthwise(layer, weights, channels, layer.node.attrs.multiplier)];
};

function emitDepthwise<K extends 'conv2d' | 'depthwiseConv2d'>(
  layer: Lowering<K>,
  weights: TensorIndex,
  channels: number,
  multiplier: number,
): TensorIndex {
  const { program } = layer;
  const window: Window = layer.node.attrs;
  const padded = padForWindow(program, layer.inputs[0]!, layer.inputShapes[0]!, window, 0);
  return program.emit(
    'DEPTHWISE_CONV_2D',
    [padded.tensor, weights, foldedBias(layer, channels)],
    batched(layer.outputShapes[0]!),
    {
      ...windowOptions(window),
      padding: paddings[padded.padding],
      depthMultiplier: multiplier,
      activation: fusedActivations[layer.activation],
    },
    Math.max(...window.dilations) > 1 ? 2 : 1,
  );
}

function windowOptions(window: Window): {
  readonly strideH: number;
  readonly strideW: number;
  readonly dilationH: number;
  readonly dilationW: number;
} {
  return {
    strideH: window.strides[0],
    strideW: window.strides[1],
    dilationH: window.dilations[0],
    dilationW: window.dilations[1],
  };
}

export const conv2dTranspose: Lower<'conv2dTranspose'> = (layer) => {
  const { node, program } = layer;
  const { filters, kernelSize, strides } = node.attrs;
  if (Math.max(...node.attrs.dilations) > 1) {
    throw unsupported(node.name, 'TFLite has no dilated transposed convolution');
  }
  const [kh, kw] = kernelSize;
  const inputChannels = layer.inputShapes[0]!.at(-1)!;
  const kernel = scaledKernel(layer, { channels: filters, inner: inputChannels });
  const weights = program.constant(
    'kernel',
    [filters, kh, kw, inputChannels],
    transposed(kernel, [kh, kw, filters, inputChannels], [2, 0, 1, 3]),
  );
  const region = transposedRegion(layer, kernelSize);
  const output = program.emit(
    'TRANSPOSE_CONV',
    [
      program.ints('shape', batched(region.shape)),
      weights,
      layer.inputs[0]!,
      foldedBias(layer, filters),
    ],
    batched(region.shape),
    { padding: paddings[region.padding], strideH: strides[0], strideW: strides[1] },
    3,
  );
  if (region.begin === null) return [output];
  const begin = program.ints('begin', [0, ...region.begin, 0]);
  const wanted = batched(layer.outputShapes[0]!);
  return [program.emit('SLICE', [output, begin, program.ints('size', wanted)], wanted, {})];
};

export const dense: Lower<'dense'> = (layer) => {
  const { node, program } = layer;
  const { units } = node.attrs;
  const inputs = layer.inputShapes[0]!.at(-1)!;
  const kernel = scaledKernel(layer, { channels: units, inner: 1 });
  const weights = program.constant(
    'kernel',
    [units, inputs],
    transposed(kernel, [inputs, units], [1, 0]),
  );
  const keepNumDims = layer.inputShapes[0]!.length > 1;
  const output = program.emit(
    'FULLY_CONNECTED',
    [layer.inputs[0]!, weights, foldedBias(layer, units)],
    batched(layer.outputShapes[0]!),
    { activation: fusedActivations[layer.activation], keepNumDims },
    keepNumDims ? 5 : 1,
  );
  return [output];
};
