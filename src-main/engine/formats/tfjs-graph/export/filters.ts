// Layers with filters: convolutions and dense. A batch norm that follows is in kernel and bias, and an activation is
// computed on the way: one operation in the place of three is what makes a graph model the faster kind.

import { dilatedSize, explicitPadding, type Window } from '../../../graph/ops/windows';
import type { Pair, Shape } from '../../../graph/types';
import { scaledKernel, transposedRegion } from '../../lowering';
import { fusedActivation } from './activation';
import { attr, type AttrValues, type Ref } from './graph-def';
import { reshapeTo } from './layout';
import type { Lower, Lowering } from './types';
import { onImage, padForWindow, padImage } from './window';

type FilterOp = 'conv2d' | 'depthwiseConv2d' | 'conv2dTranspose' | 'dense';

/** The bias after folding; null where there is none. */
function foldedBias<K extends FilterOp>({ weight, affine }: Lowering<K>): Float32Array | null {
  const stored = weight('bias')?.data;
  if (affine === null) return stored === undefined ? null : Float32Array.from(stored);
  return Float32Array.from(
    affine.shift,
    (shift, c) => (stored?.[c] ?? 0) * affine.scale[c]! + shift,
  );
}

/** Names of an operation alone and with what is fused into it. */
const fusedOps = {
  Conv2D: '_FusedConv2D',
  DepthwiseConv2dNative: 'FusedDepthwiseConv2dNative',
  MatMul: '_FusedMatMul',
} as const;

/** The operation, with bias and activation in it where there are any. Without a bias nothing can be fused. */
function emitFused<K extends FilterOp>(
  layer: Lowering<K>,
  op: keyof typeof fusedOps,
  operands: readonly [Ref, Ref],
  attrs: AttrValues,
  bias: Float32Array | null,
): Ref {
  const { builder, follower } = layer;
  if (bias === null && follower === null) return builder.emit(op, operands, attrs);
  const terms = bias ?? new Float32Array(layer.outputShapes[0]!.at(-1)!);
  const activation = follower && fusedActivation(builder, follower.node, follower.weight);
  const args = [builder.floats('bias', terms), ...(activation?.operands ?? [])];
  return builder.emit(fusedOps[op], [...operands, ...args], {
    ...attrs,
    fused_ops: attr.texts(['BiasAdd', ...(activation === null ? [] : [activation.name])]),
    num_args: attr.int(args.length),
    epsilon: attr.number(0),
    leakyrelu_alpha: attr.number(activation?.alpha ?? 0.2),
  });
}

function windowAttrs(strides: Pair, dilations: Pair, padding: 'SAME' | 'VALID'): AttrValues {
  return {
    strides: onImage(strides),
    dilations: onImage(dilations),
    padding: attr.text(padding),
    explicit_paddings: { list: {} },
    data_format: attr.text('NHWC'),
  };
}

const ones: Pair = [1, 1];

function hasStep(steps: Pair): boolean {
  return Math.max(...steps) > 1;
}

export const conv2d: Lower<'conv2d'> = (layer) => {
  const { node, builder } = layer;
  const { filters, kernelSize, groups } = node.attrs;
  const [kh, kw] = kernelSize;
  const perGroup = layer.inputShapes[0]!.at(-1)! / groups;
  const kernel = scaledKernel(layer, { channels: filters, inner: 1 });
  const bias = foldedBias(layer);
  // One input channel a group is a depthwise convolution, and its kernel lies as that of one.
  if (groups > 1 && perGroup === 1) {
    const shape = [kh, kw, groups, filters / groups];
    return [emitDepthwise(layer, builder.floats('kernel', kernel, shape), bias)];
  }
  if (groups === 1) {
    const weights = builder.floats('kernel', kernel, [kh, kw, perGroup, filters]);
    return [emitConv(layer, layer.inputs[0]!, weights, bias)];
  }
  return [emitGroups(layer, kernel, bias)];
};

/** TensorFlow.js has no groups: each is a convolution of its own. */
function emitGroups(
  layer: Lowering<'conv2d'>,
  kernel: Float32Array,
  bias: Float32Array | null,
): Ref {
  const { node, builder } = layer;
  const { filters, kernelSize, groups } = node.attrs;
  const [perGroup, width] = [layer.inputShapes[0]!.at(-1)! / groups, filters / groups];
  const parts = emitSplit(layer, layer.inputs[0]!, groups);
  const results = parts.map((part, group) => {
    const own = Float32Array.from(
      { length: kernel.length / groups },
      (_, i) => kernel[Math.floor(i / width) * filters + group * width + (i % width)]!,
    );
    const weights = builder.floats('kernel', own, [...kernelSize, perGroup, width]);
    return emitConv({ ...layer, follower: null }, part, weights, null);
  });
  const joined = builder.emit('ConcatV2', [...results, builder.ints('axis', [3], [])], {
    N: attr.int(groups),
    Tidx: attr.type('DT_INT32'),
  });
  return bias === null ? joined : builder.emit('BiasAdd', [joined, builder.floats('bias', bias)]);
}

