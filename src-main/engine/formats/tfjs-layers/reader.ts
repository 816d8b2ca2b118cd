// Reads a TensorFlow.js Layers model: model.json and the weight files beside it.

import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { EngineContext } from '../../context';
import { AppError, toAppError } from '../../errors';
import { assembleModel, majorVersion } from '../keras-config/assemble';
import { isObject, type JsonObject } from '../keras-config/config';
import { corrupt, tooLarge } from '../keras-config/errors';
import { maxJsonBytes } from '../keras-config/limits';
import { parseTopology } from '../keras-config/topology';
import type { ImportResult, ModelReader } from '../types';
import { loadWeights, parseManifest } from './manifest';
import { WeightStore } from './weight-store';

export const tfjsLayersReader: ModelReader = {
  format: 'tfjs-layers',
  title: 'TensorFlow.js Layers',
  extensions: ['json'],
  detect(_path, head) {
    const text = new TextDecoder().decode(head.subarray(0, 64));
    return Promise.resolve(/^\uFEFF?\s*\{/.test(text));
  },
  read,
};

async function read(path: string, context: EngineContext): Promise<ImportResult> {
  const json = await readJson(path);
  requireLayersModel(json, path);
  context.signal.throwIfAborted();
  const topology = parseTopology(json['modelTopology']);
  const manifest = parseManifest(json['weightsManifest'] ?? []);
  const weights = new WeightStore(await loadWeights(dirname(path), manifest, context));
  const metadata = json['userDefinedMetadata'];
  const { notes, ...assembled } = assembleModel({
    topology,
    weights,
    kerasMajor: kerasMajorOf(json),
    metadata,
  });
  noteUnused(weights, notes);
  return { ...assembled, format: 'tfjs-layers', notes };
}

async function readJson(path: string): Promise<JsonObject> {
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > maxJsonBytes) throw tooLarge('Bytes of model.json', size, maxJsonBytes);
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw toAppError(error);
  }
  try {
    const json: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    if (isObject(json)) return json;
  } catch (error) {
    // A SyntaxError, or a RangeError for brackets nested deeper than the parser's stack.
    const why = error instanceof Error ? error.message : String(error);
    throw corrupt(`model.json is not valid JSON: ${why.slice(0, 200)}`, { path }, error);
  }
  throw corrupt('model.json does not hold an object', { path });
}

function requireLayersModel(json: JsonObject, path: string): void {
  const isGraphModel = json['format'] === 'graph-model';
  if (!isGraphModel && isObject(json['modelTopology'])) return;
  const message = isGraphModel
    ? 'This is a TensorFlow.js graph model, which a later version of Secateur will read.'
    : 'This JSON file describes no TensorFlow.js model: it has no "modelTopology".';
  throw new AppError(
    'MODEL_FORMAT_UNKNOWN',
    message,
    'Open the model.json of a TensorFlow.js Layers model (tensorflowjs_converter ' +
      '--output_format=tfjs_layers_model makes one from a Keras file).',
    { details: { path } },
  );
}

function kerasMajorOf(json: JsonObject): number {
  const topology = json['modelTopology'];
  const stated = isObject(topology) ? topology['keras_version'] : undefined;
  return majorVersion(stated ?? json['generatedBy']);
}

function noteUnused(weights: WeightStore, notes: string[]): void {
  const unused = weights.unused();
  if (unused.length === 0) return;
  const some = unused.slice(0, 3).join(', ');
  const more = unused.length > 3 ? ` and ${unused.length - 3} more` : '';
  notes.push(`Weights that belong to no layer were left out: ${some}${more}.`);
}
