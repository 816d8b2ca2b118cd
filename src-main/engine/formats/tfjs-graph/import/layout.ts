// Operations that move values: other shapes and orders, joining, taking parts, borders, other sizes.

import { sizeOf } from '../../../graph/ops/check';
import type { Shape, TensorId } from '../../../graph/types';
import type { Call, Importer } from './session';
import { sliceSpec, type SliceSpec } from './slice-spec';
import { activation, ints, type Activation, type Value } from './values';

/** The same values in another shape of the sample; nothing is added where it is the same. */
function reshaped(call: Call, tensor: TensorId, shape: Shape): Activation {
  const from = call.shapeOf(tensor);
  if (from.join() === shape.join()) return activation(tensor);
  if (shape.length === 1 && from.length > 1) return activation(call.add('flatten', [tensor], {}));
  return activation(call.add('reshape', [tensor], { shape }));
}

/** Whether a size stands for the samples of a batch. */
function isBatch({ session }: Call, size: number | undefined): boolean {
  return Number.isNaN(size) || size === -1 || size === session.batch || size === 1;
}

export const reshape: Importer = (call) => {
  const x = call.activation(0);
  const [batch, ...rest] = call.ints(1, 'shape');
  const sample = call.shapeOf(x.tensor);
  const size = sizeOf(sample);
  const known = rest.filter((n) => n !== -1).reduce((a, b) => a * b, 1);
  const shape = rest.map((n) => (n === -1 ? size / known : n));
  if (batch !== undefined && sizeOf(shape) === size && shape.every(Number.isInteger)) {
    // Rows of a matrix product that are put back as they were.
    if (x.layout === 'rows' && shape.at(-1) === sample.at(-1)) {
      return reshaped(call, x.tensor, shape);
    }
    if (isBatch(call, batch)) return reshaped(call, call.plain(x), shape);
  }
  const [columns, ...others] = rest;
  const isMatrix = others.length === 0 && columns === sample.at(-1) && sample.length > 1;
  if (isMatrix && x.layout !== 'rows') return activation(call.plain(x), 'rows');
  throw call.unsupported(
    `its shape [${[batch, ...rest].map((n) => (Number.isNaN(n) ? 'batch' : n)).join(', ')}] moves values ` +
      'between the samples of a batch',
  );
};

export const expandDims: Importer = (call) => {
  const x = call.activation(0);
  const tensor = call.plain(x);
  const shape = call.shapeOf(tensor);
  const axis = call.axis(call.int(1, 'axis'), shape.length + 2);
  if (axis === 0) throw call.unsupported('it puts an axis before the samples of a batch');
  return reshaped(call, tensor, [...shape.slice(0, axis - 1), 1, ...shape.slice(axis - 1)]);
};

export const squeeze: Importer = (call) => {
  const x = call.activation(0);
  const tensor = call.plain(x);
  const shape = call.shapeOf(tensor);
  const axes = call.attrs.ints('squeeze_dims').map((axis) => call.sampleAxis(axis, shape.length));
  const gone = (axis: number): boolean =>
    axes.length === 0 ? shape[axis] === 1 : axes.includes(axis);
  if (axes.some((axis) => shape[axis] !== 1)) throw call.corrupt('an axis is not of size 1');
  return reshaped(
    call,
    tensor,
    shape.filter((_, axis) => !gone(axis)),
  );
};

