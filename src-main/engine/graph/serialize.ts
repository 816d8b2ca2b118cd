// The project's own container for the content of a version: one model, read back bit for bit.
//
//   0  8 bytes   the letters SECATEUR
//   8  uint32    version of this layout
//  12  uint32    length of the header in bytes
//  16  header    JSON in UTF-8: `modelHeaderSchema`
//      weights   raw numbers in the header's order, each at the next multiple of 64 bytes
//
// All numbers are little-endian. Offsets follow from the shapes, so they cannot contradict them, and the file
// must end where the last weight does: nothing is allocated that the file does not hold.
import { z } from 'zod';
import { AppError, toAppError } from '../errors';
import { sizeOf } from './ops/check';
import { modelHeaderSchema } from './schema';
import type { ModelHeader } from './schema';
import type { DType, Graph, Model, Weight, WeightId } from './types';
import { validateGraph } from './validate';

const magic = new TextEncoder().encode('SECATEUR');
const layoutVersion = 1;
const headerStart = 16;
const alignment = 64;
/** A header of this size would describe some hundred thousand layers. */
const maxHeaderBytes = 64 * 1024 * 1024;

const bytesPerElement: Readonly<Record<DType, number>> = { float32: 4, int32: 4, bool: 1 };

function corrupt(problem: string, cause?: unknown): AppError {
  return new AppError(
    'MODEL_CORRUPT',
    `The stored model is damaged: ${problem}.`,
    'Take another version or import the model again; the file was not changed.',
    cause === undefined ? {} : { cause },
  );
}

/** Where a header is wrong, and how: "graph.nodes[3].attrs.units: expected number". */
function firstIssue({ issues: [issue] }: z.ZodError): string {
  return issue === undefined ? 'unknown' : `${z.core.toDotPath(issue.path)}: ${issue.message}`;
}

function alignUp(offset: number): number {
  return Math.ceil(offset / alignment) * alignment;
}

/** Offset of each weight, and the length of the whole file. */
function layOut(
  headerBytes: number,
  weights: ModelHeader['weights'],
): { readonly offsets: readonly number[]; readonly end: number } {
  const offsets: number[] = [];
  let end = headerStart + headerBytes;
  for (const { shape, dtype } of weights) {
    const offset = alignUp(end);
    offsets.push(offset);
    end = offset + sizeOf(shape) * bytesPerElement[dtype];
  }
  return { offsets, end };
}

/**
 * Writes a model.
 * @throws AppError GRAPH_INVALID when the model holds what could not be read back (a number that is not finite
 * among the attributes, say).
 */
export function encodeModel(model: Model): Uint8Array {
  const { graph, preprocessing, labels, outputKind } = model;
  const { name, inputs, outputs, nodes } = graph;
  const header = {
    graph: { name, inputs, outputs, nodes },
    weights: Array.from(graph.weights, ([id, { shape, dtype }]) => ({ id, shape, dtype })),
    preprocessing,
    labels,
    outputKind,
  };
  const checked = modelHeaderSchema.safeParse(header);
  if (!checked.success) {
    throw new AppError(
      'GRAPH_INVALID',
      `The model cannot be stored: ${firstIssue(checked.error)}.`,
      'This is a bug in Secateur or in an importer; nothing was written.',
    );
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const { offsets, end } = layOut(json.length, checked.data.weights);
  const bytes = new Uint8Array(end);
  const view = new DataView(bytes.buffer);
  bytes.set(magic);
  view.setUint32(8, layoutVersion, true);
  view.setUint32(12, json.length, true);
  bytes.set(json, headerStart);
  [...graph.weights.values()].forEach(({ data }, i) => {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offsets[i]!);
  });
  return bytes;
}

/**
 * Reads a model. Weights are views into `bytes` where its alignment allows, so `bytes` must not be changed.
 * @throws AppError MODEL_CORRUPT for anything but a whole, consistent file; PROJECT_NEWER for a later layout.
 */
export function decodeModel(bytes: Uint8Array): Model {
  const header = readHeader(bytes);
  const { offsets, end } = layOut(headerLength(bytes), header.weights);
  if (end !== bytes.length) {
    throw corrupt(`its weights end at byte ${end}, the file has ${bytes.length}`);
  }
  const weights = new Map<WeightId, Weight>();
  for (const [i, { id, shape, dtype }] of header.weights.entries()) {
    if (weights.has(id)) throw corrupt(`the weight "${id}" is there twice`);
    weights.set(id, { shape, dtype, data: readWeight(bytes, offsets[i]!, sizeOf(shape), dtype) });
  }
  const graph: Graph = { ...header.graph, weights };
  try {
    validateGraph(graph);
  } catch (error) {
    throw corrupt(toAppError(error).message.replace(/\.$/, ''), error);
  }
  const { preprocessing, labels, outputKind } = header;
  return { graph, preprocessing, labels, outputKind };
}

function headerLength(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(12, true);
}

function readHeader(bytes: Uint8Array): ModelHeader {
  if (bytes.length < headerStart || magic.some((byte, i) => bytes[i] !== byte)) {
    throw corrupt('it does not begin like one');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(8, true);
  if (version !== layoutVersion) {
    throw new AppError(
      'PROJECT_NEWER',
      `The stored model has layout ${version}; this Secateur reads layout ${layoutVersion}.`,
      'Open the project with the version of Secateur that wrote it, or a later one.',
    );
  }
  const length = headerLength(bytes);
  if (length > maxHeaderBytes || headerStart + length > bytes.length) {
    throw corrupt(`its header of ${length} bytes does not fit`);
  }
  let json: unknown;
  try {
    const text = bytes.subarray(headerStart, headerStart + length);
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
  } catch (error) {
    throw corrupt('its header is not readable', error);
  }
  const parsed = modelHeaderSchema.safeParse(json);
  if (!parsed.success) throw corrupt(firstIssue(parsed.error), parsed.error);
  return parsed.data;
}

function readWeight(
  bytes: Uint8Array,
  offset: number,
  length: number,
  dtype: DType,
): Weight['data'] {
  const size = bytesPerElement[dtype];
  const part = bytes.subarray(offset, offset + length * size);
  const { buffer, byteOffset } = part.byteOffset % size === 0 ? part : new Uint8Array(part);
  if (dtype === 'float32') return new Float32Array(buffer, byteOffset, length);
  if (dtype === 'int32') return new Int32Array(buffer, byteOffset, length);
  return new Uint8Array(buffer, byteOffset, length);
}
