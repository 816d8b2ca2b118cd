// Reads a TensorFlow.js Layers model: model.json and the weight files beside it.

import { dirname } from 'node:path';
import type { EngineContext } from '../../context';
import { AppError } from '../../errors';
import { assembleModel, majorVersion } from '../keras-config/assemble';
import { isObject, type JsonObject } from '../keras-config/config';
import { parseTopology } from '../keras-config/topology';
import { loadWeights, parseManifest } from '../tfjs-weights/manifest';
import { readModelJson } from '../tfjs-weights/model-json';
import type { ImportResult, ModelReader } from '../types';
import { WeightStore } from './weight-store';

export const tfjsLayersReader: ModelReader = {
  format: 'tfjs-layers',
  detect(_path, head) {
    const text = new TextDecoder().decode(head.subarray(0, 64));
    return Promise.resolve(/^\uFEFF?\s*\{/.test(text));
  },
  read,
};

async function read(path: string, context: EngineContext): Promise<ImportResult> {
  const json = await readModelJson(path);
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

function requireLayersModel(json: JsonObject, path: string): void {
  if (isObject(json['modelTopology'])) return;
  throw new AppError(
    'MODEL_FORMAT_UNKNOWN',
    'This JSON file describes no TensorFlow.js model: it has no "modelTopology".',
    'Open the model.json of a TensorFlow.js model (tensorflowjs_converter makes one from a Keras file or a ' +
      'SavedModel).',
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