export const transpose: Importer = (call) => {
  const x = call.activation(0);
  const order = call.ints(1, 'order of axes');
  const rank = call.shapeInFile(x).length - 1;
  const sorted = [...order].sort((a, b) => a - b);
  if (order.length !== rank + 1 || sorted.some((axis, i) => axis !== i)) {
    throw call.corrupt('it does not order the axes of its input');
  }
  const perm = order.slice(1).map((axis) => axis - 1);
  if (order[0] !== 0) throw call.unsupported('it exchanges samples of a batch with other axes');
  if (perm.every((axis, i) => axis === i)) return x;
  const towardsLast = perm.every((axis, i) => axis === (i + 1) % rank);
  const towardsFirst = perm.every((axis, i) => axis === (i + rank - 1) % rank);
  if (x.layout === 'channelsFirst' && towardsLast) return activation(x.tensor);
  // An image with its channels first is one that most operations do not want so: it is turned where one does.
  if (x.layout === 'plain' && rank === 3 && towardsFirst) {
    return activation(x.tensor, 'channelsFirst');
  }
  return activation(call.add('permute', [call.plain(x)], { perm }));
};

export const shape: Importer = (call) => ints(call.node.name, call.shapeInFile(call.activation(0)));

/** Constants among the joined become stored tensors of the sample. */
function joined(call: Call, values: readonly Value[], axis: number): Value {
  const first = values.find((value) => value.kind === 'activation');
  if (first === undefined)
    throw call.unsupported('it joins numbers that do not depend on the input');
  const isFirst = values.every(
    (value) => value.kind === 'activation' && value.layout === 'channelsFirst',
  );
  const tensors = values.map((value): TensorId => {
    if (value.kind === 'activation') return isFirst ? value.tensor : call.plain(value);
    const { shape: own } = value;
    if (own[0] !== 1)
      throw call.unsupported('it joins numbers that are not the same for all samples');
    const weight = { shape: own.slice(1), dtype: 'float32', data: call.floats(value) } as const;
    const name = `${call.name('constant')}_constant`;
    return call.add('constant', [], {}, { name, weights: { value: weight } });
  });
  const rank = call.shapeOf(tensors[0]!).length;
  const sample = call.sampleAxis(axis, rank);
  if (tensors.length === 1) return activation(tensors[0]!, isFirst ? 'channelsFirst' : 'plain');
  if (!isFirst) return activation(call.add('concat', tensors, { axis: sample }));
  const last = (sample + rank - 1) % rank;
  return activation(call.add('concat', tensors, { axis: last }), 'channelsFirst');
}

export const concat: Importer = (call) =>
  joined(call, call.inputs.slice(0, -1), call.int(call.inputs.length - 1, 'axis'));

/** The older form, with the axis in front. */
export const concatV1: Importer = (call) => joined(call, call.inputs.slice(1), call.int(0, 'axis'));

export const pack: Importer = (call) => {
  const tensors = call.inputs.map((_, i) => call.plain(call.activation(i)));
  const [first] = tensors;
  if (first === undefined) throw call.corrupt('it has no input');
  const sample = call.shapeOf(first);
  const axis = call.sampleAxis(call.attrs.int('axis', 0), sample.length + 1);
  const wide = tensors.map((tensor) => {
    const own = call.shapeOf(tensor);
    return reshaped(call, tensor, [...own.slice(0, axis), 1, ...own.slice(axis)]).tensor;
  });
  return activation(wide.length === 1 ? wide[0]! : call.add('concat', wide, { axis }));
};

function splitAt(
  call: Call,
  x: Activation,
  axis: number,
  sizes: readonly number[],
): readonly Activation[] {
  const tensor = call.plain(x);
  const sample = call.sampleAxis(axis, call.shapeOf(tensor).length);
  if (sizes.length === 1) return [activation(tensor)];
  const parts = call.addAll('split', [tensor], { axis: sample, sizes });
  return parts.map((part) => activation(part));
}

function equalParts(call: Call, x: Activation, axis: number, count: number): readonly number[] {
  const size = call.shapeInFile(x)[call.axis(axis, call.shapeInFile(x).length)]!;
  if (count >= 1 && count <= size && size % count === 0) {
    return new Array<number>(count).fill(size / count);
  }
  throw Number.isNaN(size)
    ? call.unsupported('it takes the samples of a batch apart')
    : call.corrupt(`it splits ${size} into ${count} equal parts`);
}

