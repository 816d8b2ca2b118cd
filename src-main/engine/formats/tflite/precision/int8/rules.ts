// What the TFLite 8-bit quantisation specification asks of each operator: whether outputs have scales of their own, those
// of the inputs, or fixed ones (https://www.tensorflow.org/lite/performance/quantization_spec, and the traits of the ops in
// tensorflow/compiler/mlir/lite/ir/tfl_ops.td). The compiler asks for an entry when an operator is added.

import type { Affine } from '../../../../quantize/types';
import type { WrittenOperator } from '../../operators';
import type { Operation, ProgramData } from '../../program';
import { storedInts } from '../copy';
import { filterOperands, type FilterOperands } from '../filters';

export type Int8Rule =
  /** Filters with a scale a channel, a bias with the scale of the products, an output with its own scale. */
  | ({ readonly kind: 'filters' } & FilterOperands)
  /** Operands and output each have their own scale. */
  | { readonly kind: 'free' }
  /** Operands and outputs share one scale. `fill` is an operand that is a number to fill with. */
  | { readonly kind: 'same'; readonly fill?: number }
  /** The output has this scale. */
  | { readonly kind: 'fixed'; readonly output: Affine }
  /** There is no kernel, or none that keeps the numbers: the layer stays float. */
  | { readonly kind: 'float' };

const free: Int8Rule = { kind: 'free' };
const same: Int8Rule = { kind: 'same' };
const float: Int8Rule = { kind: 'float' };

/** From 0 to 255/256. */
const probability: Affine = { scale: 1 / 256, zeroPoint: -128 };
/** From -1 to 127/128. */
const symmetricUnit: Affine = { scale: 1 / 128, zeroPoint: 0 };

export const int8Rules: { readonly [N in WrittenOperator]: Int8Rule } = {
  CONV_2D: { kind: 'filters', ...filterOperands.CONV_2D },
  DEPTHWISE_CONV_2D: { kind: 'filters', ...filterOperands.DEPTHWISE_CONV_2D },
  FULLY_CONNECTED: { kind: 'filters', ...filterOperands.FULLY_CONNECTED },
  TRANSPOSE_CONV: { kind: 'filters', ...filterOperands.TRANSPOSE_CONV },
  ADD: free,
  SUB: free,
  MUL: free,
  BATCH_MATMUL: free,
  MEAN: free,
  RELU: free,
  RELU6: free,
  LEAKY_RELU: free,
  PRELU: free,
  ELU: free,
  GELU: free,
  HARD_SWISH: free,
  ABS: free,
  EXP: free,
  LOGISTIC: { kind: 'fixed', output: probability },
  SOFTMAX: { kind: 'fixed', output: probability },
  TANH: { kind: 'fixed', output: symmetricUnit },
  AVERAGE_POOL_2D: same,
  MAX_POOL_2D: same,
  MAXIMUM: same,
  MINIMUM: same,
  REDUCE_MAX: same,
  REDUCE_MIN: same,
  CONCATENATION: same,
  DEPTH_TO_SPACE: same,
  SPACE_TO_DEPTH: same,
  GATHER: same,
  MIRROR_PAD: same,
  PAD: same,
  PADV2: { kind: 'same', fill: 2 },
  RESHAPE: same,
  RESIZE_BILINEAR: same,
  RESIZE_NEAREST_NEIGHBOR: same,
  SLICE: same,
  SPLIT_V: same,
  STRIDED_SLICE: same,
  TRANSPOSE: same,
  // No kernel for int8.
  DIV: float,
  NEG: float,
  SQRT: float,
  // Their results range too widely for 256 steps: parts of softplus and of normalisations, and products of many numbers.
  LOG: float,
  RSQRT: float,
  SQUARED_DIFFERENCE: float,
  REDUCE_PROD: float,
  // Right in some kernels of current runtimes and wrong in others.
  SUM: float,
  // Between numbers and integers already.
  QUANTIZE: float,
  DEQUANTIZE: float,
};

const imageAxes = '1,2';

/** The rule of one operator. A mean is quantised over height and width alone, where every runtime computes it right. */
export function ruleOf(program: ProgramData, operation: Operation): Int8Rule {
  const rule = int8Rules[operation.operator as WrittenOperator];
  if (operation.operator !== 'MEAN') return rule;
  const [x, axes] = operation.inputs;
  const isImage = program.tensors[x!]!.shape.length === 4;
  return isImage && storedInts(program, axes!)?.join() === imageAxes ? rule : float;
}
