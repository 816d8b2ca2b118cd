// Writes a program as a TFLite flatbuffer. Field ids are those of schema.fbs; see schema.ts for the source.

import { Builder, type Offset } from 'flatbuffers';
import { lastByteCode, operators, type OperatorName } from './operators';
import type { Operation, ProgramData, ProgramTensor, Quantization } from './program';
import {
  fileIdentifier,
  optionTables,
  ownDescription,
  schemaVersion,
  tensorTypes,
  type Field,
} from './schema';

/** Weights lie at multiples of this, so that the file can be mapped into memory and used as it is. */
const bufferAlignment = 16;
const minRuntimeLength = 16;
/** A scale and a zero point. */
const quantizationBytes = 12;

interface OperatorCode {
  readonly operator: OperatorName;
  readonly version: number;
}

/** Bytes that the file holds beside the program, under a name. */
export interface MetadataEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The bytes of a .tflite file. */
export function serializeProgram(
  program: ProgramData,
  metadata: readonly MetadataEntry[] = [],
): Uint8Array {
  const codes = operatorCodes(program.operations);
  const stored = [...program.buffers, ...metadata.map(({ bytes }) => bytes)];
  const storedBytes = stored.reduce((sum, bytes) => sum + bytes.length + 64, 0);
  const scales = program.tensors.reduce(
    (sum, { quantization }) => sum + (quantization?.scales.length ?? 0),
    0,
  );
  // A builder that has to grow copies everything.
  const builder = new Builder(
    storedBytes +
      scales * quantizationBytes +
      1024 +
      256 * (program.tensors.length + program.operations.length),
  );

  const entries = [minRuntimeVersion(codes), ...metadata];
  // Buffer 0 is empty by convention: tensors without data point to it.
  const data = [new Uint8Array(0), ...program.buffers, ...entries.map(({ bytes }) => bytes)];
  const buffers = data.map((bytes) => writeBuffer(builder, bytes));
  const firstEntry = buffers.length - entries.length;
  const metadataEntries = entries.map(({ name }, i) =>
    writeMetadata(builder, name, firstEntry + i),
  );

  const fields = {
    operatorCodes: offsets(
      builder,
      codes.map((code) => writeOperatorCode(builder, code)),
    ),
    subgraphs: offsets(builder, [writeSubgraph(builder, program, codes)]),
    description: builder.createString(ownDescription),
    buffers: offsets(builder, buffers),
    metadata: offsets(builder, metadataEntries),
    signatures: offsets(builder, [writeSignature(builder, program)]),
  };
  builder.startObject(10);
  builder.addFieldInt32(0, schemaVersion, 0);
  builder.addFieldOffset(1, fields.operatorCodes, 0);
  builder.addFieldOffset(2, fields.subgraphs, 0);
  builder.addFieldOffset(3, fields.description, 0);
  builder.addFieldOffset(4, fields.buffers, 0);
  builder.addFieldOffset(6, fields.metadata, 0);
  builder.addFieldOffset(7, fields.signatures, 0);
  builder.finish(builder.endObject(), fileIdentifier);
  return builder.asUint8Array();
}

function operatorCodes(operations: readonly Operation[]): readonly OperatorCode[] {
  const codes = new Map<string, OperatorCode>();
  for (const { operator, version } of operations) {
    codes.set(codeKey(operator, version), { operator, version });
  }
  return [...codes.values()];
}

function codeKey(operator: OperatorName, version: number): string {
  return `${operator} ${version}`;
}

/** The oldest TensorFlow release that runs all operators, as the converter records it. */
function minRuntimeVersion(codes: readonly OperatorCode[]): MetadataEntry {
  const key = (version: string): number =>
    version.split('.').reduce((sum, part) => sum * 1000 + Number(part), 0);
  let newest = '1.5.0';
  for (const { operator, version } of codes) {
    const runtime: Readonly<Record<number, string>> = operators[operator].runtime;
    const needed = runtime[version];
    if (needed !== undefined && key(needed) > key(newest)) newest = needed;
  }
  const bytes = new Uint8Array(minRuntimeLength);
  bytes.set(new TextEncoder().encode(newest));
  return { name: 'min_runtime_version', bytes };
}

function writeBuffer(builder: Builder, data: Uint8Array): Offset {
  let vector: Offset = 0;
  if (data.length > 0) {
    builder.prep(bufferAlignment, data.length);
    vector = builder.createByteVector(data);
  }
  builder.startObject(3);
  builder.addFieldOffset(0, vector, 0);
  return builder.endObject();
}

function writeMetadata(builder: Builder, name: string, buffer: number): Offset {
  const nameOffset = builder.createString(name);
  builder.startObject(2);
  builder.addFieldOffset(0, nameOffset, 0);
  builder.addFieldInt32(1, buffer, 0);
  return builder.endObject();
}

function writeOperatorCode(builder: Builder, { operator, version }: OperatorCode): Offset {
  const { code } = operators[operator];
  builder.startObject(4);
  builder.addFieldInt8(0, Math.min(code, lastByteCode), 0);
  builder.addFieldInt32(2, version, 1);
  builder.addFieldInt32(3, code, 0);
  return builder.endObject();
}