/** [axis, x]. */
export const split: Importer = (call) => {
  const x = call.activation(1);
  const axis = call.int(0, 'axis');
  return splitAt(call, x, axis, equalParts(call, x, axis, call.attrs.int('num_split', 1)));
};

/** [x, sizes, axis]. */
export const splitV: Importer = (call) => {
  const x = call.activation(0);
  const axis = call.int(2, 'axis');
  const sizes = call.ints(1, 'sizes');
  const total = call.shapeInFile(x)[call.axis(axis, call.shapeInFile(x).length)]!;
  const known = sizes.filter((size) => size !== -1).reduce((a, b) => a + b, 0);
  return splitAt(
    call,
    x,
    axis,
    sizes.map((size) => (size === -1 ? total - known : size)),
  );
};

export const unpack: Importer = (call) => {
  const x = call.activation(0);
  const axis = call.attrs.int('axis', 0);
  const sizes = equalParts(call, x, axis, call.attrs.int('num', 1));
  const sample = call.sampleAxis(axis, call.shapeInFile(x).length - 1);
  return splitAt(call, x, axis, sizes).map(({ tensor }) =>
    reshaped(
      call,
      tensor,
      call.shapeOf(tensor).filter((_, i) => i !== sample),
    ),
  );
};

/** Takes a part of each axis of the sample, and leaves out or adds axes of size 1. */
function slicePart(call: Call, tensor: TensorId, { axes, result }: SliceSpec): Activation {
  const [batch, ...rest] = axes;
  if (batch?.whole !== true || result[0] !== 0) {
    throw call.unsupported('it takes some of the samples of a batch');
  }
  if (rest.some(({ stride }) => stride < 0)) throw call.unsupported('it turns an axis round');
  const sample = call.shapeOf(tensor);
  const whole = rest.every(
    ({ begin, end, stride }, i) => begin === 0 && end === sample[i] && stride === 1,
  );
  const part = whole
    ? tensor
    : call.add('slice', [tensor], {
        begin: rest.map(({ begin }) => begin),
        end: rest.map(({ end }) => end),
        strides: rest.map(({ stride }) => stride),
      });
  const sizes = call.shapeOf(part);
  const shaped = result.slice(1).map((axis) => (axis === 'new' ? 1 : sizes[axis - 1]!));
  return reshaped(call, part, shaped);
}

export const stridedSlice: Importer = (call) => {
  const x = call.activation(0);
  const tensor = call.plain(x);
  const [begin, end, strides] = ['begin', 'end', 'strides'].map((what, i) =>
    call.ints(i + 1, what),
  );
  const inFile = [NaN, ...call.shapeOf(tensor)];
  const spec = sliceSpec(call.attrs, inFile, begin!, end!, strides!);
  if (spec === null) throw call.corrupt('the part that it takes is none');
  return slicePart(call, tensor, withFixedBatch(call, spec));
};

/** Where the file fixes the number of samples, all of them may be written as a number. */
function withFixedBatch({ session }: Call, { axes, result }: SliceSpec): SliceSpec {
  const [batch, ...rest] = axes;
  if (batch === undefined || batch.whole || batch.begin !== 0) return { axes, result };
  const whole = batch.stride === 1 && batch.end === session.batch;
  return { axes: [{ ...batch, whole }, ...rest], result };
}

export const slice: Importer = (call) => {
  const tensor = call.plain(call.activation(0));
  const sample = call.shapeOf(tensor);
  const [begin, size] = [call.ints(1, 'begin'), call.ints(2, 'size')];
  if (begin.length !== sample.length + 1 || size.length !== begin.length) {
    throw call.corrupt('it does not name a part of each axis');
  }
  const axes = begin.map((from, axis) => {
    const count = size[axis]!;
    const total = axis === 0 ? call.session.batch : sample[axis - 1]!;
    const all = Number.isNaN(count) || count === -1;
    const end = all && axis > 0 ? total : from + count;
    return { begin: from, end, stride: 1, whole: from === 0 && (all || count === total) };
  });
  return slicePart(call, tensor, { axes, result: axes.map((_, axis) => axis) });
};

