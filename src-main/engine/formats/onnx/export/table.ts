// How each op becomes operators. The compiler asks for an entry when an op is added.

import type { Op } from '../../../graph/types';
import * as arrange from './arrange';
import * as elementwise from './elementwise';
import * as filters from './filters';
import * as norms from './norms';
import * as pooling from './pooling';
import type { ExportNode } from './types';

export const exporters: { readonly [K in Op]: ExportNode<K> } = {
  conv2d: filters.conv2d,
  depthwiseConv2d: filters.depthwiseConv2d,
  conv2dTranspose: filters.conv2dTranspose,
  dense: filters.dense,
  batchNorm: norms.batchNorm,
  layerNorm: norms.layerNorm,
  groupNorm: norms.groupNorm,
  activation: elementwise.activation,
  prelu: elementwise.prelu,
  softmax: arrange.softmax,
  add: elementwise.add,
  sub: elementwise.sub,
  mul: elementwise.mul,
  div: elementwise.div,
  max: elementwise.max,
  min: elementwise.min,
  average: elementwise.average,
  concat: arrange.concat,
  split: arrange.split,
  slice: arrange.slice,
  gather: arrange.gather,
  maxPool2d: pooling.maxPool2d,
  avgPool2d: pooling.avgPool2d,
  globalAvgPool: pooling.globalAvgPool,
  globalMaxPool: pooling.globalMaxPool,
  flatten: arrange.flatten,
  reshape: arrange.reshape,
  permute: arrange.permute,
  pad: arrange.pad,
  crop: arrange.crop,
  resize: arrange.resize,
  depthToSpace: arrange.depthToSpace,
  spaceToDepth: arrange.spaceToDepth,
  reduce: pooling.reduce,
  matmul: filters.matmul,
  constant: arrange.constant,
  dropout: elementwise.dropout,
  rescale: elementwise.rescale,
};
