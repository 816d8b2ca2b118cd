// Reads a TensorFlow.js Layers model: model.json and the weight files beside it.

import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { EngineContext } from '../../context';
import { AppError, toAppError } from '../../errors';
import { GraphBuilder } from '../../graph/build';
import { inferShapes } from '../../graph/shapes';
import type { Graph, Model, Preprocessing } from '../../graph/types';
import { assertFinite, validateGraph } from '../../graph/validate';
import type { ImportResult, ModelReader } from '../types';
import { restoreComposites } from './composites';
import { isObject, type JsonObject } from './config';
import { corrupt, tooLarge } from './errors';
import { asCorrupt, importModel, type ImportSession } from './import/model';
import { maxActivationSize, maxJsonBytes } from './limits';
import { loadWeights, parseManifest } from './manifest';
import { userMetadataSchema, type SecateurMetadata } from './metadata';
import { outputKindOf } from './output-kind';
import { parseTopology } from './topology';
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

  const notes: string[] = [];
  const metadata = parseMetadata(json['userDefinedMetadata'], notes);
  const own = metadata.secateur;
  const session: ImportSession = {
    builder: new GraphBuilder(topology.name),
    weights,
    kerasMajor: kerasMajorOf(json),
    notes,
    nodeNames: own?.nodes ?? {},
    stored: new Map(),
  };
  const graph = buildGraph(session, topology, own);
  noteUnused(weights, notes);
  requireReasonableSize(graph);
  assertFinite(graph);
  const model: Model = {
    graph,
    preprocessing: own?.preprocessing ?? guessPreprocessing(graph),
    labels: fittingLabels(graph, metadata.labels, notes),
    outputKind: own?.outputKind ?? outputKindOf(graph),
  };
  const preprocessingKnown = own !== undefined || startsWithRescaling(graph);
  return { model, format: 'tfjs-layers', preprocessingKnown, notes };
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

function buildGraph(
  session: ImportSession,
  topology: ReturnType<typeof parseTopology>,
  own: SecateurMetadata | undefined,
): Graph {
  try {
    const outputs = importModel(session, topology, null);
    const names = own?.outputs.length === outputs.length ? own.outputs : outputs;
    outputs.forEach((tensor, i) => session.builder.output(tensor, names[i]));
    const graph = session.builder.build();
    if (own === undefined) return graph;
    const restored = withOrigins(restoreComposites(graph, own.composites), own.origins);
    validateGraph(restored);
    return restored;
  } catch (error) {
    throw asCorrupt(error);
  }
}

function withOrigins(graph: Graph, origins: SecateurMetadata['origins']): Graph {
  const nodes = graph.nodes.map((node) => {
    const origin = Object.hasOwn(origins, node.name) ? origins[node.name] : undefined;
    return origin === undefined ? node : { ...node, origin };
  });
  return { ...graph, nodes };
}

function parseMetadata(
  json: unknown,
  notes: string[],
): ReturnType<typeof userMetadataSchema.parse> {
  const result = userMetadataSchema.safeParse(json ?? {});
  if (result.success) return result.data;
  notes.push('The metadata in the file is not in a form that Secateur writes, and was left aside.');
  return {};
}

function kerasMajorOf(json: JsonObject): number {
  const topology = json['modelTopology'];
  const stated = isObject(topology) ? topology['keras_version'] : undefined;
  const version = /^(?:keras v)?(\d+)\./.exec(String(stated ?? json['generatedBy'] ?? ''));
  return version === null ? 0 : Number(version[1]);
}

function noteUnused(weights: WeightStore, notes: string[]): void {
  const unused = weights.unused();
  if (unused.length === 0) return;
  const some = unused.slice(0, 3).join(', ');
  const more = unused.length > 3 ? ` and ${unused.length - 3} more` : '';
  notes.push(`Weights that belong to no layer were left out: ${some}${more}.`);
}

function requireReasonableSize(graph: Graph): void {
  for (const [tensor, shape] of inferShapes(graph)) {
    const size = shape.reduce((product, axis) => product * axis, 1);
    if (size > maxActivationSize) {
      throw tooLarge(`Numbers in the output of "${tensor}"`, size, maxActivationSize);
    }
  }
}

function startsWithRescaling(graph: Graph): boolean {
  const inputs = new Set(graph.inputs.map(({ tensor }) => tensor));
  const readers = graph.nodes.filter((node) => node.inputs.some((tensor) => inputs.has(tensor)));
  return readers.length > 0 && readers.every(({ op }) => op === 'rescale');
}

/** Pixels from 0 to 1, unless the model begins by rescaling raw pixels itself. */
function guessPreprocessing(graph: Graph): Preprocessing {
  const channels = graph.inputs[0]?.shape.at(-1);
  return {
    scale: startsWithRescaling(graph) ? 1 : 1 / 255,
    mean: [0],
    std: [1],
    channelOrder: channels === 1 ? 'gray' : 'rgb',
  };
}

function fittingLabels(
  graph: Graph,
  labels: readonly string[] | undefined,
  notes: string[],
): readonly string[] | null {
  if (labels === undefined) return null;
  const classes = inferShapes(graph).get(graph.outputs[0]!.tensor)!.at(-1);
  if (labels.length === classes) return labels;
  notes.push(
    `The file names ${labels.length} labels for ${classes ?? 0} outputs; they were left out.`,
  );
  return null;
}
