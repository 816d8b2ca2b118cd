// How each operator becomes layers. The compiler asks for an entry when an operator is added.

import type { OperatorName } from '../operators';
import type { Call, Raise } from './call';
import * as elementwise from './ops/elementwise';
import * as filters from './ops/filters';
import * as layout from './ops/layout';
import * as pooling from './ops/pooling';
import type { Value } from './values';
import { constantOf } from './values';

/** Numbers in another format: the values are the same. */
const sameValue = (call: Call): readonly Value[] => [call.input(0)];

/** For stored numbers alone, which are computed before this is asked. */
const storedOnly = (call: Call): never => {
  throw call.unsupported('it computes with numbers that are not stored');
};

const shapeOf: Raise<'SHAPE'> = (call) => {
  const shape = call.shapeOf(call.input(0));
  return [constantOf([shape.length], Int32Array.from(shape))];
};

export const raisings: { readonly [N in OperatorName]: Raise<N> } = {
  ADD: elementwise.arithmetic('add'),
  AVERAGE_POOL_2D: pooling.avgPool2d,
  CONCATENATION: layout.concatenation,
  CONV_2D: filters.conv2d,
  DEPTHWISE_CONV_2D: filters.depthwiseConv2d,
  DEPTH_TO_SPACE: layout.depthToSpace,
  DEQUANTIZE: sameValue,
  FULLY_CONNECTED: filters.fullyConnected,
  LOGISTIC: elementwise.pointwise('sigmoid'),
  MAX_POOL_2D: pooling.maxPool2d,
  MUL: elementwise.arithmetic('mul'),
  RELU: elementwise.pointwise('relu'),
  RELU6: elementwise.pointwise('relu6'),
  RELU_N1_TO_1: elementwise.reluBetween(-1, 1),
  RELU_0_TO_1: elementwise.reluBetween(0, 1),
  RESHAPE: layout.reshape,
  RESIZE_BILINEAR: layout.resizeBilinear,
  RESIZE_NEAREST_NEIGHBOR: layout.resizeNearest,
  SOFTMAX: layout.softmax,
  SPACE_TO_DEPTH: layout.spaceToDepth,
  TANH: elementwise.pointwise('tanh'),
  PAD: layout.pad,
  PADV2: layout.padV2,
  MIRROR_PAD: layout.mirrorPad,
  GATHER: layout.gather,
  TRANSPOSE: layout.transpose,
  MEAN: pooling.reduce('mean'),
  SUM: pooling.reduce('sum'),
  REDUCE_MAX: pooling.reduce('max'),
  REDUCE_MIN: pooling.reduce('min'),
  REDUCE_PROD: pooling.reduce('prod'),
  SUB: elementwise.arithmetic('sub'),
  DIV: elementwise.arithmetic('div'),
  SQUEEZE: layout.withUnitAxes,
  EXPAND_DIMS: layout.withUnitAxes,
  STRIDED_SLICE: layout.stridedSlice,
  SLICE: layout.slice,
  SPLIT: layout.split,
  SPLIT_V: layout.splitV,
  PACK: layout.pack,
  UNPACK: layout.unpack,
  EXP: elementwise.pointwise('exp'),
  LOG: elementwise.log,
  SQRT: elementwise.pointwise('sqrt'),
  RSQRT: elementwise.rsqrt,
  SQUARE: elementwise.square,
  SQUARED_DIFFERENCE: elementwise.squaredDifference,
  ABS: elementwise.pointwise('abs'),
  NEG: elementwise.pointwise('neg'),
  ELU: elementwise.pointwise('elu'),
  GELU: elementwise.gelu,
  HARD_SWISH: elementwise.pointwise('hardSwish'),
  LEAKY_RELU: elementwise.leakyRelu,
  PRELU: elementwise.prelu,
  MAXIMUM: elementwise.extremum('max'),
  MINIMUM: elementwise.extremum('min'),
  TRANSPOSE_CONV: filters.transposeConv,
  BATCH_MATMUL: layout.batchMatmul,
  SPACE_TO_BATCH_ND: filters.spaceToBatch,
  BATCH_TO_SPACE_ND: filters.batchToSpace,
  QUANTIZE: sameValue,
  CAST: sameValue,
  SHAPE: shapeOf,
  FILL: storedOnly,
};