/** Picks channels; other axes only where it takes them in a row. */
export const gather: Importer = (call) => {
  const tensor = call.plain(call.activation(0));
  const sample = call.shapeOf(tensor);
  const indices = call.constant(1, 'indices');
  const axis = call.sampleAxis(call.inputs.length > 2 ? call.int(2, 'axis') : 0, sample.length);
  if (axis !== sample.length - 1 || indices.shape.length !== 1) {
    throw call.unsupported('it picks along another axis than the channels');
  }
  const picked = call.ints(1, 'indices').map((index) => call.axis(index, sample[axis]!));
  return activation(call.add('gather', [tensor], { indices: picked }));
};

function paddingsOf(call: Call, x: Activation): readonly (readonly [number, number])[] {
  const list = call.ints(1, 'paddings');
  const rank = call.shapeOf(x.tensor).length;
  if (list.length !== 2 * (rank + 1)) throw call.corrupt('it does not pad each axis');
  const pairs = Array.from(
    { length: rank + 1 },
    (_, axis) => [list[2 * axis]!, list[2 * axis + 1]!] as const,
  );
  const [batch, ...rest] = pairs;
  if (batch![0] !== 0 || batch![1] !== 0) throw call.unsupported('it adds samples to a batch');
  return x.layout === 'channelsFirst' ? [...rest.slice(1), rest[0]!] : rest;
}

function padded(call: Call, mode: 'constant' | 'reflect' | 'symmetric', value: number): Activation {
  const x = call.activation(0);
  if (x.layout === 'rows') throw call.unsupported('it pads rows of several samples');
  const paddings = paddingsOf(call, x);
  if (paddings.flat().every((size) => size === 0)) return x;
  return call.result(call.add('pad', [x.tensor], { paddings, mode, value }), x);
}

export const pad: Importer = (call) => {
  const value = call.inputs.length > 2 ? call.constant(2, 'value').data[0] : 0;
  if (value === undefined) throw call.corrupt('it pads with nothing');
  return padded(call, 'constant', value);
};

export const mirrorPad: Importer = (call) => {
  const mode = call.attrs.text('mode', '').toLowerCase();
  if (mode === 'reflect' || mode === 'symmetric') return padded(call, mode, 0);
  throw call.attrs.wrong('mode', 'REFLECT or SYMMETRIC');
};

export function resize(mode: 'nearest' | 'bilinear'): Importer {
  return (call) => {
    const { tensor } = call.image(0);
    const [height, width] = call.ints(1, 'size');
    if (!(height! > 0 && width! > 0)) {
      throw call.unsupported(
        'the size of its result is not fixed',
        'Convert the model with a fixed input size.',
      );
    }
    return activation(
      call.add('resize', [tensor], {
        size: [height!, width!],
        mode,
        alignCorners: call.attrs.flag('align_corners', false),
        halfPixel: call.attrs.flag('half_pixel_centers', false),
      }),
    );
  };
}

export const depthToSpace: Importer = (call) => {
  const { tensor, layout } = call.image(0);
  const block = call.attrs.int('block_size', 0);
  return activation(call.add('depthToSpace', [tensor], { block, order: 'dcr' }), layout);
};

export const spaceToDepth: Importer = (call) => {
  const { tensor, layout } = call.image(0);
  return activation(
    call.add('spaceToDepth', [tensor], { block: call.attrs.int('block_size', 0) }),
    layout,
  );
};

export const cast: Importer = (call) => {
  const x = call.activation(0);
  const wanted = call.attrs.type('DstT');
  if (wanted === 'DT_FLOAT' || wanted === 'DT_HALF' || wanted === 'DT_BFLOAT16') return x;
  throw call.unsupported(`it makes ${wanted || 'another type'} of its input`);
};
