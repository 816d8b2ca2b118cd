// From the bytes of a .tflite file to a program, with everything checked that later steps rely on: types, sizes, indices.
// Field ids are those of schema.fbs; see schema.ts for the source.

import { sizeOf } from '../../graph/ops/check';
import { corrupt, tooLarge, unsupportedOperator } from './errors';
import { FlatTable } from './flat-table';
import { layerName } from './layer-names';
import { maxExpanded, maxOperators, maxRank, maxTensors } from './limits';
import { operatorName } from './operator-names';
import { allOptions, operators, type OperatorName, type OptionValue } from './operators';
import type { Operation, Port, ProgramData, ProgramTensor, Quantization } from './program';
import {
  bytesPerElement,
  fileIdentifier,
  optionTables,
  ownDescription,
  schemaVersion,
  tensorTypes,
  type Field,
  type TensorType,
} from './schema';

export interface ParsedFile {
  readonly program: ProgramData;
  /** Axes of an input whose size the file leaves open, batch included, by tensor. */
  readonly openAxes: ReadonlyMap<number, readonly number[]>;
  /** Bytes that the file holds beside the program, by name. */
  readonly metadata: ReadonlyMap<string, Uint8Array>;
}

/** @throws AppError MODEL_CORRUPT, MODEL_UNSUPPORTED_OP, MODEL_TOO_LARGE */
export function parseFile(file: Uint8Array): ParsedFile {
  // Slices of a Buffer are views, those of a Uint8Array copies.
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  const identifier = new TextDecoder('latin1').decode(bytes.subarray(4, 8));
  if (identifier !== fileIdentifier) throw corrupt(`it has no ${fileIdentifier} identifier`);
  const model = FlatTable.root(bytes);
  const version = model.uint32(0);
  if (version !== schemaVersion) {
    throw corrupt(`its schema has version ${version}, not ${schemaVersion}`);
  }
  const buffers = model.tables(4).map((table) => bufferOf(table, bytes));
  const [subgraph] = model.tables(2);
  if (subgraph === undefined) throw corrupt('it has no subgraph');
  const tables = subgraph.tables(0);
  if (tables.length > maxTensors) throw tooLarge('Tensors', tables.length, maxTensors);
  const tensors = tables.map((table, i) => tensorOf(table, i, buffers));
  requireReasonableStorage(tensors, bytes.length);
  const codes = model.tables(1).map(codeOf);
  // Secateur names a tensor by the layer that makes it.
  const isOwn = model.string(3) === ownDescription;
  const nameOf = (tensor: string, operator: string): string =>
    isOwn && tensor !== '' ? tensor : layerName(tensor, operator);
  const operations = operationsOf(subgraph, codes, tensors, nameOf);
  const index = (list: readonly number[]): readonly number[] =>
    list.map((tensor) => checkedIndex(tensor, tensors.length, 'an input or output'));
  const signature = model.tables(7).find((table) => table.uint32(4) === 0);
  return {
    program: {
      name: subgraph.string(4) ?? 'model',
      tensors,
      buffers,
      operations,
      inputs: portsOf(index(subgraph.int32Vector(1)), signature?.tables(0), tensors),
      outputs: portsOf(index(subgraph.int32Vector(2)), signature?.tables(1), tensors),
    },
    openAxes: new Map(tables.map((table, i) => [i, openAxesOf(table)])),
    metadata: metadataOf(model, buffers),
  };
}

/** A buffer's bytes: in the flatbuffer, or behind it where the file is large. */
function bufferOf(table: FlatTable, bytes: Uint8Array): Uint8Array {
  const offset = table.uint64(1);
  if (offset <= 1) return table.byteVector(0) ?? new Uint8Array(0);
  const end = offset + table.uint64(2);
  if (end > bytes.length) throw corrupt(`a buffer reaches to byte ${end}, behind its end`);
  return bytes.subarray(offset, end);
}

const typeOfCode = new Map<number, TensorType>(
  Object.entries(tensorTypes).map(([type, code]) => [code, type as TensorType]),
);

function tensorOf(table: FlatTable, index: number, buffers: readonly Uint8Array[]): ProgramTensor {
  const name = table.string(3) ?? `tensor ${index}`;
  const code = table.int8(1);
  const type = typeOfCode.get(code);
  if (type === undefined) {
    throw unsupportedOperator(name, 'tensor', `its numbers are of type ${code}`);
  }
  if (table.table(6) !== null) {
    throw unsupportedOperator(name, 'tensor', 'it stores its numbers in a sparse form');
  }
  const shape = table.int32Vector(0);
  if (shape.length > maxRank || shape.some((size) => size < 0)) {
    throw corrupt(`tensor "${name}" has the shape [${shape.slice(0, 2 * maxRank).join(', ')}]`);
  }
  const buffer = checkedIndex(table.uint32(2), buffers.length, `tensor "${name}"`);
  const length = buffers[buffer]!.length;
  // No bytes at all are those of an activation; a stored tensor can be empty only where its shape is.
  const isStored = length > 0;
  const wanted = sizeOf(shape) * bytesPerElement[type];
  if (isStored && length !== wanted) {
    throw corrupt(`tensor "${name}" of ${wanted} bytes has a buffer of ${length}`);
  }
  const quantization = quantizationOf(table.table(4), shape, name);
  return { name, shape, type, buffer: isStored ? buffer : null, quantization };
}

