// The part of onnx.proto that a network without control flow needs. Field numbers are those of
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
//
// Two liberties, neither of which changes the bytes: packed numbers of tensors are declared as bytes, so that they
// are views of the file rather than arrays of numbers, and what is never looked into (graphs within nodes,
// sparse tensors, functions) is bytes as well, so that nothing nests deeper than a tensor in an attribute.

import type { INamespace } from 'protobufjs/light.js';

/** A field whose presence shows, so that a zero is written too. */
const optional = (type: string, id: number): { type: string; id: number; options: object } => ({
  type,
  id,
  options: { features: { field_presence: 'EXPLICIT' } },
});

const repeated = (type: string, id: number): { rule: 'repeated'; type: string; id: number } => ({
  rule: 'repeated',
  type,
  id,
});

export const schema: INamespace = {
  nested: {
    ModelProto: {
      fields: {
        irVersion: optional('int64', 1),
        producerName: optional('string', 2),
        producerVersion: optional('string', 3),
        docString: optional('string', 6),
        graph: optional('GraphProto', 7),
        opsetImport: repeated('OperatorSetIdProto', 8),
        metadataProps: repeated('StringStringEntryProto', 14),
        functions: repeated('bytes', 25),
      },
    },
    OperatorSetIdProto: {
      fields: { domain: optional('string', 1), version: optional('int64', 2) },
    },
    StringStringEntryProto: {
      fields: { key: optional('string', 1), value: optional('string', 2) },
    },
    GraphProto: {
      fields: {
        node: repeated('NodeProto', 1),
        name: optional('string', 2),
        initializer: repeated('TensorProto', 5),
        docString: optional('string', 10),
        input: repeated('ValueInfoProto', 11),
        output: repeated('ValueInfoProto', 12),
        sparseInitializer: repeated('bytes', 15),
      },
    },
    NodeProto: {
      fields: {
        input: repeated('string', 1),
        output: repeated('string', 2),
        name: optional('string', 3),
        opType: optional('string', 4),
        attribute: repeated('AttributeProto', 5),
        domain: optional('string', 7),
        metadataProps: repeated('StringStringEntryProto', 9),
      },
    },
    AttributeProto: {
      fields: {
        name: optional('string', 1),
        f: optional('float', 2),
        i: optional('int64', 3),
        s: optional('bytes', 4),
        t: optional('TensorProto', 5),
        floats: repeated('float', 7),
        ints: repeated('int64', 8),
        strings: repeated('bytes', 9),
        type: optional('int32', 20),
      },
    },
    ValueInfoProto: {
      fields: { name: optional('string', 1), type: optional('TypeProto', 2) },
    },
    TypeProto: {
      fields: { tensorType: optional('TensorTypeProto', 1) },
    },
    TensorTypeProto: {
      fields: { elemType: optional('int32', 1), shape: optional('TensorShapeProto', 2) },
    },
    TensorShapeProto: {
      fields: { dim: repeated('DimensionProto', 1) },
    },
    DimensionProto: {
      fields: { dimValue: optional('int64', 1), dimParam: optional('string', 2) },
    },
    TensorProto: {
      fields: {
        dims: repeated('int64', 1),
        dataType: optional('int32', 2),
        floatData: repeated('bytes', 4),
        int32Data: repeated('bytes', 5),
        int64Data: repeated('bytes', 7),
        name: optional('string', 8),
        rawData: optional('bytes', 9),
        doubleData: repeated('bytes', 10),
        uint64Data: repeated('bytes', 11),
        externalData: repeated('StringStringEntryProto', 13),
        dataLocation: optional('int32', 14),
      },
    },
  },
};

/** AttributeProto.AttributeType */
export const attributeTypes = {
  FLOAT: 1,
  INT: 2,
  STRING: 3,
  TENSOR: 4,
  GRAPH: 5,
  FLOATS: 6,
  INTS: 7,
  STRINGS: 8,
} as const;

/** TensorProto.DataType */
export const dataTypes = {
  FLOAT: 1,
  UINT8: 2,
  INT8: 3,
  UINT16: 4,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  STRING: 8,
  BOOL: 9,
  FLOAT16: 10,
  DOUBLE: 11,
  UINT32: 12,
  UINT64: 13,
  BFLOAT16: 16,
} as const;

export type DataTypeName = keyof typeof dataTypes;

const names = new Map<number, string>(
  Object.entries(dataTypes).map(([name, number]) => [number, name]),
);

/** The name of a type for people; numbers that this program does not know stay numbers. */
export function dataTypeName(type: number): string {
  return names.get(type) ?? `type ${type}`;
}

/** TensorProto.DataLocation */
export const externalLocation = 1;
