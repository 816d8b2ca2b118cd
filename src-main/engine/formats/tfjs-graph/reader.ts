// Reads a TensorFlow.js graph model: model.json with TensorFlow's operations, and the weight files beside it.

import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname, resolve } from 'node:path';
import type { EngineContext } from '../../context';
import type { Graph, Model } from '../../graph/types';
import { assertFinite } from '../../graph/validate';
import { isObject, type JsonObject } from '../keras-config/config';
import { asCorrupt } from '../keras-config/errors';
import { maxJsonBytes } from '../keras-config/limits';
import { outputKindOf } from '../keras-config/output-kind';
import { fittingLabels, requireReasonableSize } from '../model-checks';
import { guessPreprocessing, startsWithRescaling } from '../preprocessing-guess';
import { readModelJson } from '../tfjs-weights/model-json';
import { loadWeights, parseManifest } from '../tfjs-weights/manifest';
import type { ImportResult, ModelReader } from '../types';
import { unsupportedOp } from './errors';
import { parseGraphDef } from './graph-def';
import { importGraphModel } from './import/model';
import { parseMetadata, type SecateurMetadata } from './metadata';
import { parseSignature, type Signature } from './signature';

export const tfjsGraphReader: ModelReader = {
  format: 'tfjs-graph',
  detect,
  read,
};

/** A JSON object that says so, near its beginning or anywhere, or that holds a GraphDef. */
async function detect(path: string, head: Uint8Array): Promise<boolean> {
  const text = new TextDecoder().decode(head);
  if (!/^\uFEFF?\s*\{/.test(text)) return false;
  return saysGraph(text) ?? saysGraph(await wholeText(path)) ?? false;
}

function saysGraph(text: string): boolean | null {
  const format = /"format"\s*:\s*"(graph|layers)-model"/.exec(text);
  if (format !== null) return format[1] === 'graph';
  return /"modelTopology"\s*:\s*\{\s*"(node|library|versions)"/.test(text) ? true : null;
}

/** Nothing for a file that is too large to be read. */
async function wholeText(path: string): Promise<string> {
  const { size } = await stat(path);
  return size > maxJsonBytes ? '' : readFile(path, 'utf8');
}

async function read(path: string, context: EngineContext): Promise<ImportResult> {
  const own = basename(path, extname(path));
  const folder = dirname(resolve(path));
  // A file with the usual name is called by its folder.
  const name = own === 'model' ? basename(folder) || own : own;
  return assembleGraphModel(await readModelJson(path), folder, context, name);
}

/**
 * The model of a model.json whose weight files lie in a folder.
 * @throws AppError MODEL_CORRUPT, MODEL_UNSAFE_PATH, MODEL_UNSUPPORTED_OP naming the node, MODEL_TOO_LARGE,
 * MODEL_NOT_FINITE, CANCELLED
 */
export async function assembleGraphModel(
  json: JsonObject,
  folder: string,
  context: EngineContext,
  name = 'model',
): Promise<ImportResult> {
  context.signal.throwIfAborted();
  const notes: string[] = [];
  const nodes = parseGraphDef(json['modelTopology']);
  refuseInitializer(json);
  const signature = parseSignature(json['signature'] ?? userSignature(json), nodes);
  const manifest = parseManifest(json['weightsManifest'] ?? []);
  const weights = await loadWeights(folder, manifest, context);
  context.signal.throwIfAborted();
  const { labels, secateur } = parseMetadata(json['userDefinedMetadata'], notes);
  const ordered = secateur === undefined ? signature : inOrder(signature, secateur);
  const source = { name: secateur?.name ?? name, nodes, signature: ordered, weights };
  const graph = importGraph(source, notes);
  requireReasonableSize(graph);
  assertFinite(graph);
  noteMissingNorms(graph, notes);
  const model: Model = {
    graph,
    preprocessing: secateur?.preprocessing ?? guessPreprocessing(graph),
    labels: fittingLabels(graph, labels, notes),
    outputKind: secateur?.outputKind ?? outputKindOf(graph),
  };
  const preprocessingKnown = secateur !== undefined || startsWithRescaling(graph);
  return { model, format: 'tfjs-graph', preprocessingKnown, notes };
}

function importGraph(model: Parameters<typeof importGraphModel>[0], notes: string[]): Graph {
  try {
    return importGraphModel(model, notes);
  } catch (error) {
    throw asCorrupt(error);
  }
}

/** Older converters put the signature into the metadata. */
function userSignature(json: JsonObject): unknown {
  const metadata = json['userDefinedMetadata'];
  return isObject(metadata) ? metadata['signature'] : undefined;
}

/** A second graph that fills tables before the first one runs. */
function refuseInitializer(json: JsonObject): void {
  const initializer = json['modelInitializer'];
  if (!isObject(initializer)) return;
  const [first] = parseGraphDef(initializer).values();
  if (first === undefined) return;
  throw unsupportedOp(
    first.name,
    first.op,
    'the model fills tables before it runs',
    'Cut the model off after its look-ups in tables and convert it again.',
  );
}

function inOrder({ inputs, outputs }: Signature, { outputs: names }: SecateurMetadata): Signature {
  const place = (name: string): number => {
    const index = names.indexOf(name);
    return index < 0 ? names.length : index;
  };
  return { inputs, outputs: [...outputs].sort((a, b) => place(a.name) - place(b.name)) };
}

/** The converter folds batch norms into the filters before them. */
function noteMissingNorms(graph: Graph, notes: string[]): void {
  const has = (op: string): boolean => graph.nodes.some((node) => node.op === op);
  if (!has('conv2d') || has('batchNorm')) return;
  notes.push(
    'The file has no batch normalisation: TensorFlow.js converters fold it into the filters before it. Network ' +
      'Slimming is not possible with this model, as it trains and ranks the gammas of batch normalisations; take ' +
      'another criterion, or import the model that the file was converted from.',
  );
}
