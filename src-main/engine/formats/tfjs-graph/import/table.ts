// The operations that are read, and what is said of those that never will be.

import { unsupportedOp } from '../errors';
import type { GraphNode } from '../graph-def';
import * as elementwise from './elementwise';
import * as filters from './filters';
import * as layout from './layout';
import { batchNorm, fusedBatchNorm } from './norm';
import { pool, reduce } from './pooling';
import type { Importer } from './session';

const { arithmetic, unary } = elementwise;

/** By operation; what only moves a tensor on (Identity) is not there: it is looked through before. */
const importers: Readonly<Record<string, Importer>> = {
  Abs: unary('abs'),
  Add: arithmetic('add'),
  AddN: elementwise.addN,
  AddV2: arithmetic('add'),
  AvgPool: pool('avgPool2d'),
  BatchMatMul: filters.batchMatMul,
  BatchMatMulV2: filters.batchMatMul,
  BiasAdd: elementwise.biasAdd,
  Cast: layout.cast,
  ClipByValue: elementwise.clip,
  Concat: layout.concatV1,
  ConcatV2: layout.concat,
  Conv2D: filters.conv2d,
  Conv2DBackpropInput: filters.conv2dTranspose,
  DepthToSpace: layout.depthToSpace,
  DepthwiseConv2dNative: filters.depthwiseConv2d,
  Div: arithmetic('div'),
  Elu: unary('elu'),
  Exp: unary('exp'),
  ExpandDims: layout.expandDims,
  FusedBatchNorm: batchNorm,
  FusedBatchNormV2: batchNorm,
  FusedBatchNormV3: batchNorm,
  FusedDepthwiseConv2dNative: filters.depthwiseConv2d,
  Gather: layout.gather,
  GatherV2: layout.gather,
  LeakyRelu: elementwise.leakyRelu,
  Log: unary('log'),
  MatMul: filters.matMul,
  Max: reduce('max'),
  MaxPool: pool('maxPool2d'),
  Maximum: arithmetic('max'),
  Mean: reduce('mean'),
  Min: reduce('min'),
  Minimum: arithmetic('min'),
  MirrorPad: layout.mirrorPad,
  Mul: arithmetic('mul'),
  Neg: unary('neg'),
  Pack: layout.pack,
  Pad: layout.pad,
  PadV2: layout.pad,
  Pow: elementwise.power,
  Prelu: elementwise.prelu,
  Prod: reduce('prod'),
  RealDiv: arithmetic('div'),
  Reciprocal: elementwise.reciprocal,
  Relu: unary('relu'),
  Relu6: unary('relu6'),
  Reshape: layout.reshape,
  ResizeBilinear: layout.resize('bilinear'),
  ResizeNearestNeighbor: layout.resize('nearest'),
  Rsqrt: elementwise.rsqrt,
  Selu: unary('selu'),
  Shape: layout.shape,
  Sigmoid: unary('sigmoid'),
  Slice: layout.slice,
  Softmax: elementwise.softmax,
  Softplus: unary('softplus'),
  Softsign: unary('softsign'),
  SpaceToDepth: layout.spaceToDepth,
  Split: layout.split,
  SplitV: layout.splitV,
  Sqrt: unary('sqrt'),
  Square: elementwise.square,
  SquaredDifference: elementwise.squaredDifference,
  Squeeze: layout.squeeze,
  StridedSlice: layout.stridedSlice,
  Sub: arithmetic('sub'),
  Sum: reduce('sum'),
  Tanh: unary('tanh'),
  Transpose: layout.transpose,
  Unpack: layout.unpack,
  _FusedBatchNormEx: fusedBatchNorm,
  _FusedConv2D: filters.conv2d,
  _FusedMatMul: filters.matMul,
};

interface Refusal {
  readonly ops: RegExp;
  readonly why: string;
  readonly remedy: string;
}

const refusals: readonly Refusal[] = [
  {
    ops: /^(If|StatelessIf|While|StatelessWhile|Case|Switch|Merge|Enter|Exit|NextIteration|LoopCond)$|^Tensor(Array|List)|^EmptyTensorList/,
    why: 'it is control flow, and what runs would depend on the values',
    remedy:
      'Export the model without loops and branches (unrolled, with training=False), or cut it off before them, and ' +
      'convert it again.',
  },
  {
    ops: /PartitionedCall$|^SymbolicGradient$|^RemoteCall$/,
    why: 'it calls a function that was not put in its place',
    remedy: "Freeze the model before: TensorFlow.js's converter does so from a SavedModel.",
  },
  {
    ops: /^(NonMaxSuppression|TopK|ArgM|Where|CropAndResize|Unique|GatherNd|ScatterNd|OneHot|Bincount|DenseBincount)/,
    why: 'it chooses among results, which is the work of the program around the model',
    remedy:
      'Cut the model off before its post-processing, name the tensors there as outputs, and convert it again.',
  },
  {
    ops: /^(HashTable|LookupTable|InitializeTable|String|StaticRegex)/,
    why: 'it works on texts',
    remedy: 'Cut the model off after its text processing and convert it again.',
  },
  {
    ops: /^(Random|Truncated|Multinomial|StatelessRandom)/,
    why: 'it draws random numbers',
    remedy: 'Export the model for inference (training=False) and convert it again.',
  },
];

/** @throws AppError MODEL_UNSUPPORTED_OP */
export function importerOf({ name, op, spelt }: GraphNode): Importer {
  if (spelt?.kind === 'activation') return elementwise.spelt;
  if (spelt?.kind === 'prelu') return elementwise.prelu;
  const importer = Object.hasOwn(importers, op) ? importers[op] : undefined;
  if (importer !== undefined) return importer;
  const refusal = refusals.find(({ ops }) => ops.test(op));
  throw unsupportedOp(name, op, refusal?.why ?? 'Secateur has no such operation', refusal?.remedy);
}
