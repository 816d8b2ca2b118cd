// Reads a TensorFlow.js graph model: model.json with TensorFlow's operations, and the weight files beside it.

import { open } from 'node:fs/promises';
import { basename, dirname, extname, resolve } from 'node:path';
import type { EngineContext } from '../../context';
import type { Graph, Model } from '../../graph/types';
import { assertFinite } from '../../graph/validate';
import { isObject, type JsonObject } from '../keras-config/config';
import { outputKindOf } from '../keras-config/output-kind';
import { fittingLabels, requireReasonableSize } from '../model-checks';
import { guessPreprocessing, startsWithRescaling } from '../preprocessing-guess';
import { readModelJson } from '../tfjs-weights/model-json';
import { loadWeights, parseManifest } from '../tfjs-weights/manifest';
import type { ImportResult, ModelReader } from '../types';
import { unsupportedOp } from './errors';
import { parseGraphDef } from './graph-def';
import { asCorrupt, importGraphModel } from './import/model';
import { parseMetadata, type SecateurMetadata } from './metadata';
import { parseSignature, type Signature } from './signature';

export const tfjsGraphReader: ModelReader = {
  format: 'tfjs-graph',
  title: 'TensorFlow.js graph model',
  extensions: ['json'],
  detect,
  read,
};

/** A JSON file that calls itself so near its beginning or its end, or one with a GraphDef. */
async function detect(path: string, head: Uint8Array): Promise<boolean> {
  const text = new TextDecoder().decode(head);
  if (!/^\uFEFF?\s*\{/.test(text)) return false;
  const saysWhich = /"format"\s*:\s*"(graph|layers)-model"/.exec(text + (await tailOf(path)));
  if (saysWhich !== null) return saysWhich[1] === 'graph';
  return /"modelTopology"\s*:\s*\{\s*"(node|library|versions)"/.test(text);
}

const tailLength = 512;

async function tailOf(path: string): Promise<string> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const tail = new Uint8Array(tailLength);
    const { bytesRead } = await handle.read(tail, 0, tailLength, Math.max(0, size - tailLength));
    return new TextDecoder().decode(tail.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}

async function read(path: string, context: EngineContext): Promise<ImportResult> {
  const json = await readModelJson(path);
  context.signal.throwIfAborted();
  const notes: string[] = [];
  const nodes = parseGraphDef(json['modelTopology']);
  refuseInitializer(json);
  const signature = parseSignature(json['signature'] ?? userSignature(json), nodes);
  const manifest = parseManifest(json['weightsManifest'] ?? []);
  const weights = await loadWeights(dirname(path), manifest, context);
  context.signal.throwIfAborted();
  const { labels, secateur } = parseMetadata(json['userDefinedMetadata'], notes);
  const ordered = secateur === undefined ? signature : inOrder(signature, secateur);
  const name = secateur?.name ?? nameOf(path);
  const graph = importGraph({ name, nodes, signature: ordered, weights }, notes);
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

/** The folder's name for a file with the usual name. */
function nameOf(path: string): string {
  const own = basename(path, extname(path));
  return own === 'model' ? basename(dirname(resolve(path))) || own : own;
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
