// The operators that are read and written: codes, option tables, versions, and the runtime that each needs.
//
// Codes are those of the enum BuiltinOperator in schema.fbs. Versions are from tensorflow/compiler/mlir/lite/tools/
// versioning/op_version.cc, the releases that run them from runtime_version.cc beside it.

import { optionTables, type Field, type OptionTable } from './schema';

interface OperatorInfo {
  /** Value of the enum BuiltinOperator. */
  readonly code: number;
  readonly options: OptionTable | null;
  /** First TensorFlow release that runs each operator version that is written. */
  readonly runtime: Readonly<Record<number, string>>;
  /** Version for tensors of five axes, where that is not 1. */
  readonly fiveAxes: number;
  /** Version for int8 tensors; null where there is no such kernel. */
  readonly int8: number | null;
}

type Runtime = string | Readonly<Record<number, string>>;

function operator<T extends OptionTable | null>(
  code: number,
  options: T,
  runtime: Runtime,
  { fiveAxes = 1, int8 = null }: Partial<Pick<OperatorInfo, 'fiveAxes' | 'int8'>> = {},
): OperatorInfo & { readonly options: T } {
  const byVersion = typeof runtime === 'string' ? { 1: runtime } : runtime;
  return { code, options, runtime: byVersion, fiveAxes, int8 };
}

/** Version 2 is the one with int8 tensors. */
const int8 = { int8: 2 };

export const writtenOperators = {
  ADD: operator(0, 'AddOptions', { 1: '1.5.0', 2: '1.14.0' }, int8),
  AVERAGE_POOL_2D: operator(1, 'Pool2DOptions', { 1: '1.5.0', 2: '1.14.0' }, int8),
  CONCATENATION: operator(2, 'ConcatenationOptions', { 1: '1.5.0', 2: '1.14.0' }, int8),
  CONV_2D: operator(
    3,
    'Conv2DOptions',
    { 1: '1.5.0', 3: '1.14.0', 5: '2.4.0', 6: '2.9.0' },
    { int8: 3 },
  ),
  DEPTHWISE_CONV_2D: operator(
    4,
    'DepthwiseConv2DOptions',
    { 1: '1.5.0', 2: '1.12.0', 3: '1.14.0', 6: '2.3.0' },
    { int8: 3 },
  ),
  DEPTH_TO_SPACE: operator(5, 'DepthToSpaceOptions', { 1: '2.1.0', 2: '2.5.0' }, int8),
  DEQUANTIZE: operator(6, 'DequantizeOptions', { 2: '1.14.0', 3: '1.15.0', 5: '2.7.0' }, int8),
  FULLY_CONNECTED: operator(
    9,
    'FullyConnectedOptions',
    { 1: '1.5.0', 4: '1.14.0', 5: '2.0.0', 12: '2.17.0' },
    { int8: 4 },
  ),
  LOGISTIC: operator(14, null, { 1: '1.14.0', 2: '1.14.0' }, int8),
  MAX_POOL_2D: operator(17, 'Pool2DOptions', { 1: '1.5.0', 2: '1.14.0' }, int8),
  MUL: operator(18, 'MulOptions', { 1: '1.5.0', 2: '1.14.0', 3: '1.15.0' }, int8),
  RELU: operator(19, null, { 1: '1.5.0', 2: '2.1.0' }, int8),
  RELU6: operator(21, null, { 1: '1.5.0', 2: '1.14.0' }, int8),
  RESHAPE: operator(22, 'ReshapeOptions', '1.5.0', { int8: 1 }),
  RESIZE_BILINEAR: operator(
    23,
    'ResizeBilinearOptions',
    { 1: '1.7.0', 2: '1.14.0', 3: '2.2.0' },
    int8,
  ),
  SOFTMAX: operator(25, 'SoftmaxOptions', { 1: '1.5.0', 2: '1.14.0' }, int8),
  SPACE_TO_DEPTH: operator(26, 'SpaceToDepthOptions', { 1: '1.5.0', 2: '1.14.0' }, int8),
  TANH: operator(28, null, { 1: '1.14.0', 2: '1.14.0' }, int8),
  PAD: operator(
    34,
    'PadOptions',
    { 1: '1.5.0', 2: '1.14.0', 4: '2.6.0' },
    { fiveAxes: 4, int8: 2 },
  ),
  GATHER: operator(36, 'GatherOptions', { 1: '1.6.0', 2: '1.14.0' }, int8),
  TRANSPOSE: operator(
    39,
    'TransposeOptions',
    { 1: '1.6.0', 2: '1.14.0', 4: '2.3.0' },
    { fiveAxes: 4, int8: 2 },
  ),
  MEAN: operator(40, 'ReducerOptions', { 1: '1.6.0', 2: '1.14.0' }, int8),
  SUB: operator(
    41,
    'SubOptions',
    { 1: '1.6.0', 2: '1.14.0', 3: '2.3.0' },
    { fiveAxes: 3, int8: 2 },
  ),
  DIV: operator(42, 'DivOptions', { 1: '1.6.0', 2: '2.3.0' }, { fiveAxes: 2 }),
  STRIDED_SLICE: operator(
    45,
    'StridedSliceOptions',
    { 1: '1.6.0', 2: '1.14.0', 4: '2.2.0' },
    { fiveAxes: 4, int8: 2 },
  ),
  EXP: operator(47, 'ExpOptions', { 1: '1.7.0', 2: '2.12.0' }, int8),
  PRELU: operator(54, null, '1.8.0', { int8: 1 }),
  MAXIMUM: operator(
    55,
    'MaximumMinimumOptions',
    { 1: '1.14.0', 2: '1.14.0', 3: '2.3.0' },
    { fiveAxes: 3, int8: 2 },
  ),
  MINIMUM: operator(
    57,
    'MaximumMinimumOptions',
    { 1: '1.14.0', 2: '1.14.0', 3: '2.3.0' },
    { fiveAxes: 3, int8: 2 },
  ),
  NEG: operator(59, 'NegOptions', '1.9.0'),
  PADV2: operator(
    60,
    'PadV2Options',
    { 1: '1.9.0', 2: '1.14.0', 4: '2.6.0' },
    { fiveAxes: 4, int8: 2 },
  ),
  SLICE: operator(
    65,
    'SliceOptions',
    { 1: '1.14.0', 2: '1.14.0', 5: '2.5.0' },
    { fiveAxes: 5, int8: 2 },
  ),
  TRANSPOSE_CONV: operator(67, 'TransposeConvOptions', { 3: '2.3.0' }, { int8: 3 }),
  LOG: operator(73, null, { 1: '1.14.0', 2: '2.15.0' }, int8),
  SUM: operator(74, 'ReducerOptions', { 1: '1.10.0', 2: '1.15.0' }, int8),
  SQRT: operator(75, null, '1.10.0'),
  RSQRT: operator(76, null, { 1: '1.10.0', 2: '2.5.0' }, int8),
  REDUCE_PROD: operator(81, 'ReducerOptions', { 1: '1.11.0', 2: '2.6.0' }, int8),
  REDUCE_MAX: operator(82, 'ReducerOptions', { 1: '1.11.0', 2: '1.14.0' }, int8),
  REDUCE_MIN: operator(89, 'ReducerOptions', { 1: '1.11.0', 2: '1.14.0' }, int8),
  RESIZE_NEAREST_NEIGHBOR: operator(
    97,
    'ResizeNearestNeighborOptions',
    { 1: '1.13.1', 2: '1.14.0', 3: '2.3.0' },
    int8,
  ),
  LEAKY_RELU: operator(98, 'LeakyReluOptions', '1.13.1', { int8: 1 }),
  SQUARED_DIFFERENCE: operator(99, 'SquaredDifferenceOptions', { 1: '1.13.1', 2: '2.5.0' }, int8),
  MIRROR_PAD: operator(100, 'MirrorPadOptions', { 1: '1.13.1', 2: '2.3.0' }, int8),
  ABS: operator(101, 'AbsOptions', { 1: '1.13.0', 2: '2.4.0' }, int8),
  SPLIT_V: operator(102, 'SplitVOptions', { 1: '1.13.1', 2: '2.3.0' }, int8),
  ELU: operator(111, null, '1.14.0', { int8: 1 }),
  QUANTIZE: operator(114, 'QuantizeOptions', '1.14.0', { int8: 1 }),
  HARD_SWISH: operator(117, 'HardSwishOptions', '1.15.0', { int8: 1 }),
  BATCH_MATMUL: operator(126, 'BatchMatMulOptions', { 1: '2.3.0', 2: '2.3.0' }, int8),
  GELU: operator(150, 'GeluOptions', { 1: '2.9.0', 2: '2.9.0' }, int8),
} as const;

