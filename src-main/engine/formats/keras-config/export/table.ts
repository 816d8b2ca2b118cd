// How each op becomes layers. The compiler asks for an entry when an op is added.

import type { Op } from '../../../graph/types';
import * as elementwise from './elementwise';
import * as filters from './filters';
import * as layout from './layout';
import type { ExportNode } from './types';

function without(what: string): (node: { unsupported(why: string): Error }) => never {
  return (node) => {
    throw node.unsupported(`it has no ${what}`);
  };
}

export const exporters: { readonly [K in Op]: ExportNode<K> } = {
  conv2d: filters.conv2d,
  depthwiseConv2d: filters.depthwiseConv2d,
  conv2dTranspose: filters.conv2dTranspose,
  dense: filters.dense,
  batchNorm: filters.batchNorm,
  layerNorm: filters.layerNorm,
  groupNorm: filters.groupNorm,
  activation: elementwise.activation,
  prelu: elementwise.prelu,
  softmax: elementwise.softmax,
  add: elementwise.add,
  sub: elementwise.sub,
  mul: elementwise.mul,
  div: without('division'),
  max: elementwise.max,
  min: elementwise.min,
  average: elementwise.average,
  concat: elementwise.concat,
  split: layout.split,
  slice: layout.slice,
  gather: layout.gather,
  maxPool2d: layout.maxPool2d,
  avgPool2d: layout.avgPool2d,
  globalAvgPool: layout.globalAvgPool,
  globalMaxPool: layout.globalMaxPool,
  flatten: layout.flatten,
  reshape: layout.reshape,
  permute: layout.permute,
  pad: layout.pad,
  crop: layout.crop,
  resize: layout.resize,
  depthToSpace: layout.depthToSpace,
  spaceToDepth: layout.spaceToDepth,
  reduce: layout.reduce,
  matmul: without('product of two activations'),
  constant: layout.constant,
  dropout: elementwise.dropout,
  rescale: elementwise.rescale,
};
