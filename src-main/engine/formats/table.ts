// All formats: which reader a file is for, and the writers. A new format is registered here.

import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineContext } from '../context';
import { AppError, toAppError } from '../errors';
import type { Model } from '../graph/types';
import { catalogue, formats } from './catalogue';
import { kerasH5Reader, kerasReader } from './keras/reader';
import { kerasH5Writer, kerasWriter } from './keras/writer';
import { onnxReader } from './onnx/reader';
import { onnxWriter } from './onnx/writer';
import { sniff } from './sniff';
import { tfjsGraphReader } from './tfjs-graph/reader';
import { tfjsGraphWriter } from './tfjs-graph/writer';
import { tfjsLayersReader } from './tfjs-layers/reader';
import { tfjsLayersWriter } from './tfjs-layers/writer';
import { tfliteReader } from './tflite/reader';
import { tfliteWriter } from './tflite/writer';
import type {
  ImportResult,
  ModelReader,
  ModelWriter,
  ReadFormat,
  WriteFormat,
  WriteOptions,
  WrittenFile,
} from './types';

export const readers: readonly ModelReader[] = [
  tfjsGraphReader,
  tfjsLayersReader,
  kerasReader,
  kerasH5Reader,
  tfliteReader,
  onnxReader,
];
export const writers: readonly ModelWriter[] = [
  tfjsLayersWriter,
  tfjsGraphWriter,
  tfliteWriter,
  kerasWriter,
  kerasH5Writer,
  onnxWriter,
];

/** The writer of a format. @throws AppError INVALID_ARGUMENT when there is none */
export function formatWriter(format: WriteFormat): ModelWriter {
  const writer = writers.find((candidate) => candidate.format === format);
  if (writer !== undefined) return writer;
  throw new AppError(
    'INVALID_ARGUMENT',
    `There is no format "${String(format)}".`,
    `Take one of: ${writers.map((known) => known.format).join(', ')}.`,
  );
}

/** Bytes that are looked at to recognise a file. */
const headLength = 512;

/**
 * The format of a file, by its content. A folder stands for the model.json in it.
 * @throws AppError MODEL_FORMAT_UNKNOWN saying what the file is instead, MODEL_CORRUPT when it is empty,
 * FILE_UNREADABLE
 */
export async function detectFormat(path: string): Promise<ReadFormat> {
  return (await findReader(await modelFile(path))).format;
}

/**
 * Reads a model of any format, to be worked on.
 * @throws AppError MODEL_FORMAT_UNKNOWN, MODEL_CORRUPT, MODEL_UNSAFE_PATH, MODEL_UNSUPPORTED_OP,
 * MODEL_TOO_LARGE, MODEL_NOT_FINITE, MODEL_QUANTIZED, FILE_UNREADABLE, CANCELLED
 */
export async function readModel(path: string, context: EngineContext): Promise<ImportResult> {
  const result = await inspectModel(path, context);
  if (result.quantized === undefined) return result;
  throw new AppError(
    'MODEL_QUANTIZED',
    `The file holds integers (${result.quantized.length} quantised tensors): its weights are rounded already.`,
    'Import the float model that it was made from; Secateur quantises the cut one when it exports. ' +
      '"inspect" shows the layers and quantisation parameters of this one.',
    { details: { path } },
  );
}

/** Reads a model of any format, to be looked at: one of integers, too. @throws AppError as `readModel` */
export async function inspectModel(path: string, context: EngineContext): Promise<ImportResult> {
  const file = await modelFile(path);
  const reader = await findReader(file);
  return reader.read(file, context);
}

/** The files of a model in a format, in memory. @throws AppError EXPORT_UNSUPPORTED, INVALID_ARGUMENT */
export function writeModel(
  model: Model,
  format: WriteFormat,
  options: WriteOptions,
): Promise<readonly WrittenFile[]> {
  return formatWriter(format).write(model, options);
}

async function modelFile(path: string): Promise<string> {
  try {
    return (await stat(path)).isDirectory() ? join(path, 'model.json') : path;
  } catch (error) {
    throw toAppError(error);
  }
}

async function findReader(path: string): Promise<ModelReader> {
  const head = await readHead(path);
  if (head.length === 0) {
    throw new AppError('MODEL_CORRUPT', `The file is empty: ${path}.`, 'Copy or export it again.', {
      details: { path },
    });
  }
  for (const reader of readers) {
    if (await reader.detect(path, head)) return reader;
  }
  throw unknownFormat(path, head);
}

async function readHead(path: string): Promise<Uint8Array> {
  try {
    const handle = await open(path, 'r');
    try {
      const head = new Uint8Array(headLength);
      const { bytesRead } = await handle.read(head, 0, headLength, 0);
      return head.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw toAppError(error);
  }
}

function unknownFormat(path: string, head: Uint8Array): AppError {
  const kind = sniff(head);
  const known = formats.map((format) => catalogue[format].title).join(', ');
  const what = kind === null ? 'its content is of no known kind' : `it is ${kind.name}`;
  const hint = kind?.advice ?? `Choose a model file. Secateur reads ${known}.`;
  return new AppError(
    'MODEL_FORMAT_UNKNOWN',
    `The file cannot be read as a model: ${what}.`,
    hint,
    {
      details: { path, kind: kind?.name ?? null },
    },
  );
}