export type WrittenOperator = keyof typeof writtenOperators;

/** Operators of other writers' files. */
const readOperators = {
  RELU_N1_TO_1: operator(20, null, {}),
  BATCH_TO_SPACE_ND: operator(37, 'BatchToSpaceNDOptions', {}),
  SPACE_TO_BATCH_ND: operator(38, 'SpaceToBatchNDOptions', {}),
  SQUEEZE: operator(43, 'SqueezeOptions', {}),
  SPLIT: operator(49, 'SplitOptions', {}),
  CAST: operator(53, 'CastOptions', {}),
  EXPAND_DIMS: operator(70, 'ExpandDimsOptions', {}),
  SHAPE: operator(77, 'ShapeOptions', {}),
  PACK: operator(83, 'PackOptions', {}),
  UNPACK: operator(88, 'UnpackOptions', {}),
  SQUARE: operator(92, 'SquareOptions', {}),
  FILL: operator(94, 'FillOptions', {}),
  RELU_0_TO_1: operator(152, null, {}),
} as const;

export const operators = { ...writtenOperators, ...readOperators } as const;

export type OperatorName = keyof typeof operators;

/** Operators above this code are written with it in the old one-byte field. */
export const lastByteCode = 127;

type FieldOf<T extends OptionTable> = (typeof optionTables)[T]['fields'];

type FieldValue<F> = F extends { readonly type: 'bool' }
  ? boolean
  : F extends { readonly type: 'ints' }
    ? readonly number[]
    : number;

/** All options of an operator, by field name. */
export type AllOptionsOf<N extends OperatorName> =
  (typeof operators)[N]['options'] extends infer T extends OptionTable
    ? { readonly [F in keyof FieldOf<T>]: FieldValue<FieldOf<T>[F]> }
    : Readonly<Record<string, never>>;

/** Options of an operator; what is left out takes the schema's default. */
export type OptionsOf<N extends OperatorName> = Partial<AllOptionsOf<N>>;

export type OptionValue = number | boolean | readonly number[];

/** The value of an option that a file leaves out. */
export function fallbackOf({ type, fallback }: Field): OptionValue {
  if (type === 'ints') return [];
  return type === 'bool' ? fallback !== 0 : fallback;
}

/** All options of an operator, those that are not given at the schema's default. */
export function allOptions(
  operator: OperatorName,
  given: Readonly<Record<string, OptionValue>>,
): Readonly<Record<string, OptionValue>> {
  const name = operators[operator].options;
  if (name === null) return {};
  const fields: Readonly<Record<string, Field>> = optionTables[name].fields;
  const defaults = Object.entries(fields).map(([key, field]) => [key, fallbackOf(field)] as const);
  return { ...Object.fromEntries(defaults), ...given };
}
