// Operators with filters: kernels go from TFLite's layouts to the graph's.

import { float32Weight } from '../../../../graph/initialise';
import type { ExplicitPadding, Padding, Pair, Shape, Weight } from '../../../../graph/types';
import { transposed } from '../../../transpose';
import { paddings } from '../../schema';
import type { Call, Raise } from '../call';
import type { Activation, Value } from '../values';

interface WindowOptions {
  readonly strideH: number;
  readonly strideW: number;
  readonly dilationH: number;
  readonly dilationW: number;
}

const windowOf = (
  { strideH, strideW, dilationH, dilationW }: WindowOptions,
  kernelSize: Pair,
  padding: Padding,
) => ({
  kernelSize,
  padding,
  strides: [strideH, strideW] as const,
  dilations: [dilationH, dilationW] as const,
});

/** SAME or VALID. */
export function namedPadding(call: Call, code: number): 'same' | 'valid' {
  if (code === paddings.SAME) return 'same';
  if (code === paddings.VALID) return 'valid';
  throw call.corrupt(`it has the padding ${code}`);
}

/** A stored kernel of four axes. */
function kernelOf(
  call: Call,
  index: number,
): { readonly shape: readonly [number, number, number, number]; readonly data: Float32Array } {
  const { shape, data } = call.floats(index);
  if (shape.length !== 4) throw call.corrupt(`its kernel has ${shape.length} axes`);
  return { shape: shape as unknown as readonly [number, number, number, number], data };
}

/** Kernel and bias as the graph's weights; an operator without bias gets none. */
function weights(
  call: Call,
  kernel: Weight,
  bias: number,
  filters: number,
): { readonly weights: { readonly kernel: Weight; readonly bias: Weight | null } } {
  return { weights: { kernel, bias: call.vector(bias, filters) ?? null } };
}

type Window = ReturnType<typeof windowOf>;

/**
 * A convolution by its window: made at once, or, between the operators that spread an image over the batch and gather it
 * again, once these have told the dilation.
 */
function convolved(
  call: Call<'CONV_2D' | 'DEPTHWISE_CONV_2D'>,
  kernelSize: Pair,
  make: (window: Window) => Activation,
): Value {
  const { options } = call;
  const window = windowOf(options, kernelSize, namedPadding(call, options.padding));
  const apply = (of: Window): Activation => call.fused(make(of), options.activation);
  const input = call.input(0);
  if (input.kind !== 'spread') return apply(window);
  const isPlain = [...window.strides, ...window.dilations].every((step) => step === 1);
  if (!isPlain || window.padding !== 'valid' || input.convolution !== null) {
    throw call.unsupported('it has a stride or padding on an image spread over the batch');
  }
  return {
    ...input,
    convolution: (dilations, padding) => apply({ ...window, dilations, padding }),
  };
}

/** The image that a convolution reads, also where it is spread over the batch. */
function sourceImage(call: Call): ReturnType<Call['image']> {
  const input = call.input(0);
  return input.kind === 'spread' ? call.imageOf(input.source) : call.image(0);
}

export const conv2d: Raise<'CONV_2D'> = (call) => {
  const { value, shape } = sourceImage(call);
  const kernel = kernelOf(call, 1);
  const [filters, height, width, perGroup] = kernel.shape;
  if (perGroup < 1 || shape[2] % perGroup !== 0) {
    throw call.corrupt(`its filters read ${perGroup} of ${shape[2]} channels`);
  }
  const data = transposed(kernel.data, kernel.shape, [1, 2, 3, 0]);
  const stored = float32Weight([height, width, perGroup, filters], data);
  const own = weights(call, stored, 2, filters);
  const groups = shape[2] / perGroup;
  return [
    convolved(call, [height, width], (window) =>
      call.add('conv2d', [value], { ...window, filters, groups }, own),
    ),
  ];
};

export const depthwiseConv2d: Raise<'DEPTHWISE_CONV_2D'> = (call) => {
  const { value, shape } = sourceImage(call);
  const kernel = kernelOf(call, 1);
  const [one, height, width, filters] = kernel.shape;
  const multiplier = filters / shape[2];
  if (one !== 1 || !Number.isInteger(multiplier) || multiplier < 1) {
    throw call.corrupt(
      `a kernel of [${kernel.shape.join(', ')}] does not fit ${shape[2]} channels`,
    );
  }
  // [1, kh, kw, in * multiplier] is [kh, kw, in, multiplier] as it lies.
  const stored = float32Weight([height, width, shape[2], multiplier], kernel.data);
  const own = weights(call, stored, 2, filters);
  return [
    convolved(call, [height, width], (window) =>
      call.add('depthwiseConv2d', [value], { ...window, multiplier }, own),
    ),
  ];
};

/** Two pairs of amounts, for height and width. */
function amountsOf(call: Call, index: number): ExplicitPadding {
  const [top, bottom, left, right, ...others] = call.ints(index);
  if (right === undefined || others.length > 0) throw call.unsupported('it is not about an image');
  return [
    [top!, bottom!],
    [left!, right],
  ];
}