/** Tensors may share a buffer, and each is read by itself. */
function requireReasonableStorage(tensors: readonly ProgramTensor[], fileBytes: number): void {
  const stored = tensors.filter(({ buffer }) => buffer !== null);
  const bytes = stored.reduce(
    (sum, { shape, type }) => sum + sizeOf(shape) * bytesPerElement[type],
    0,
  );
  const limit = maxExpanded(fileBytes);
  if (bytes > limit) throw tooLarge('Bytes of all stored tensors', bytes, limit);
}

function quantizationOf(
  table: FlatTable | null,
  shape: readonly number[],
  name: string,
): Quantization | null {
  const scales = table?.float32Vector(2) ?? [];
  if (table === null || scales.length === 0) return null;
  const axis = table.int32(6);
  const stored = table.int64Vector(3);
  const zeroPoints = stored.length === 0 ? scales.map(() => 0) : stored;
  const fits = scales.length === 1 || scales.length === shape[axis];
  const sound =
    fits &&
    zeroPoints.length === scales.length &&
    scales.every((scale) => Number.isFinite(scale) && scale >= 0) &&
    zeroPoints.every((point) => Math.abs(point) < 2 ** 31);
  if (!sound) throw corrupt(`tensor "${name}" has quantisation parameters that do not fit it`);
  return { scales: Float32Array.from(scales), zeroPoints: Int32Array.from(zeroPoints), axis };
}

/** Axes that the shape signature leaves open; the batch is one of them. */
function openAxesOf(table: FlatTable): readonly number[] {
  return table.int32Vector(7).flatMap((size, axis) => (size < 0 ? [axis] : []));
}

interface OperatorCode {
  readonly code: number;
  readonly custom: string | null;
  readonly version: number;
}

function codeOf(table: FlatTable): OperatorCode {
  // Files from before the four-byte field have the code in the one-byte field alone.
  const code = Math.max(table.int8(0), table.int32(3));
  return { code, custom: table.string(1), version: table.int32(2, 1) };
}

const operatorOfCode = new Map<number, OperatorName>(
  Object.entries(operators).map(([name, { code }]) => [code, name as OperatorName]),
);

const customCode = 32;

function operationsOf(
  subgraph: FlatTable,
  codes: readonly OperatorCode[],
  tensors: readonly ProgramTensor[],
  nameOf: (tensor: string, operator: string) => string,
): readonly Operation[] {
  const tables = subgraph.tables(3);
  if (tables.length > maxOperators) throw tooLarge('Operators', tables.length, maxOperators);
  return tables.map((table, i) => {
    const { code, custom, version } =
      codes[checkedIndex(table.uint32(0), codes.length, `operator ${i}`)]!;
    const operator = operatorOfCode.get(code);
    const name = custom !== null && code === customCode ? custom : operatorName(code);
    const optional = (tensor: number): number =>
      tensor === -1 ? -1 : checkedIndex(tensor, tensors.length, `operator ${i} (${name})`);
    const inputs = table.int32Vector(1).map(optional);
    const outputs = table
      .int32Vector(2)
      .map((tensor) => checkedIndex(tensor, tensors.length, `operator ${i} (${name})`));
    const layer = nameOf(tensors[outputs[0] ?? -1]?.name ?? '', name);
    if (operator === undefined) {
      const what =
        code === customCode ? 'a custom operator' : 'an operator that Secateur does not have';
      throw unsupportedOperator(layer, name, `it is ${what}`);
    }
    return { operator, version, inputs, outputs, options: optionsOf(table, operator), layer };
  });
}

/** All known options of an operator, those that the file leaves out at the schema's default. */
function optionsOf(operation: FlatTable, operator: OperatorName): Operation['options'] {
  const name = operators[operator].options;
  if (name === null) return {};
  const { union, fields } = optionTables[name];
  const stored = operation.uint8(3);
  const table = operation.table(4);
  if (table === null) return allOptions(operator, {});
  if (stored !== union) {
    throw corrupt(`an operator ${operator} has the options of another one (${stored})`);
  }
  const known = Object.entries(fields as Readonly<Record<string, Field>>);
  return Object.fromEntries(known.map(([key, field]) => [key, valueOf(table, field)]));
}

function valueOf(table: FlatTable, { id, type, fallback }: Field): OptionValue {
  switch (type) {
    case 'byte':
      return table.int8(id, fallback);
    case 'int':
      return table.int32(id, fallback);
    case 'float':
      return table.float32(id, fallback);
    case 'bool':
      return table.bool(id, fallback !== 0);
    case 'ints':
      return table.int32Vector(id);
  }
}

/** Inputs or outputs under the names of the signature, where there is one, else of the tensors. */
function portsOf(
  indices: readonly number[],
  signature: readonly FlatTable[] | undefined,
  tensors: readonly ProgramTensor[],
): readonly Port[] {
  const names = new Map(signature?.map((table) => [table.uint32(1), table.string(0) ?? '']));
  return indices.map((tensor) => {
    const name = names.get(tensor) ?? '';
    return { tensor, name: name === '' ? tensors[tensor]!.name : name };
  });
}

function metadataOf(
  model: FlatTable,
  buffers: readonly Uint8Array[],
): ReadonlyMap<string, Uint8Array> {
  return new Map(
    model.tables(6).map((table) => {
      const name = table.string(0) ?? '';
      return [name, buffers[checkedIndex(table.uint32(1), buffers.length, `metadata "${name}"`)]!];
    }),
  );
}

function checkedIndex(index: number, count: number, owner: string): number {
  if (index >= 0 && index < count) return index;
  throw corrupt(`${owner} refers to number ${index} of ${count}`);
}
