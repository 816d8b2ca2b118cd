// Operators that move values: other shapes, joining, taking parts, padding, other sizes; and softmax and matrix products.

import type { OpAttrs, Pair } from '../../../../graph/types';
import { mirrorModes } from '../../schema';
import { resolvedShape, slicedAxes } from '../constants';
import type { Call, Raise } from '../call';
import type { Activation, Value } from '../values';

export const reshape: Raise<'RESHAPE'> = (call) => {
  const x = call.tensor(0);
  const stated = call.inputs[1] ? call.ints(1) : call.options.newShape;
  return [call.reshaped(x, resolvedShape(call, stated, call.shapeOf(x)))];
};

/** Other axes of the size 1, as the file states them. */
export const withUnitAxes = (call: Call): readonly Value[] => {
  const x = call.tensor(0);
  return [call.reshaped(x, call.outputShapes[0] ?? [])];
};

export const concatenation: Raise<'CONCATENATION'> = (call) => {
  const first = call.inputs.find((value) => value?.kind === 'activation') ?? undefined;
  const parts = call.inputs.map((_, i) => call.asTensor(call.input(i), first));
  const axis = call.axis(parts[0]!, call.options.axis);
  const joined = parts.length === 1 ? parts[0]! : call.add('concat', parts, { axis });
  return [call.fused(joined, call.options.activation)];
};

function splitInto(
  call: Call,
  x: Activation,
  axis: number,
  sizes: readonly number[],
): readonly Value[] {
  if (sizes.length === 1) return [x];
  const tensors = call.builder.applyAll('split', [x.tensor], { axis, sizes }, { name: call.name });
  return tensors.map((tensor) => ({ kind: 'activation', tensor, batched: x.batched }));
}

export const split: Raise<'SPLIT'> = (call) => {
  const x = call.tensor(1);
  const axis = call.axis(x, call.ints(0)[0] ?? 0);
  const { numSplits } = call.options;
  const size = call.builder.shapeOf(x.tensor)[axis]! / numSplits;
  if (!Number.isInteger(size) || size < 1) throw call.corrupt(`it makes ${numSplits} parts`);
  return splitInto(call, x, axis, new Array<number>(numSplits).fill(size));
};

export const splitV: Raise<'SPLIT_V'> = (call) => {
  const x = call.tensor(0);
  const axis = call.axis(x, call.ints(2)[0] ?? 0);
  const sizes = call.ints(1);
  // One of the sizes may be -1: the rest.
  const known = sizes.reduce((sum, size) => sum + Math.max(size, 0), 0);
  const rest = call.builder.shapeOf(x.tensor)[axis]! - known;
  return splitInto(
    call,
    x,
    axis,
    sizes.map((size) => (size === -1 ? rest : size)),
  );
};

/** One entry an axis of the sample. */
function ofSample<T>(x: Activation, values: readonly T[]): readonly T[] {
  return x.batched ? values.slice(1) : values;
}

function takeSlice(
  call: Call,
  x: Activation,
  axes: readonly { readonly begin: number; readonly end: number; readonly stride: number }[],
): Activation {
  const shape = call.shapeOf(x);
  const [batch] = axes;
  if (x.batched && (batch!.begin !== 0 || batch!.end !== 1)) {
    throw call.unsupported('it takes a part of the batch');
  }
  const isWhole = axes.every(
    ({ begin, end, stride }, i) => begin === 0 && end === shape[i] && stride === 1,
  );
  if (isWhole) return x;
  const own = ofSample(x, axes);
  return call.add('slice', [x], {
    begin: own.map(({ begin }) => begin),
    end: own.map(({ end }) => end),
    strides: own.map(({ stride }) => stride),
  });
}

export const slice: Raise<'SLICE'> = (call) => {
  const x = call.tensor(0);
  const [begins, sizes] = [call.ints(1), call.ints(2)];
  const axes = call.shapeOf(x).map((size, axis) => {
    const begin = begins[axis] ?? 0;
    const wanted = sizes[axis] ?? -1;
    return { begin, end: wanted === -1 ? size : begin + wanted, stride: 1 };
  });
  return [takeSlice(call, x, axes)];
};

export const stridedSlice: Raise<'STRIDED_SLICE'> = (call) => {
  const x = call.tensor(0);
  const lists = [call.ints(1), call.ints(2), call.ints(3)] as const;
  const { axes, shape } = slicedAxes(call, call.shapeOf(x), lists);
  return [call.reshaped(takeSlice(call, x, axes), shape)];
};

export const gather: Raise<'GATHER'> = (call) => {
  const x = call.tensor(0);
  const axis = call.axis(x, call.options.axis);
  const { shape } = call.constant(1);
  const rank = call.builder.shapeOf(x.tensor).length;
  if (axis !== rank - 1 || shape.length > 1 || call.options.batchDims !== 0) {
    throw call.unsupported('it gathers along another axis than the last');
  }
  const picked = call.add('gather', [x], { indices: call.ints(1) });
  // A single index takes its axis away.
  return [shape.length === 0 ? call.reshaped(picked, call.shapeOf(picked).slice(0, -1)) : picked];
};

