// Ops that move values: joining, taking parts, padding, other shapes and sizes; and the matrix product.

import type { Shape } from '../../../graph/types';
import type { Program, TensorIndex } from '../program';
import { mirrorModes } from '../schema';
import { reshapeTo } from './norms';
import { batchedAxis } from '../../lowering';
import { batched, type Lower } from './types';
import { padConstant } from './window';

export const concat: Lower<'concat'> = ({ node, program, inputs, inputShapes, outputShapes }) => {
  const axis = batchedAxis(node.attrs.axis, inputShapes[0]!);
  return [program.emit('CONCATENATION', inputs, batched(outputShapes[0]!), { axis })];
};

export const split: Lower<'split'> = ({ node, program, inputs, inputShapes, outputShapes }) => {
  const axis = batchedAxis(node.attrs.axis, inputShapes[0]!);
  return program.emitMany(
    'SPLIT_V',
    [inputs[0]!, program.ints('sizes', node.attrs.sizes), program.ints('axis', [axis], [])],
    outputShapes.map(batched),
    { numSplits: node.attrs.sizes.length },
  );
};

export const slice: Lower<'slice'> = ({ node, program, inputs, outputShapes }) => {
  const { begin, end, strides } = node.attrs;
  const output = batched(outputShapes[0]!);
  const from = program.ints('begin', [0, ...begin]);
  if (strides.every((stride) => stride === 1)) {
    return [program.emit('SLICE', [inputs[0]!, from, program.ints('size', output)], output, {})];
  }
  const to = program.ints('end', [1, ...end]);
  const step = program.ints('strides', [1, ...strides]);
  return [program.emit('STRIDED_SLICE', [inputs[0]!, from, to, step], output, {})];
};

export const crop: Lower<'crop'> = ({ node, program, inputs, outputShapes }) => {
  const [[top], [left]] = node.attrs.amounts;
  const output = batched(outputShapes[0]!);
  const begin = program.ints('begin', [0, top, left, 0]);
  return [program.emit('SLICE', [inputs[0]!, begin, program.ints('size', output)], output, {})];
};

/** Picks entries of the last axis. */
function gatherChannels(
  program: Program,
  input: TensorIndex,
  indices: readonly number[],
): TensorIndex {
  const shape = program.shapeOf(input);
  const output = [...shape.slice(0, -1), indices.length];
  const picked = program.ints('indices', indices);
  return program.emit('GATHER', [input, picked], output, { axis: shape.length - 1 });
}

export const gather: Lower<'gather'> = ({ node, program, inputs }) => [
  gatherChannels(program, inputs[0]!, node.attrs.indices),
];

export const pad: Lower<'pad'> = ({ node, program, inputs, inputShapes, outputShapes }) => {
  const { mode, value } = node.attrs;
  const paddings = [[0, 0] as const, ...node.attrs.paddings];
  if (mode === 'constant') {
    return [padConstant(program, inputs[0]!, inputShapes[0]!, paddings, value)];
  }
  const amounts = program.ints('paddings', paddings.flat(), [paddings.length, 2]);
  const options = { mode: mirrorModes[mode] };
  return [program.emit('MIRROR_PAD', [inputs[0]!, amounts], batched(outputShapes[0]!), options)];
};

export const flatten: Lower<'flatten'> = ({ program, inputs, outputShapes }) => [
  reshapeTo(program, inputs[0]!, batched(outputShapes[0]!)),
];

export const reshape: Lower<'reshape'> = ({ program, inputs, outputShapes }) => [
  reshapeTo(program, inputs[0]!, batched(outputShapes[0]!)),
];

/** Axes in another order, batch included. */
function transpose(program: Program, input: TensorIndex, perm: readonly number[]): TensorIndex {
  const shape = program.shapeOf(input);
  const output = perm.map((axis) => shape[axis]!);
  return program.emit('TRANSPOSE', [input, program.ints('perm', perm)], output, {});
}

export const permute: Lower<'permute'> = ({ node, program, inputs }) => [
  transpose(program, inputs[0]!, [0, ...node.attrs.perm.map((axis) => axis + 1)]),
];

export const softmax: Lower<'softmax'> = ({ node, program, inputs, inputShapes }) => {
  const shape = batched(inputShapes[0]!);
  const axis = batchedAxis(node.attrs.axis, inputShapes[0]!);
  const last = shape.length - 1;
  const onLast = (input: TensorIndex, of: Shape): TensorIndex =>
    program.emit('SOFTMAX', [input], of, { beta: 1 });
  if (axis === last) return [onLast(inputs[0]!, shape)];
  // TFLite's softmax works on the last axis: exchange the two axes before and after.
  const exchange = shape.map((_, i) => (i === axis ? last : i === last ? axis : i));
  const moved = transpose(program, inputs[0]!, exchange);
  return [transpose(program, onLast(moved, program.shapeOf(moved)), exchange)];
};

export const resize: Lower<'resize'> = ({ node, program, inputs, outputShapes }) => {
  const { size, mode, alignCorners, halfPixel } = node.attrs;
  const operator = mode === 'nearest' ? 'RESIZE_NEAREST_NEIGHBOR' : 'RESIZE_BILINEAR';
  const version = halfPixel || (mode === 'nearest' && alignCorners) ? 3 : 1;
  const output = batched(outputShapes[0]!);
  const operands = [inputs[0]!, program.ints('size', size)];
  return [program.emit(operator, operands, output, { alignCorners, halfPixel }, version)];
};

export const depthToSpace: Lower<'depthToSpace'> = (layer) => {
  const { node, program, inputShapes, outputShapes } = layer;
  const { block, order } = node.attrs;
  let input = layer.inputs[0]!;
  if (order === 'crd') {
    // TFLite reads the channel of position k as k * C + c; here it lies at c * block^2 + k.
    const channels = inputShapes[0]!.at(-1)!;
    const positions = block * block;
    const depth = channels / positions;
    const indices = Array.from(
      { length: channels },
      (_, i) => (i % depth) * positions + Math.floor(i / depth),
    );
    input = gatherChannels(program, input, indices);
  }
  const output = batched(outputShapes[0]!);
  return [program.emit('DEPTH_TO_SPACE', [input], output, { blockSize: block })];
};

export const spaceToDepth: Lower<'spaceToDepth'> = ({ node, program, inputs, outputShapes }) => [
  program.emit('SPACE_TO_DEPTH', [inputs[0]!], batched(outputShapes[0]!), {
    blockSize: node.attrs.block,
  }),
];

export const matmul: Lower<'matmul'> = ({ node, program, inputs, outputShapes }) => {
  const { transposeA, transposeB } = node.attrs;
  const options = { adjX: transposeA, adjY: transposeB };
  return [program.emit('BATCH_MATMUL', inputs, batched(outputShapes[0]!), options)];
};

export const constant: Lower<'constant'> = (layer) => {
  const value = layer.weight('value')!;
  return [layer.program.constant('value', batched(value.shape), value.data)];
};
