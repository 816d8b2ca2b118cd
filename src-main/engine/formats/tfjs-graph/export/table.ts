// The lowering of every op. The compiler asks for an entry when an op is added.

import type { Op } from '../../../graph/types';
import * as activations from './activation';
import * as arithmetic from './arithmetic';
import * as filters from './filters';
import * as layout from './layout';
import * as norms from './norms';
import * as pooling from './pooling';
import type { Lower } from './types';

export const lowerings: { readonly [K in Op]: Lower<K> } = {
  conv2d: filters.conv2d,
  depthwiseConv2d: filters.depthwiseConv2d,
  conv2dTranspose: filters.conv2dTranspose,
  dense: filters.dense,
  batchNorm: norms.batchNorm,
  layerNorm: norms.layerNorm,
  groupNorm: norms.groupNorm,
  activation: activations.activation,
  prelu: activations.prelu,
  softmax: layout.softmax,
  add: arithmetic.add,
  sub: arithmetic.sub,
  mul: arithmetic.mul,
  div: arithmetic.div,
  max: arithmetic.max,
  min: arithmetic.min,
  average: arithmetic.average,
  concat: layout.concat,
  split: layout.split,
  slice: layout.slice,
  gather: layout.gather,
  maxPool2d: pooling.maxPool2d,
  avgPool2d: pooling.avgPool2d,
  globalAvgPool: pooling.globalAvgPool,
  globalMaxPool: pooling.globalMaxPool,
  flatten: layout.flatten,
  reshape: layout.reshape,
  permute: layout.permute,
  pad: layout.pad,
  crop: layout.crop,
  resize: layout.resize,
  depthToSpace: layout.depthToSpace,
  spaceToDepth: layout.spaceToDepth,
  reduce: pooling.reduce,
  matmul: arithmetic.matmul,
  constant: arithmetic.constant,
  dropout: arithmetic.dropout,
  rescale: arithmetic.rescale,
};