export const spaceToBatch: Raise<'SPACE_TO_BATCH_ND'> = (call) => {
  const { value } = call.image(0);
  const [rows, columns, ...others] = call.ints(1);
  if (rows === undefined || columns === undefined || others.length > 0) {
    throw call.unsupported('it is not about an image');
  }
  const paddings = amountsOf(call, 2);
  return [{ kind: 'spread', source: value, block: [rows, columns], paddings, convolution: null }];
};

export const batchToSpace: Raise<'BATCH_TO_SPACE_ND'> = (call) => {
  const spread = call.input(0);
  if (spread.kind !== 'spread' || spread.convolution === null) {
    throw call.unsupported('it gathers what no convolution made of a spread image');
  }
  if (spread.block.join() !== call.ints(1).join()) throw call.corrupt('it gathers other blocks');
  const crops = amountsOf(call, 2);
  // With a stride of 1, taking positions away is padding less.
  const along = (axis: 0 | 1): readonly [number, number] => [
    spread.paddings[axis][0] - crops[axis][0],
    spread.paddings[axis][1] - crops[axis][1],
  ];
  return [spread.convolution(spread.block, [along(0), along(1)])];
};

export const transposeConv: Raise<'TRANSPOSE_CONV'> = (call) => {
  const { value, shape } = call.image(2);
  const kernel = kernelOf(call, 1);
  const [filters, height, width, channels] = kernel.shape;
  const wanted = call.ints(0);
  if (wanted.length !== 4 || channels !== shape[2]) {
    throw call.corrupt(
      `a kernel of [${kernel.shape.join(', ')}] does not fit ${shape[2]} channels`,
    );
  }
  const { strideH, strideW } = call.options;
  const attrs = {
    ...windowOf({ strideH, strideW, dilationH: 1, dilationW: 1 }, [height, width], 'valid'),
    ...transposedWindow(call, shape, [height, width], [wanted[1]!, wanted[2]!]),
    filters,
  };
  const data = transposed(kernel.data, kernel.shape, [1, 2, 0, 3]);
  const stored = float32Weight([height, width, filters, channels], data);
  const output = call.add('conv2dTranspose', [value], attrs, weights(call, stored, 3, filters));
  return [call.fused(output, call.options.activation)];
};

/**
 * Padding of a transposed convolution whose output size the file states: TFLite takes away, in front and behind, what
 * the convolution that goes the other way pads (tensorflow/lite/kernels/padding.h), and what is missing stays empty.
 */
function transposedWindow(
  call: Call<'TRANSPOSE_CONV'>,
  input: Shape,
  kernel: Pair,
  output: Pair,
): { readonly padding: Padding; readonly outputPadding: Pair | null } {
  const strides: Pair = [call.options.strideH, call.options.strideW];
  const name = namedPadding(call, call.options.padding);
  const along = (
    axis: 0 | 1,
  ): { readonly cut: readonly [number, number]; readonly extra: number } => {
    const full = (input[axis]! - 1) * strides[axis] + kernel[axis];
    const surplus = full - output[axis];
    const before = name === 'same' ? Math.max(Math.floor(surplus / 2), 0) : 0;
    const after = Math.max(surplus - before, 0);
    return { cut: [before, after], extra: Math.max(-surplus, 0) };
  };
  const [rows, columns] = [along(0), along(1)];
  const isPlain = ([0, 1] as const).every((axis) => {
    const size = input[axis]! * strides[axis];
    const valid = size + Math.max(kernel[axis] - strides[axis], 0);
    return output[axis] === (name === 'same' ? size : valid);
  });
  if (isPlain) return { padding: name, outputPadding: null };
  return {
    padding: [rows.cut, columns.cut],
    outputPadding: rows.extra + columns.extra === 0 ? null : [rows.extra, columns.extra],
  };
}

export const fullyConnected: Raise<'FULLY_CONNECTED'> = (call) => {
  const kernel = call.floats(1);
  const [units, inputs] = kernel.shape as readonly [number, number];
  if (kernel.shape.length !== 2 || inputs < 1) {
    throw call.corrupt(`its kernel has the shape [${kernel.shape.join(', ')}]`);
  }
  if (call.options.weightsFormat !== 0) throw call.unsupported('its kernel is shuffled');
  const given = call.tensor(0);
  const shape = call.shapeOf(given);
  const rows = shape.reduce((product, size) => product * size, 1) / inputs;
  if (!Number.isInteger(rows)) {
    throw call.corrupt(`rows of ${inputs} numbers do not fit [${shape.join(', ')}]`);
  }
  const keepsAxes = call.options.keepNumDims && shape.at(-1) === inputs;
  const input = keepsAxes ? given : call.reshaped(given, [rows, inputs]);
  const data = transposed(kernel.data, kernel.shape, [1, 0]);
  const output = call.add(
    'dense',
    [input],
    { units },
    weights(call, float32Weight([inputs, units], data), 2, units),
  );
  return [call.fused(output, call.options.activation)];
};
