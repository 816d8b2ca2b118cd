// The messages of an ONNX file: what the decoder gives and the encoder takes. What a file leaves out reads as '', 0,
// null or [], as protobuf has it.

export interface ModelProto {
  readonly irVersion?: number;
  readonly producerName?: string;
  readonly producerVersion?: string;
  readonly docString?: string;
  readonly graph?: GraphProto | null;
  readonly opsetImport: readonly OperatorSetIdProto[];
  readonly metadataProps: readonly StringStringEntryProto[];
  readonly functions?: readonly Uint8Array[];
}

export interface OperatorSetIdProto {
  /** '' or 'ai.onnx' is the standard one. */
  readonly domain?: string;
  readonly version?: number;
}

export interface StringStringEntryProto {
  readonly key?: string;
  readonly value?: string;
}

export interface GraphProto {
  readonly node: readonly NodeProto[];
  readonly name?: string;
  readonly initializer: readonly TensorProto[];
  readonly docString?: string;
  readonly input: readonly ValueInfoProto[];
  readonly output: readonly ValueInfoProto[];
  readonly sparseInitializer?: readonly Uint8Array[];
}

export interface NodeProto {
  /** Names of tensors; '' leaves an optional one out. */
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly name?: string;
  readonly opType?: string;
  readonly attribute: readonly AttributeProto[];
  readonly domain?: string;
  readonly metadataProps?: readonly StringStringEntryProto[];
}

export interface AttributeProto {
  readonly name?: string;
  readonly type?: number;
  readonly f?: number;
  readonly i?: number;
  readonly s?: Uint8Array;
  readonly t?: TensorProto | null;
  readonly floats?: readonly number[];
  readonly ints?: readonly number[];
  readonly strings?: readonly Uint8Array[];
}

export interface ValueInfoProto {
  readonly name?: string;
  readonly type?: {
    readonly tensorType?: {
      readonly elemType?: number;
      readonly shape?: { readonly dim: readonly DimensionProto[] } | null;
    } | null;
  } | null;
}

/** A size, or the name of one that is open. */
export interface DimensionProto {
  readonly dimValue?: number;
  readonly dimParam?: string;
}

/** Numbers lie in `rawData` (little-endian), in the packed field of their type, or in another file. */
export interface TensorProto {
  readonly name?: string;
  readonly dims: readonly number[];
  readonly dataType?: number;
  readonly rawData?: Uint8Array;
  readonly floatData?: readonly Uint8Array[];
  readonly int32Data?: readonly Uint8Array[];
  readonly int64Data?: readonly Uint8Array[];
  readonly doubleData?: readonly Uint8Array[];
  readonly uint64Data?: readonly Uint8Array[];
  readonly externalData?: readonly StringStringEntryProto[];
  readonly dataLocation?: number;
}
