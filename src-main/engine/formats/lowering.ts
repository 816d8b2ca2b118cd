// What the writers of TFLite files and of TensorFlow.js graph models share: both turn each layer into operations of
// TensorFlow, with the batch in front and batch norms folded into the filters before them.

import { AppError } from '../errors';
import type { Node, NodeOf, Pair, Shape } from '../graph/types';
import type { ChannelLayout } from '../quantize/filters';
import type { ChannelAffine } from './fusion';

/** An axis of the sample, possibly counted from the end, as an axis of the batched tensor. */
export function batchedAxis(axis: number, shape: Shape): number {
  return (axis < 0 ? axis + shape.length : axis) + 1;
}

/** The numbers of a weight that must be there and float32. @throws AppError GRAPH_INVALID */
export function floatsOf(node: Node, data: unknown): Float32Array {
  if (data instanceof Float32Array) return data;
  throw new AppError(
    'GRAPH_INVALID',
    `Layer "${node.name}" has no float32 weights.`,
    'Import the model again.',
    { details: { layer: node.name } },
  );
}

/** A layer with filters, and what a batch norm behind it makes of their output channels. */
interface FilterLayer {
  floats(role: 'kernel'): Float32Array;
  readonly affine: ChannelAffine | null;
}

/** The kernel with each output channel scaled; `layout` says where these lie. */
export function scaledKernel(layer: FilterLayer, { channels, inner }: ChannelLayout): Float32Array {
  const { affine } = layer;
  const kernel = layer.floats('kernel');
  if (affine === null) return kernel;
  const scaled = new Float32Array(kernel.length);
  for (let start = 0, block = 0; start < kernel.length; start += inner, block++) {
    const scale = affine.scale[block % channels]!;
    for (let i = start; i < start + inner; i++) scaled[i] = kernel[i]! * scale;
  }
  return scaled;
}

interface TransposedLayer {
  readonly node: NodeOf<'conv2dTranspose'>;
  readonly inputShapes: readonly Shape[];
  readonly outputShapes: readonly Shape[];
}

/** What a transposed convolution computes, and which part of it is the layer's output: null for all of it. */
export interface TransposedRegion {
  readonly shape: Shape;
  readonly padding: 'SAME' | 'VALID';
  readonly begin: Pair | null;
}

/**
 * TensorFlow transposes convolutions of the paddings SAME and VALID; with explicit or output padding, the layer is a part
 * of the full result.
 * @param kernelSize with its dilation
 */
export function transposedRegion(layer: TransposedLayer, kernelSize: Pair): TransposedRegion {
  const { padding, outputPadding, strides } = layer.node.attrs;
  const input = layer.inputShapes[0]!;
  const output = layer.outputShapes[0]!;
  if (typeof padding === 'string' && outputPadding === null) {
    return { shape: output, padding: padding === 'same' ? 'SAME' : 'VALID', begin: null };
  }
  const along = (axis: 0 | 1): { readonly full: number; readonly begin: number } => {
    const full = (input[axis]! - 1) * strides[axis] + kernelSize[axis];
    if (padding === 'valid') return { full, begin: 0 };
    // As the convolution that would make the input of the output pads it.
    const same = Math.max(full - output[axis]!, 0) >> 1;
    return { full, begin: padding === 'same' ? same : padding[axis][0] };
  };
  const [rows, columns] = [along(0), along(1)];
  // Output padding may reach beyond the full result, where there is nothing but the bias.
  const shape = [
    Math.max(rows.full, rows.begin + output[0]!),
    Math.max(columns.full, columns.begin + output[1]!),
    output[2]!,
  ];
  return { shape, padding: 'VALID', begin: [rows.begin, columns.begin] };
}
