// The part of the TFLite schema that the writer uses: enums, field ids of option tables, operator versions.
//
// Numbers are those of tensorflow/compiler/mlir/lite/schema/schema.fbs (schema version 3c); the runtime that
// an operator version needs is from tensorflow/compiler/mlir/lite/tools/versioning/{op_version,
// runtime_version}.cc, for float32 tensors of up to four axes.

export const schemaVersion = 3;
export const fileIdentifier = 'TFL3';

export const tensorTypes = { float32: 0, int32: 2, bool: 6 } as const;
export type TensorType = keyof typeof tensorTypes;

export const paddings = { SAME: 0, VALID: 1 } as const;
export type PaddingName = keyof typeof paddings;

export const fusedActivations = { NONE: 0, RELU: 1, RELU_N1_TO_1: 2, RELU6: 3 } as const;
export type FusedActivation = keyof typeof fusedActivations;

export const mirrorModes = { reflect: 0, symmetric: 1 } as const;

/** How a field is stored; `fallback` is the value that the schema leaves out of the file. */
export type FieldType = 'byte' | 'int' | 'float' | 'bool' | 'ints';
interface Field {
  readonly id: number;
  readonly type: FieldType;
  readonly fallback: number;
}

function field(type: FieldType, id: number, fallback = 0): Field {
  return { id, type, fallback };
}

/** Tables of the union BuiltinOptions: their place in the union, number of fields, and the fields we set. */
export const optionTables = {
  Conv2DOptions: {
    union: 1,
    size: 7,
    fields: {
      padding: field('byte', 0),
      strideW: field('int', 1),
      strideH: field('int', 2),
      activation: field('byte', 3),
      dilationW: field('int', 4, 1),
      dilationH: field('int', 5, 1),
    },
  },
  DepthwiseConv2DOptions: {
    union: 2,
    size: 7,
    fields: {
      padding: field('byte', 0),
      strideW: field('int', 1),
      strideH: field('int', 2),
      depthMultiplier: field('int', 3),
      activation: field('byte', 4),
      dilationW: field('int', 5, 1),
      dilationH: field('int', 6, 1),
    },
  },
  Pool2DOptions: {
    union: 5,
    size: 6,
    fields: {
      padding: field('byte', 0),
      strideW: field('int', 1),
      strideH: field('int', 2),
      filterW: field('int', 3),
      filterH: field('int', 4),
    },
  },
  FullyConnectedOptions: {
    union: 8,
    size: 5,
    fields: { activation: field('byte', 0), keepNumDims: field('bool', 2) },
  },
  SoftmaxOptions: { union: 9, size: 1, fields: { beta: field('float', 0) } },
  ConcatenationOptions: { union: 10, size: 2, fields: { axis: field('int', 0) } },
  AddOptions: { union: 11, size: 2, fields: { activation: field('byte', 0) } },
  ResizeBilinearOptions: {
    union: 15,
    size: 4,
    fields: { alignCorners: field('bool', 2), halfPixel: field('bool', 3) },
  },
  ReshapeOptions: { union: 17, size: 1, fields: { newShape: field('ints', 0) } },
  SpaceToDepthOptions: { union: 19, size: 1, fields: { blockSize: field('int', 0) } },
  MulOptions: { union: 21, size: 1, fields: { activation: field('byte', 0) } },
  PadOptions: { union: 22, size: 0, fields: {} },
  GatherOptions: { union: 23, size: 2, fields: { axis: field('int', 0) } },
  TransposeOptions: { union: 26, size: 0, fields: {} },
  ReducerOptions: { union: 27, size: 1, fields: { keepDims: field('bool', 0) } },
  SubOptions: { union: 28, size: 2, fields: { activation: field('byte', 0) } },
  DivOptions: { union: 29, size: 1, fields: { activation: field('byte', 0) } },
  StridedSliceOptions: { union: 32, size: 6, fields: {} },
  ExpOptions: { union: 33, size: 0, fields: {} },
  MaximumMinimumOptions: { union: 39, size: 0, fields: {} },
  NegOptions: { union: 42, size: 0, fields: {} },
  PadV2Options: { union: 43, size: 0, fields: {} },
  SliceOptions: { union: 48, size: 0, fields: {} },
  TransposeConvOptions: {
    union: 49,
    size: 5,
    fields: { padding: field('byte', 0), strideW: field('int', 1), strideH: field('int', 2) },
  },
  ResizeNearestNeighborOptions: {
    union: 74,
    size: 2,
    fields: { alignCorners: field('bool', 0), halfPixel: field('bool', 1) },
  },
  LeakyReluOptions: { union: 75, size: 1, fields: { alpha: field('float', 0) } },
  SquaredDifferenceOptions: { union: 76, size: 0, fields: {} },
  MirrorPadOptions: { union: 77, size: 1, fields: { mode: field('byte', 0) } },
  AbsOptions: { union: 78, size: 0, fields: {} },
  SplitVOptions: { union: 79, size: 1, fields: { numSplits: field('int', 0) } },
  HardSwishOptions: { union: 91, size: 0, fields: {} },
  DepthToSpaceOptions: { union: 94, size: 1, fields: { blockSize: field('int', 0) } },
  BatchMatMulOptions: {
    union: 101,
    size: 3,
    fields: { adjX: field('bool', 0), adjY: field('bool', 1) },
  },
  GeluOptions: { union: 116, size: 1, fields: { approximate: field('bool', 0) } },
} as const;

