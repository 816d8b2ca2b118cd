// All ops and their definitions. An op that is added to `OpAttrs` must be added here: the compiler asks.
import type { Op } from '../types';
import { activation, dropout, prelu, softmax } from './activation';
import { add, average, div, max, min, mul, sub } from './arithmetic';
import { concat, split } from './concat';
import { constant, rescale } from './constant';
import { conv2d, conv2dTranspose, dense, depthwiseConv2d } from './conv';
import { batchNorm, groupNorm, layerNorm } from './norm';
import { avgPool2d, globalAvgPool, globalMaxPool, maxPool2d } from './pooling';
import { matmul, reduce } from './reduce';
import { flatten, permute, reshape } from './reshape';
import { crop, gather, pad, slice } from './select';
import { depthToSpace, resize, spaceToDepth } from './spatial';
import type { OpDef, OpTable } from './types';

export const opTable: OpTable = {
  conv2d,
  depthwiseConv2d,
  conv2dTranspose,
  dense,
  batchNorm,
  layerNorm,
  groupNorm,
  activation,
  prelu,
  softmax,
  add,
  sub,
  mul,
  div,
  max,
  min,
  average,
  concat,
  split,
  slice,
  gather,
  maxPool2d,
  avgPool2d,
  globalAvgPool,
  globalMaxPool,
  flatten,
  reshape,
  permute,
  pad,
  crop,
  resize,
  depthToSpace,
  spaceToDepth,
  reduce,
  matmul,
  constant,
  dropout,
  rescale,
};

/** The definition of an op. */
export function opDef<K extends Op>(op: K): OpDef<K> {
  return opTable[op];
}