function emitSplit({ builder }: Lowering<'conv2d'>, x: Ref, count: number): readonly Ref[] {
  const split = builder.emit('Split', [builder.ints('axis', [3], []), x], {
    num_split: attr.int(count),
  });
  return Array.from({ length: count }, (_, i) => (i === 0 ? split : `${split}:${i}`));
}

function emitConv(layer: Lowering<'conv2d'>, x: Ref, weights: Ref, bias: Float32Array | null): Ref {
  const { node, builder } = layer;
  const { strides, dilations } = node.attrs;
  const shape = layer.inputShapes[0]!;
  if (hasStep(strides) && hasStep(dilations)) {
    // TensorFlow.js does one or the other: all places are computed and every s-th is kept.
    const padding = explicitPadding([shape[0]!, shape[1]!], node.attrs);
    const padded = padImage(builder, x, padding, 0);
    const attrs = windowAttrs(ones, dilations, 'VALID');
    return keepEvery(layer, emitFused(layer, 'Conv2D', [padded, weights], attrs, bias), strides);
  }
  const { tensor, padding } = padForWindow(builder, x, shape, node.attrs, 0);
  const attrs = windowAttrs(strides, dilations, padding);
  return emitFused(layer, 'Conv2D', [tensor, weights], attrs, bias);
}

function keepEvery<K extends FilterOp>({ builder }: Lowering<K>, x: Ref, strides: Pair): Ref {
  const bounds = builder.ints('bounds', [0, 0, 0, 0]);
  return builder.emit(
    'StridedSlice',
    [x, bounds, bounds, builder.ints('steps', [1, ...strides, 1])],
    {
      Index: attr.type('DT_INT32'),
      begin_mask: attr.int(15),
      end_mask: attr.int(15),
      ellipsis_mask: attr.int(0),
      new_axis_mask: attr.int(0),
      shrink_axis_mask: attr.int(0),
    },
  );
}

export const depthwiseConv2d: Lower<'depthwiseConv2d'> = (layer) => {
  const { kernelSize, multiplier } = layer.node.attrs;
  const channels = layer.inputShapes[0]!.at(-1)!;
  const kernel = scaledKernel(layer, { channels: channels * multiplier, inner: 1 });
  const shape = [...kernelSize, channels, multiplier];
  return [emitDepthwise(layer, layer.builder.floats('kernel', kernel, shape), foldedBias(layer))];
};

function emitDepthwise<K extends 'conv2d' | 'depthwiseConv2d'>(
  layer: Lowering<K>,
  weights: Ref,
  bias: Float32Array | null,
): Ref {
  const { builder } = layer;
  const window: Window = layer.node.attrs;
  if (hasStep(window.dilations)) return emitDilatedDepthwise(layer, weights, bias);
  const shape = layer.inputShapes[0]!;
  const { tensor, padding } = padForWindow(builder, layer.inputs[0]!, shape, window, 0);
  const attrs = windowAttrs(window.strides, ones, padding);
  return emitFused(layer, 'DepthwiseConv2dNative', [tensor, weights], attrs, bias);
}

/**
 * Not every backend dilates depthwise filters. As TensorFlow does it: every d-th row and column is an image of its
 * own in a larger batch, whose rows and columns end alike.
 */
function emitDilatedDepthwise<K extends 'conv2d' | 'depthwiseConv2d'>(
  layer: Lowering<K>,
  weights: Ref,
  bias: Float32Array | null,
): Ref {
  const { builder } = layer;
  const window: Window = layer.node.attrs;
  const { dilations, strides } = window;
  const [height, width] = layer.inputShapes[0]! as readonly [number, number];
  const [rows, columns] = explicitPadding([height, width], window);
  const missing = (size: number, [before, after]: readonly [number, number], d: number): number =>
    (d - ((size + before + after) % d)) % d;
  const extra = [
    missing(height, rows, dilations[0]),
    missing(width, columns, dilations[1]),
  ] as const;
  const block = builder.ints('block_shape', dilations);
  const pads = [rows[0], rows[1] + extra[0], columns[0], columns[1] + extra[1]];
  const types = { Tblock_shape: attr.type('DT_INT32') };
  const apart = builder.emit(
    'SpaceToBatchND',
    [layer.inputs[0]!, block, builder.ints('paddings', pads, [2, 2])],
    { ...types, Tpaddings: attr.type('DT_INT32') },
  );
  const attrs = windowAttrs(ones, ones, 'VALID');
  const result = emitFused(layer, 'DepthwiseConv2dNative', [apart, weights], attrs, bias);
  const together = builder.emit(
    'BatchToSpaceND',
    [result, block, builder.ints('crops', [0, extra[0], 0, extra[1]], [2, 2])],
    { ...types, Tcrops: attr.type('DT_INT32') },
  );
  return hasStep(strides) ? keepEvery(layer, together, strides) : together;
}