export type OptionTable = keyof typeof optionTables;

interface OperatorInfo {
  /** Value of the enum BuiltinOperator. */
  readonly code: number;
  readonly options: OptionTable | null;
  /** First TensorFlow release that runs each operator version. */
  readonly runtime: Readonly<Record<number, string>>;
  /** Version for tensors of five axes, where that is not 1. */
  readonly fiveAxes: number;
}

function operator<T extends OptionTable | null>(
  code: number,
  options: T,
  runtime: string | Readonly<Record<number, string>>,
  fiveAxes = 1,
): OperatorInfo & { readonly options: T } {
  const byVersion = typeof runtime === 'string' ? { 1: runtime } : runtime;
  return { code, options, runtime: byVersion, fiveAxes };
}

export const operators = {
  ADD: operator(0, 'AddOptions', '1.5.0'),
  AVERAGE_POOL_2D: operator(1, 'Pool2DOptions', '1.5.0'),
  CONCATENATION: operator(2, 'ConcatenationOptions', '1.5.0'),
  CONV_2D: operator(3, 'Conv2DOptions', { 1: '1.5.0', 6: '2.9.0' }),
  DEPTHWISE_CONV_2D: operator(4, 'DepthwiseConv2DOptions', { 1: '1.5.0', 2: '1.12.0' }),
  DEPTH_TO_SPACE: operator(5, 'DepthToSpaceOptions', '2.1.0'),
  FULLY_CONNECTED: operator(9, 'FullyConnectedOptions', { 1: '1.5.0', 5: '2.0.0' }),
  LOGISTIC: operator(14, null, '1.14.0'),
  MAX_POOL_2D: operator(17, 'Pool2DOptions', '1.5.0'),
  MUL: operator(18, 'MulOptions', '1.5.0'),
  RELU: operator(19, null, '1.5.0'),
  RELU6: operator(21, null, '1.5.0'),
  RESHAPE: operator(22, 'ReshapeOptions', '1.5.0'),
  RESIZE_BILINEAR: operator(23, 'ResizeBilinearOptions', { 1: '1.7.0', 3: '2.2.0' }),
  SOFTMAX: operator(25, 'SoftmaxOptions', '1.5.0'),
  SPACE_TO_DEPTH: operator(26, 'SpaceToDepthOptions', '1.5.0'),
  TANH: operator(28, null, '1.14.0'),
  PAD: operator(34, 'PadOptions', { 1: '1.5.0', 4: '2.6.0' }, 4),
  GATHER: operator(36, 'GatherOptions', '1.6.0'),
  TRANSPOSE: operator(39, 'TransposeOptions', { 1: '1.6.0', 4: '2.3.0' }, 4),
  MEAN: operator(40, 'ReducerOptions', '1.6.0'),
  SUB: operator(41, 'SubOptions', { 1: '1.6.0', 3: '2.3.0' }, 3),
  DIV: operator(42, 'DivOptions', { 1: '1.6.0', 2: '2.3.0' }, 2),
  STRIDED_SLICE: operator(45, 'StridedSliceOptions', { 1: '1.6.0', 4: '2.2.0' }, 4),
  EXP: operator(47, 'ExpOptions', '1.7.0'),
  PRELU: operator(54, null, '1.8.0'),
  MAXIMUM: operator(55, 'MaximumMinimumOptions', { 1: '1.14.0', 3: '2.3.0' }, 3),
  MINIMUM: operator(57, 'MaximumMinimumOptions', { 1: '1.14.0', 3: '2.3.0' }, 3),
  NEG: operator(59, 'NegOptions', '1.9.0'),
  PADV2: operator(60, 'PadV2Options', { 1: '1.9.0', 4: '2.6.0' }, 4),
  SLICE: operator(65, 'SliceOptions', { 1: '1.14.0', 5: '2.5.0' }, 5),
  TRANSPOSE_CONV: operator(67, 'TransposeConvOptions', { 3: '2.3.0' }),
  LOG: operator(73, null, '1.14.0'),
  SUM: operator(74, 'ReducerOptions', '1.10.0'),
  SQRT: operator(75, null, '1.10.0'),
  RSQRT: operator(76, null, '1.10.0'),
  REDUCE_PROD: operator(81, 'ReducerOptions', '1.11.0'),
  REDUCE_MAX: operator(82, 'ReducerOptions', '1.11.0'),
  REDUCE_MIN: operator(89, 'ReducerOptions', '1.11.0'),
  RESIZE_NEAREST_NEIGHBOR: operator(97, 'ResizeNearestNeighborOptions', {
    1: '1.13.1',
    3: '2.3.0',
  }),
  LEAKY_RELU: operator(98, 'LeakyReluOptions', '1.13.1'),
  SQUARED_DIFFERENCE: operator(99, 'SquaredDifferenceOptions', '1.13.1'),
  MIRROR_PAD: operator(100, 'MirrorPadOptions', '1.13.1'),
  ABS: operator(101, 'AbsOptions', '1.13.0'),
  SPLIT_V: operator(102, 'SplitVOptions', '1.13.1'),
  ELU: operator(111, null, '1.14.0'),
  HARD_SWISH: operator(117, 'HardSwishOptions', '1.15.0'),
  BATCH_MATMUL: operator(126, 'BatchMatMulOptions', '2.3.0'),
  GELU: operator(150, 'GeluOptions', '2.9.0'),
} as const;

export type OperatorName = keyof typeof operators;

/** Operators above this code are written with it in the old one-byte field. */
export const lastByteCode = 127;

type FieldValue<T extends FieldType> = T extends 'bool'
  ? boolean
  : T extends 'ints'
    ? readonly number[]
    : number;

/** Options of an operator, by field name; what is left out takes the schema's default. */
export type OptionsOf<N extends OperatorName> =
  (typeof operators)[N]['options'] extends infer T extends OptionTable
    ? {
        readonly [F in keyof (typeof optionTables)[T]['fields']]?: FieldValue<
          (typeof optionTables)[T]['fields'][F] extends { readonly type: infer U extends FieldType }
            ? U
            : never
        >;
      }
    : Readonly<Record<string, never>>;
