// Recognises an ONNX file by its fields: protobuf has no signature, but a ModelProto has a number, some short texts
// and one graph, each with a tag of its own.

import { open } from 'node:fs/promises';

/** Wire types of ModelProto's fields: 0 for numbers, 2 for everything with a length. */
const wireTypes: Readonly<Record<number, number>> = {
  1: 0, // ir_version
  2: 2, // producer_name
  3: 2, // producer_version
  4: 2, // domain
  5: 0, // model_version
  6: 2, // doc_string
  7: 2, // graph
  8: 2, // opset_import
  14: 2, // metadata_props
  20: 2, // training_info
  25: 2, // functions
  26: 2, // configuration
};
const graphField = 7;
const versionField = 1;
const maxVersion = 64;
/** Fields in front of the graph that are stepped over: the texts and metadata of real files are far fewer. */
const maxFields = 1000;
/** A tag and a length take at most ten bytes. */
const stepBytes = 24;

/** Whether a file's first fields are those of an ONNX model; one that ends within them still is one, cut off. */
export async function isOnnx(path: string, head: Uint8Array): Promise<boolean> {
  const first = readField(head);
  if (first === null || !isExpected(first)) return false;
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const bytes = new Uint8Array(stepBytes);
    let offset = 0;
    let version = false;
    let graph = false;
    for (let i = 0; i < maxFields && offset < size && !(version && graph); i++) {
      const { bytesRead } = await handle.read(bytes, 0, stepBytes, offset);
      const field = readField(bytes.subarray(0, bytesRead));
      if (field === null || !isExpected(field)) return version && field === null;
      if (field.number === graphField) graph = true;
      if (field.number === versionField) {
        if (field.value < 1 || field.value > maxVersion) return false;
        version = true;
      }
      offset += field.size;
    }
    return version;
  } finally {
    await handle.close();
  }
}

interface Field {
  readonly number: number;
  readonly wireType: number;
  /** The number, or the length of what follows. */
  readonly value: number;
  /** Bytes of the whole field. */
  readonly size: number;
}

function isExpected({ number, wireType }: Field): boolean {
  return Object.hasOwn(wireTypes, number) && wireTypes[number] === wireType;
}

/** The tag and the value at the beginning of some bytes; null where they end before or are no such thing. */
function readField(bytes: Uint8Array): Field | null {
  const tag = readVarint(bytes, 0);
  if (tag === null) return null;
  const value = readVarint(bytes, tag.end);
  if (value === null) return null;
  const wireType = tag.value & 7;
  const size = wireType === 2 ? value.end + value.value : value.end;
  return { number: tag.value >>> 3, wireType, value: value.value, size };
}

function readVarint(bytes: Uint8Array, start: number): { value: number; end: number } | null {
  let value = 0;
  for (let i = start; i < Math.min(bytes.length, start + 10); i++) {
    value += (bytes[i]! & 127) * 2 ** (7 * (i - start));
    if (bytes[i]! < 128) return { value, end: i + 1 };
  }
  return null;
}