export const conv2dTranspose: Lower<'conv2dTranspose'> = (layer) => {
  const { node, builder } = layer;
  const { filters, strides } = node.attrs;
  const inputChannels = layer.inputShapes[0]!.at(-1)!;
  const kernel = scaledKernel(layer, { channels: filters, inner: inputChannels });
  const { size, data } = spreadKernel(layer, kernel, inputChannels);
  const weights = builder.floats('kernel', data, [...size, filters, inputChannels]);
  const region = transposedRegion(layer, size);
  const x = layer.inputs[0]!;
  let y = builder.emit(
    'Conv2DBackpropInput',
    [batchedShape(layer, x, region.shape), weights, x],
    windowAttrs(strides, ones, region.padding),
  );
  if (region.begin !== null) {
    const begin = builder.ints('begin', [0, ...region.begin, 0]);
    const wanted = builder.ints('size', [-1, ...layer.outputShapes[0]!]);
    y = builder.emit('Slice', [y, begin, wanted], { Index: attr.type('DT_INT32') });
  }
  const bias = foldedBias(layer);
  return [bias === null ? y : builder.emit('BiasAdd', [y, builder.floats('bias', bias)])];
};

/** A dilated kernel as one with zeros between its taps. */
function spreadKernel(
  { node }: Lowering<'conv2dTranspose'>,
  kernel: Float32Array,
  inputChannels: number,
): { readonly size: Pair; readonly data: Float32Array } {
  const { kernelSize, dilations, filters } = node.attrs;
  if (!hasStep(dilations)) return { size: kernelSize, data: kernel };
  const size = kernelSize.map((taps, axis) => dilatedSize(taps, dilations[axis]!));
  const [height, width] = size as [number, number];
  const inner = filters * inputChannels;
  const data = new Float32Array(height * width * inner);
  for (let row = 0; row < kernelSize[0]; row++) {
    for (let column = 0; column < kernelSize[1]; column++) {
      const source = (row * kernelSize[1] + column) * inner;
      const target = (row * dilations[0] * width + column * dilations[1]) * inner;
      data.set(kernel.subarray(source, source + inner), target);
    }
  }
  return { size: [height, width], data };
}

/** [batch, ...shape], with the batch of a tensor. */
function batchedShape({ builder }: Lowering<'conv2dTranspose'>, like: Ref, shape: Shape): Ref {
  const index = attr.type('DT_INT32');
  const sizes = builder.emit('Shape', [like], { out_type: index });
  const [first, second, step] = [[0], [1], [1]].map((value) => builder.ints('stack', value));
  const batch = builder.emit('StridedSlice', [sizes, first!, second!, step!], {
    T: index,
    Index: index,
    begin_mask: attr.int(0),
    end_mask: attr.int(0),
    ellipsis_mask: attr.int(0),
    new_axis_mask: attr.int(0),
    shrink_axis_mask: attr.int(1),
  });
  const others = shape.map((size) => builder.ints('size', [size], []));
  return builder.emit('Pack', [batch, ...others], {
    T: index,
    N: attr.int(shape.length + 1),
    axis: attr.int(0),
  });
}

export const dense: Lower<'dense'> = (layer) => {
  const { node, builder } = layer;
  const { units } = node.attrs;
  const inputs = layer.inputShapes[0]!.at(-1)!;
  const kernel = scaledKernel(layer, { channels: units, inner: 1 });
  const weights = builder.floats('kernel', kernel, [inputs, units]);
  const isMatrix = layer.inputShapes[0]!.length === 1;
  const rows = isMatrix ? layer.inputs[0]! : reshapeTo(builder, layer.inputs[0]!, [inputs]);
  const attrs = { transpose_a: attr.flag(false), transpose_b: attr.flag(false) };
  const result = emitFused(layer, 'MatMul', [rows, weights], attrs, foldedBias(layer));
  return [isMatrix ? result : reshapeTo(builder, result, layer.outputShapes[0]!)];
};
