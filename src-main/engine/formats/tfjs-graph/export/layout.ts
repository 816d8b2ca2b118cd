// Operations that move values: joining, taking parts, padding, other shapes and sizes.

import type { Shape } from '../../../graph/types';
import { attr, unsupported, type GraphDefBuilder, type Ref } from './graph-def';
import { batchedAxis } from '../../lowering';
import type { Lower } from './types';
import { padConstant } from './window';

const index = attr.type('DT_INT32');

/** The same values in another shape of the sample. */
export function reshapeTo(builder: GraphDefBuilder, x: Ref, shape: Shape): Ref {
  return builder.emit('Reshape', [x, builder.ints('shape', [-1, ...shape])], { Tshape: index });
}

export const flatten: Lower<'flatten'> = ({ builder, inputs, outputShapes }) => [
  reshapeTo(builder, inputs[0]!, outputShapes[0]!),
];

export const reshape: Lower<'reshape'> = ({ builder, inputs, outputShapes }) => [
  reshapeTo(builder, inputs[0]!, outputShapes[0]!),
];

/** Axes in another order, batch included. */
function transpose(builder: GraphDefBuilder, x: Ref, perm: readonly number[]): Ref {
  return builder.emit('Transpose', [x, builder.ints('perm', perm)], { Tperm: index });
}

export const permute: Lower<'permute'> = ({ node, builder, inputs }) => [
  transpose(builder, inputs[0]!, [0, ...node.attrs.perm.map((axis) => axis + 1)]),
];

export const concat: Lower<'concat'> = ({ node, builder, inputs, inputShapes }) => {
  const axis = builder.ints('axis', [batchedAxis(node.attrs.axis, inputShapes[0]!)], []);
  return [builder.emit('ConcatV2', [...inputs, axis], { N: attr.int(inputs.length), Tidx: index })];
};

export const split: Lower<'split'> = ({ node, builder, inputs, inputShapes }) => {
  const { sizes } = node.attrs;
  const axis = builder.ints('axis', [batchedAxis(node.attrs.axis, inputShapes[0]!)], []);
  const first = builder.emit('SplitV', [inputs[0]!, builder.ints('sizes', sizes), axis], {
    num_split: attr.int(sizes.length),
    Tlen: index,
  });
  return sizes.map((_, i) => (i === 0 ? first : `${first}:${i}`));
};

/** The samples as they are, and a part of each axis of theirs. */
function slicePart(
  builder: GraphDefBuilder,
  x: Ref,
  begin: readonly number[],
  end: readonly number[],
  strides: readonly number[],
): Ref {
  if (strides.every((stride) => stride === 1)) {
    const sizes = end.map((to, axis) => to - begin[axis]!);
    const operands = [builder.ints('begin', [0, ...begin]), builder.ints('size', [-1, ...sizes])];
    return builder.emit('Slice', [x, ...operands], { Index: index });
  }
  const operands = [
    builder.ints('begin', [0, ...begin]),
    builder.ints('end', [0, ...end]),
    builder.ints('strides', [1, ...strides]),
  ];
  return builder.emit('StridedSlice', [x, ...operands], {
    Index: index,
    begin_mask: attr.int(1),
    end_mask: attr.int(1),
    ellipsis_mask: attr.int(0),
    new_axis_mask: attr.int(0),
    shrink_axis_mask: attr.int(0),
  });
}

export const slice: Lower<'slice'> = ({ node, builder, inputs }) => {
  const { begin, end, strides } = node.attrs;
  return [slicePart(builder, inputs[0]!, begin, end, strides)];
};

export const crop: Lower<'crop'> = ({ node, builder, inputs, outputShapes }) => {
  const [[top], [left]] = node.attrs.amounts;
  const begin = [top, left, 0];
  const end = begin.map((from, axis) => from + outputShapes[0]![axis]!);
  return [slicePart(builder, inputs[0]!, begin, end, [1, 1, 1])];
};

/** Picks entries of the last axis. */
function gatherChannels(
  builder: GraphDefBuilder,
  x: Ref,
  indices: readonly number[],
  rank: number,
): Ref {
  const operands = [builder.ints('indices', indices), builder.ints('axis', [rank], [])];
  return builder.emit('GatherV2', [x, ...operands], {
    Tparams: attr.type('DT_FLOAT'),
    Tindices: index,
    Taxis: index,
    batch_dims: attr.int(0),
  });
}

export const gather: Lower<'gather'> = ({ node, builder, inputs, inputShapes }) => [
  gatherChannels(builder, inputs[0]!, node.attrs.indices, inputShapes[0]!.length),
];

export const pad: Lower<'pad'> = ({ node, builder, inputs }) => {
  const { mode, value, paddings } = node.attrs;
  if (mode === 'constant') return [padConstant(builder, inputs[0]!, paddings, value)];
  const list = [0, 0, ...paddings.flat()];
  const amounts = builder.ints('paddings', list, [list.length / 2, 2]);
  const attrs = { mode: attr.text(mode.toUpperCase()), Tpaddings: index };
  return [builder.emit('MirrorPad', [inputs[0]!, amounts], attrs)];
};

export const softmax: Lower<'softmax'> = ({ node, builder, inputs, inputShapes }) => {
  const rank = inputShapes[0]!.length + 1;
  const axis = batchedAxis(node.attrs.axis, inputShapes[0]!);
  if (axis === rank - 1) return [builder.emit('Softmax', inputs)];
  // The operation works on the last axis: exchange the two axes before and after.
  const exchange = Array.from({ length: rank }, (_, i) =>
    i === axis ? rank - 1 : i === rank - 1 ? axis : i,
  );
  const moved = transpose(builder, inputs[0]!, exchange);
  return [transpose(builder, builder.emit('Softmax', [moved]), exchange)];
};

export const resize: Lower<'resize'> = ({ node, builder, inputs }) => {
  const { size, mode, alignCorners, halfPixel } = node.attrs;
  if (alignCorners && halfPixel) {
    throw unsupported(node.name, 'it aligns corners and centres of pixels at once');
  }
  const op = mode === 'nearest' ? 'ResizeNearestNeighbor' : 'ResizeBilinear';
  return [
    builder.emit(op, [inputs[0]!, builder.ints('size', size)], {
      align_corners: attr.flag(alignCorners),
      half_pixel_centers: attr.flag(halfPixel),
    }),
  ];
};

export const depthToSpace: Lower<'depthToSpace'> = ({ node, builder, inputs, inputShapes }) => {
  const { block, order } = node.attrs;
  let x = inputs[0]!;
  if (order === 'crd') {
    // TensorFlow reads the channel of position k as k * C + c; here it lies at c * block^2 + k.
    const channels = inputShapes[0]!.at(-1)!;
    const positions = block * block;
    const depth = channels / positions;
    const indices = Array.from(
      { length: channels },
      (_, i) => (i % depth) * positions + Math.floor(i / depth),
    );
    x = gatherChannels(builder, x, indices, 3);
  }
  const attrs = { block_size: attr.int(block), data_format: attr.text('NHWC') };
  return [builder.emit('DepthToSpace', [x], attrs)];
};

/** TensorFlow.js has the way back alone. */
export const spaceToDepth: Lower<'spaceToDepth'> = ({ node, builder, inputs, outputShapes }) => {
  const { block } = node.attrs;
  const [height, width, channels] = outputShapes[0]! as readonly [number, number, number];
  const depth = channels / block ** 2;
  const apart = reshapeTo(builder, inputs[0]!, [height, block, width, block, depth]);
  return [reshapeTo(builder, transpose(builder, apart, [0, 1, 3, 2, 4, 5]), outputShapes[0]!)];
};
