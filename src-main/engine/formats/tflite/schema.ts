// The part of the TFLite schema that is read and written: types, enums, and field ids of option tables.
//
// Numbers are those of tensorflow/compiler/mlir/lite/schema/schema.fbs (schema version 3c). Operators are in
// operators.ts.

export const schemaVersion = 3;
export const fileIdentifier = 'TFL3';

/** What the description of a file says that Secateur wrote. */
export const ownDescription = 'Secateur';

export const tensorTypes = {
  float32: 0,
  float16: 1,
  int32: 2,
  uint8: 3,
  int64: 4,
  bool: 6,
  int16: 7,
  int8: 9,
} as const;
export type TensorType = keyof typeof tensorTypes;

export const bytesPerElement: Readonly<Record<TensorType, number>> = {
  float32: 4,
  float16: 2,
  int32: 4,
  uint8: 1,
  int64: 8,
  bool: 1,
  int16: 2,
  int8: 1,
};

export const paddings = { SAME: 0, VALID: 1 } as const;
export type PaddingName = keyof typeof paddings;

export const fusedActivations = { NONE: 0, RELU: 1, RELU_N1_TO_1: 2, RELU6: 3, TANH: 4 } as const;
export type FusedActivation = keyof typeof fusedActivations;

export const mirrorModes = { reflect: 0, symmetric: 1 } as const;

/** How a field is stored; `fallback` is the value that the schema leaves out of the file. */
export type FieldType = 'byte' | 'int' | 'float' | 'bool' | 'ints';
export interface Field<T extends FieldType = FieldType> {
  readonly id: number;
  readonly type: T;
  readonly fallback: number;
}

function field<T extends FieldType>(type: T, id: number, fallback = 0): Field<T> {
  return { id, type, fallback };
}

/** Tables of the union BuiltinOptions: their place in the union, number of fields, and the fields we know. */
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
      activation: field('byte', 5),
    },
  },
  FullyConnectedOptions: {
    union: 8,
    size: 5,
    fields: {
      activation: field('byte', 0),
      weightsFormat: field('byte', 1),
      keepNumDims: field('bool', 2),
      asymmetricInputs: field('bool', 3),
    },
  },
  SoftmaxOptions: { union: 9, size: 1, fields: { beta: field('float', 0) } },
  ConcatenationOptions: {
    union: 10,
    size: 2,
    fields: { axis: field('int', 0), activation: field('byte', 1) },
  },
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
  GatherOptions: {
    union: 23,
    size: 2,
    fields: { axis: field('int', 0), batchDims: field('int', 1) },
  },
  BatchToSpaceNDOptions: { union: 24, size: 0, fields: {} },
  SpaceToBatchNDOptions: { union: 25, size: 0, fields: {} },
  TransposeOptions: { union: 26, size: 0, fields: {} },
  ReducerOptions: { union: 27, size: 1, fields: { keepDims: field('bool', 0) } },
  SubOptions: { union: 28, size: 2, fields: { activation: field('byte', 0) } },
  DivOptions: { union: 29, size: 1, fields: { activation: field('byte', 0) } },
  SqueezeOptions: { union: 30, size: 1, fields: { axes: field('ints', 0) } },
  StridedSliceOptions: {
    union: 32,
    size: 6,
    fields: {
      beginMask: field('int', 0),
      endMask: field('int', 1),
      ellipsisMask: field('int', 2),
      newAxisMask: field('int', 3),
      shrinkAxisMask: field('int', 4),
      offset: field('bool', 5),
    },
  },
  ExpOptions: { union: 33, size: 0, fields: {} },
  SplitOptions: { union: 35, size: 1, fields: { numSplits: field('int', 0) } },
  CastOptions: { union: 37, size: 2, fields: {} },
  DequantizeOptions: { union: 38, size: 0, fields: {} },
  MaximumMinimumOptions: { union: 39, size: 0, fields: {} },
  NegOptions: { union: 42, size: 0, fields: {} },
  PadV2Options: { union: 43, size: 0, fields: {} },
  SliceOptions: { union: 48, size: 0, fields: {} },
  TransposeConvOptions: {
    union: 49,
    size: 5,
    fields: {
      padding: field('byte', 0),
      strideW: field('int', 1),
      strideH: field('int', 2),
      activation: field('byte', 3),
    },
  },
  ExpandDimsOptions: { union: 52, size: 0, fields: {} },
  ShapeOptions: { union: 55, size: 1, fields: {} },
  PackOptions: {
    union: 59,
    size: 2,
    fields: { valuesCount: field('int', 0), axis: field('int', 1) },
  },
  UnpackOptions: { union: 64, size: 2, fields: { num: field('int', 0), axis: field('int', 1) } },
  SquareOptions: { union: 66, size: 0, fields: {} },
  FillOptions: { union: 68, size: 0, fields: {} },
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
  QuantizeOptions: { union: 89, size: 0, fields: {} },
  HardSwishOptions: { union: 91, size: 0, fields: {} },
  DepthToSpaceOptions: { union: 94, size: 1, fields: { blockSize: field('int', 0) } },
  BatchMatMulOptions: {
    union: 101,
    size: 3,
    fields: {
      adjX: field('bool', 0),
      adjY: field('bool', 1),
      asymmetricInputs: field('bool', 2),
    },
  },
  GeluOptions: { union: 116, size: 1, fields: { approximate: field('bool', 0) } },
} as const;

export type OptionTable = keyof typeof optionTables;
