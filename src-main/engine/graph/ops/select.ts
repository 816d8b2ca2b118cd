// Taking a part of a tensor, or putting a border around it: slice, gather, pad, crop.
import type { Shape } from '../types';
import { inputAt, inputOfRank, requireIntegers, shapeError } from './check';
import { lastAxisLabels, passLastAxis, readStrided, stridesOf, trimLabels } from './labels';
import type { OpDef } from './types';

/** How many of the kept positions (ascending) lie below a limit: the limit's place after the cut. */
function countBelow(kept: Int32Array, limit: number): number {
  let low = 0;
  let high = kept.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (kept[middle]! < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The common difference of ascending places, or null when they are not evenly spaced. */
function evenStep(places: readonly number[]): number | null {
  if (places.length < 2) return 1;
  const step = places[1]! - places[0]!;
  return places.every((place, i) => place === places[0]! + i * step) ? step : null;
}

/** Whether a slice takes an axis as it is. */
function takesWhole(begin: number, end: number, stride: number, size: number): boolean {
  return begin === 0 && end === size && stride === 1;
}

export const slice: OpDef<'slice'> = {
  summary: 'A part of a tensor, with a step along each axis',
  inputs: { min: 1, max: 1 },
  weightShapes: () => ({}),
  infer(node, inputs) {
    const input = inputAt(node, inputs, 0);
    const { begin, end, strides } = node.attrs;
    if ([begin, end, strides].some((list) => list.length !== input.length)) {
      throw shapeError(node, inputs, 'begin, end and strides must have one entry an axis');
    }
    requireIntegers(node, inputs, 'begin', begin, 0);
    requireIntegers(node, inputs, 'strides', strides);
    if (!input.every((size, i) => begin[i]! < end[i]! && end[i]! <= size)) {
      throw shapeError(
        node,
        inputs,
        `the range from ${begin.join(', ')} to ${end.join(', ')} is empty or outside the input`,
      );
    }
    return [input.map((_, i) => Math.ceil((end[i]! - begin[i]!) / strides[i]!))];
  },
  channels(context) {
    const { begin, end, strides } = context.node.attrs;
    const input = context.inputShapes[0]!;
    const labels = trimLabels(context.in(0));
    const rank = labels.shape.length;
    const offset = input.length - rank;
    const last = input.length - 1;
    const othersWhole = input.every(
      (size, i) => i === last || takesWhole(begin[i]!, end[i]!, strides[i]!, size),
    );
    // After a cut, a contiguous range stays one; evenly spaced channels do not, and then only a gather, which
    // sees the last axis alone, can take the slice's place.
    const strided = strides.findIndex((stride, i) => i >= offset && stride > 1);
    if (strided >= 0 && !(strided === last && othersWhole)) {
      context.freeze(labels.ids, 'OP_WITHOUT_RULE');
    }
    const block = context.outputShapes[0]!.slice(offset);
    const steps = stridesOf(labels.shape);
    const start = steps.reduce((sum, step, i) => sum + step * begin[offset + i]!, 0);
    const strideSteps = steps.map((step, i) => step * strides[offset + i]!);
    context.out(0, { shape: block, ids: readStrided(labels.ids, block, strideSteps, start) });
  },
  recut(node, cut) {
    const { begin, end, strides } = node.attrs;
    const last = begin.length - 1;
    const newBegin = begin.map((value, axis) => countBelow(cut.keptInAxis(0, axis), value));
    const newEnd = end.map((value, axis) => countBelow(cut.keptInAxis(0, axis), value));
    if (strides[last]! <= 1) {
      return { op: 'slice', attrs: { begin: newBegin, end: newEnd, strides } };
    }
    const keptIn = cut.keptIn(0);
    const places = Array.from(cut.keptOut(0), (position) =>
      countBelow(keptIn, begin[last]! + position * strides[last]!),
    );
    const step = evenStep(places);
    if (step === null) return { op: 'gather', attrs: { indices: places } };
    newBegin[last] = places[0]!;
    newEnd[last] = places.at(-1)! + 1;
    const newStrides = strides.map((stride, axis) => (axis === last ? step : stride));
    return { op: 'slice', attrs: { begin: newBegin, end: newEnd, strides: newStrides } };
  },
};

export const gather: OpDef<'gather'> = {
  summary: 'Picks channels by index',
  inputs: { min: 1, max: 1 },
  weightShapes: () => ({}),
  infer(node, inputs) {
    const input = inputAt(node, inputs, 0);
    const { indices } = node.attrs;
    const channels = input.at(-1) ?? 0;
    requireIntegers(node, inputs, 'indices', indices, 0);
    if (indices.length === 0 || indices.some((index) => index >= channels)) {
      throw shapeError(node, inputs, `indices must name channels from 0 to ${channels - 1}`);
    }
    return [[...input.slice(0, -1), indices.length]];
  },
  channels(context) {
    const ids = context.lastAxis(0);
    const picked = context.node.attrs.indices.map((index) => ids[index]!);
    context.out(0, lastAxisLabels(Int32Array.from(picked)));
  },
  recut(node, cut) {
    const keptIn = cut.keptIn(0);
    const indices = Array.from(cut.keptOut(0), (position) =>
      countBelow(keptIn, node.attrs.indices[position]!),
    );
    return { op: 'gather', attrs: { indices } };
  },
};

export const pad: OpDef<'pad'> = {
  summary: 'A border of a constant or of mirrored values',
  inputs: { min: 1, max: 1 },
  weightShapes: () => ({}),
  infer(node, inputs) {
    const input = inputAt(node, inputs, 0);
    const { paddings, mode, value } = node.attrs;
    if (paddings.length !== input.length) {
      throw shapeError(node, inputs, 'paddings must have one entry an axis');
    }
    requireIntegers(node, inputs, 'paddings', paddings.flat(), 0);
    if (!Number.isFinite(value)) throw shapeError(node, inputs, 'the value must be finite');
    const mirrored = mode === 'constant' ? Infinity : mode === 'reflect' ? -1 : 0;
    if (!input.every((size, i) => Math.max(...paddings[i]!) <= size + mirrored)) {
      throw shapeError(node, inputs, `'${mode}' cannot pad more than the input has`);
    }
    return [input.map((size, i) => size + paddings[i]![0] + paddings[i]![1])];
  },
  channels(context) {
    const { paddings, mode } = context.node.attrs;
    const ids = context.lastAxis(0);
    const [before, after] = paddings.at(-1) ?? [0, 0];
    const border = context.fresh(before + after);
    if (mode !== 'constant' && border.length > 0) {
      context.freeze(ids, 'OP_WITHOUT_RULE');
      context.freeze(border, 'OP_WITHOUT_RULE');
    }
    const output = new Int32Array(before + ids.length + after);
    output.set(border.subarray(0, before));
    output.set(ids, before);
    output.set(border.subarray(before), before + ids.length);
    context.out(0, lastAxisLabels(output));
  },
  recut(node, cut) {
    const last = node.attrs.paddings.length - 1;
    const keptOut = cut.keptOut(0);
    const before = countBelow(keptOut, node.attrs.paddings[last]![0]);
    // What is kept is border, then all that is kept of the input, then border.
    const after = keptOut.length - before - cut.keptIn(0).length;
    const paddings = node.attrs.paddings.map((pair, axis) =>
      axis === last ? ([before, after] as const) : pair,
    );
    return { op: 'pad', attrs: { ...node.attrs, paddings } };
  },
};

export const crop: OpDef<'crop'> = {
  summary: 'Cuts rows and columns off an image',
  inputs: { min: 1, max: 1 },
  weightShapes: () => ({}),
  infer(node, inputs) {
    const [height, width, channels] = inputOfRank(node, inputs, 0, 3) as readonly [
      number,
      number,
      number,
    ];
    const [[top, bottom], [left, right]] = node.attrs.amounts;
    requireIntegers(node, inputs, 'amounts', [top, bottom, left, right], 0);
    const output: Shape = [height - top - bottom, width - left - right, channels];
    if (output.some((size) => size < 1)) throw shapeError(node, inputs, 'the crop leaves nothing');
    return [output];
  },
  channels: (context) => passLastAxis(context),
};