export const pack: Raise<'PACK'> = (call) => {
  const parts = call.inputs.map((_, i) => call.tensor(i));
  const shape = call.shapeOf(parts[0]!);
  const { axis: stated } = call.options;
  const axis = stated < 0 ? stated + shape.length + 1 : stated;
  const wider = [...shape.slice(0, axis), 1, ...shape.slice(axis)];
  const reshaped = parts.map((part) => call.reshaped(part, wider));
  return [call.add('concat', reshaped, { axis: call.axis(reshaped[0]!, axis) })];
};

export const unpack: Raise<'UNPACK'> = (call) => {
  const x = call.tensor(0);
  const shape = call.shapeOf(x);
  const { axis: stated, num } = call.options;
  const axis = call.axis(x, stated);
  const parts = splitInto(
    call,
    x,
    axis,
    new Array<number>(Math.min(num, shape[axis + 1] ?? 0)).fill(1),
  );
  const place = stated < 0 ? stated + shape.length : stated;
  const narrower = shape.filter((_, i) => i !== place);
  return parts.map((part) => call.reshaped(part as Activation, narrower));
};

/** Pairs of amounts, one an axis of the program's tensor. */
function paddingsOf(call: Call, x: Activation): readonly (readonly [number, number])[] {
  const amounts = call.ints(1);
  const pairs = call
    .shapeOf(x)
    .map((_, axis) => [amounts[2 * axis] ?? 0, amounts[2 * axis + 1] ?? 0] as const);
  if (pairs.flat().some((amount) => amount < 0)) throw call.corrupt('it pads a negative amount');
  if (x.batched && Math.max(...pairs[0]!) > 0) throw call.unsupported('it pads the batch');
  return ofSample(x, pairs);
}

function padded(call: Call, mode: OpAttrs['pad']['mode'], value: number): readonly Value[] {
  const x = call.tensor(0);
  const paddings = paddingsOf(call, x);
  if (paddings.flat().every((amount) => amount === 0)) return [x];
  return [call.add('pad', [x], { paddings, mode, value })];
}

export const pad: Raise<'PAD'> = (call) => padded(call, 'constant', 0);

export const padV2: Raise<'PADV2'> = (call) => {
  const value = call.floats(2).data[0];
  if (value === undefined || !Number.isFinite(value)) throw call.corrupt('it pads with no number');
  return padded(call, 'constant', value);
};

export const mirrorPad: Raise<'MIRROR_PAD'> = (call) => {
  const { mode } = call.options;
  return padded(call, mode === mirrorModes.symmetric ? 'symmetric' : 'reflect', 0);
};

export const transpose: Raise<'TRANSPOSE'> = (call) => {
  const x = call.tensor(0);
  const perm = call.ints(1);
  const rank = call.shapeOf(x).length;
  if (perm.length !== rank || [...perm].sort((a, b) => a - b).some((axis, i) => axis !== i)) {
    throw call.corrupt(`[${perm.join(', ')}] is no order of ${rank} axes`);
  }
  if (!x.batched) return [call.add('permute', [x], { perm })];
  if (perm[0] !== 0) return [transposedBatch(call, x, perm)];
  return [call.add('permute', [x], { perm: perm.slice(1).map((axis) => axis - 1) })];
};

/** A batch of one may go anywhere: what remains is the order of the other axes. */
function transposedBatch(call: Call, x: Activation, perm: readonly number[]): Activation {
  const others = perm.filter((axis) => axis !== 0).map((axis) => axis - 1);
  const ordered = call.add('permute', [x], { perm: others });
  const shape = call.shapeOf(x);
  return call.reshaped(
    ordered,
    perm.map((axis) => shape[axis]!),
  );
}

export const softmax: Raise<'SOFTMAX'> = (call) => {
  const x = call.tensor(0);
  const { beta } = call.options;
  const scaled =
    beta === 1
      ? x
      : call.add('rescale', [x], { scale: [beta], offset: [0] }, { name: `${call.name}_beta` });
  return [call.add('softmax', [scaled], { axis: -1 })];
};

const resize =
  <N extends 'RESIZE_BILINEAR' | 'RESIZE_NEAREST_NEIGHBOR'>(
    mode: OpAttrs['resize']['mode'],
  ): Raise<N> =>
  (call) => {
    const { value } = call.image(0);
    const size = call.ints(1);
    if (size.length !== 2) throw call.corrupt(`it has ${size.length} sizes`);
    const { alignCorners, halfPixel } = call.options as Call<'RESIZE_BILINEAR'>['options'];
    const attrs = { size: size as unknown as Pair, mode, alignCorners, halfPixel };
    return [call.add('resize', [value], attrs)];
  };

export const resizeBilinear: Raise<'RESIZE_BILINEAR'> = resize('bilinear');
export const resizeNearest: Raise<'RESIZE_NEAREST_NEIGHBOR'> = resize('nearest');

export const depthToSpace: Raise<'DEPTH_TO_SPACE'> = (call) => [
  call.add('depthToSpace', [call.image(0).value], { block: call.options.blockSize, order: 'dcr' }),
];

export const spaceToDepth: Raise<'SPACE_TO_DEPTH'> = (call) => [
  call.add('spaceToDepth', [call.image(0).value], { block: call.options.blockSize }),
];

export const batchMatmul: Raise<'BATCH_MATMUL'> = (call) => {
  const { adjX: transposeA, adjY: transposeB } = call.options;
  return [call.add('matmul', [call.tensor(0), call.tensor(1)], { transposeA, transposeB })];
};