function writeSubgraph(
  builder: Builder,
  program: ProgramData,
  codes: readonly OperatorCode[],
): Offset {
  const codeIndex = new Map(codes.map((code, i) => [codeKey(code.operator, code.version), i]));
  const tensors = offsets(
    builder,
    program.tensors.map((tensor) => writeTensor(builder, tensor)),
  );
  const operations = offsets(
    builder,
    program.operations.map((operation) =>
      writeOperation(
        builder,
        operation,
        codeIndex.get(codeKey(operation.operator, operation.version))!,
      ),
    ),
  );
  const inputs = ints(
    builder,
    program.inputs.map(({ tensor }) => tensor),
  );
  const outputs = ints(
    builder,
    program.outputs.map(({ tensor }) => tensor),
  );
  const name = builder.createString('main');
  builder.startObject(6);
  builder.addFieldOffset(0, tensors, 0);
  builder.addFieldOffset(1, inputs, 0);
  builder.addFieldOffset(2, outputs, 0);
  builder.addFieldOffset(3, operations, 0);
  builder.addFieldOffset(4, name, 0);
  return builder.endObject();
}

function writeTensor(builder: Builder, tensor: ProgramTensor): Offset {
  const shape = ints(builder, tensor.shape);
  const name = builder.createString(tensor.name);
  const quantization =
    tensor.quantization === null ? 0 : writeQuantization(builder, tensor.quantization);
  builder.startObject(11);
  builder.addFieldOffset(0, shape, 0);
  builder.addFieldInt8(1, tensorTypes[tensor.type], 0);
  builder.addFieldInt32(2, tensor.buffer === null ? 0 : tensor.buffer + 1, 0);
  builder.addFieldOffset(3, name, 0);
  builder.addFieldOffset(4, quantization, 0);
  builder.addFieldInt8(8, 1, 0); // has_rank: tells a scalar from an unknown shape
  return builder.endObject();
}

function writeQuantization(builder: Builder, { scales, zeroPoints, axis }: Quantization): Offset {
  builder.startVector(4, scales.length, 4);
  for (let i = scales.length - 1; i >= 0; i--) builder.addFloat32(scales[i]!);
  const scaleVector = builder.endVector();
  builder.startVector(8, zeroPoints.length, 8);
  for (let i = zeroPoints.length - 1; i >= 0; i--) builder.addInt64(BigInt(zeroPoints[i]!));
  const zeroPointVector = builder.endVector();
  builder.startObject(7);
  builder.addFieldOffset(2, scaleVector, 0);
  builder.addFieldOffset(3, zeroPointVector, 0);
  builder.addFieldInt32(6, axis, 0);
  return builder.endObject();
}

function writeOperation(builder: Builder, operation: Operation, code: number): Offset {
  const table = operators[operation.operator].options;
  const options = table === null ? 0 : writeOptions(builder, operation);
  const inputs = ints(builder, operation.inputs);
  const outputs = ints(builder, operation.outputs);
  builder.startObject(14);
  builder.addFieldInt32(0, code, 0);
  builder.addFieldOffset(1, inputs, 0);
  builder.addFieldOffset(2, outputs, 0);
  if (table !== null) {
    builder.addFieldInt8(3, optionTables[table].union, 0);
    builder.addFieldOffset(4, options, 0);
  }
  return builder.endObject();
}

function writeOptions(builder: Builder, { operator, options }: Operation): Offset {
  const table = optionTables[operators[operator].options!];
  const fields: Readonly<Record<string, Field>> = table.fields;
  const values = Object.entries(options).map(([name, value]) => ({ field: fields[name]!, value }));
  // Vectors are written before the table that points to them is begun.
  const vectors = values.map(({ value }) => (Array.isArray(value) ? ints(builder, value) : 0));
  builder.startObject(table.size);
  values.forEach(({ field, value }, i) => {
    const number = Number(value);
    if (field.type === 'ints') builder.addFieldOffset(field.id, vectors[i]!, 0);
    else if (field.type === 'float') builder.addFieldFloat32(field.id, number, field.fallback);
    else if (field.type === 'int') builder.addFieldInt32(field.id, number, field.fallback);
    else builder.addFieldInt8(field.id, number, field.fallback);
  });
  return builder.endObject();
}

function writeSignature(builder: Builder, program: ProgramData): Offset {
  const map = (port: { readonly name: string; readonly tensor: number }): Offset => {
    const name = builder.createString(port.name);
    builder.startObject(2);
    builder.addFieldOffset(0, name, 0);
    builder.addFieldInt32(1, port.tensor, 0);
    return builder.endObject();
  };
  const inputs = offsets(builder, program.inputs.map(map));
  const outputs = offsets(builder, program.outputs.map(map));
  const key = builder.createString('serving_default');
  builder.startObject(5);
  builder.addFieldOffset(0, inputs, 0);
  builder.addFieldOffset(1, outputs, 0);
  builder.addFieldOffset(2, key, 0);
  return builder.endObject();
}

function offsets(builder: Builder, items: readonly Offset[]): Offset {
  builder.startVector(4, items.length, 4);
  for (let i = items.length - 1; i >= 0; i--) builder.addOffset(items[i]!);
  return builder.endVector();
}

function ints(builder: Builder, values: readonly number[]): Offset {
  builder.startVector(4, values.length, 4);
  for (let i = values.length - 1; i >= 0; i--) builder.addInt32(values[i]!);
  return builder.endVector();
}
