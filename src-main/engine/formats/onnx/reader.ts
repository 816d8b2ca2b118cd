// Reads an ONNX model, with the weight files beside it if it has any.

import { stat } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import type { EngineContext } from '../../context';
import { toAppError } from '../../errors';
import { GraphBuilder } from '../../graph/build';
import { inferShapes } from '../../graph/shapes';
import type { Graph, Model, Preprocessing } from '../../graph/types';
import { assertFinite, validateGraph } from '../../graph/validate';
import { outputKindOf } from '../keras-config/output-kind';
import { fittingLabels, withOrigins } from '../model-checks';
import { guessPreprocessing, startsWithRescaling } from '../preprocessing-guess';
import type { ImportResult, ModelReader } from '../types';
import { isOnnx } from './detect';
import { asCorrupt, corrupt, tooLarge } from './errors';
import { loadExternal } from './external';
import { readPart } from './file';
import { foldConstants } from './fold/table';
import { fuseNodes } from './fuse';
import { ImportSession } from './import/session';
import { maxFileBytes } from './limits';
import { readMetadata, type ReadMetadata } from './metadata';
import { readGraph, type OnnxGraph } from './model';
import { patterns } from './patterns';
import { decodeModelProto } from './proto/codec';
import type { ModelProto } from './proto/messages';
import { tidyGraph } from './tidy';

export const onnxReader: ModelReader = {
  format: 'onnx',
  detect: isOnnx,
  read,
};

/** The newest operators that were there when this was written. */
const newestOpset = 21;

async function read(path: string, context: EngineContext): Promise<ImportResult> {
  const proto = decodeModelProto(await readFile(path, context));
  const source = await readSource(proto, dirname(path), context);
  const session = new ImportSession(source, new GraphBuilder(graphName(source, path)));
  if (source.opset > newestOpset) {
    session.note(
      `The file uses version ${source.opset} of the ONNX operators; they are read as those of version ${newestOpset}.`,
    );
  }
  const metadata = readMetadata(source.metadata, (text) => session.note(text));
  const graph = finished(await session.run(context), metadata);
  noteFoldedNorms(graph, session);
  const labelNotes: string[] = [];
  const model: Model = {
    graph,
    preprocessing: metadata.preprocessing ?? guessedPreprocessing(graph, source),
    labels: fittingLabels(graph, metadata.labels, labelNotes),
    outputKind: metadata.own?.outputKind ?? outputKindOf(graph),
  };
  return {
    model,
    format: 'onnx',
    preprocessingKnown: metadata.preprocessing !== undefined || startsWithRescaling(graph),
    notes: [...session.notes, ...labelNotes],
  };
}

async function readFile(path: string, context: EngineContext): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > maxFileBytes) throw tooLarge('Bytes of the file', size, maxFileBytes);
    return await readPart(path, 0, size, context);
  } catch (error) {
    throw toAppError(error);
  }
}

async function readSource(
  proto: ModelProto,
  folder: string,
  context: EngineContext,
): Promise<OnnxGraph> {
  if (!proto.graph) throw corrupt('It holds no graph');
  const external = await loadExternal(folder, proto.graph, context);
  return fuseNodes(foldConstants(readGraph(proto, external)), patterns);
}

/** Names that exporters give every graph say less than the file's. */
const meaningless = /^(|main|graph|main_graph|torch[-_]jit.*|tf2onnx|.*-export)$/;

function graphName({ name }: OnnxGraph, path: string): string {
  return meaningless.test(name) ? basename(path, extname(path)) || 'model' : name;
}

function finished(graph: Graph, { own }: ReadMetadata): Graph {
  const tidy = tidyGraph(graph);
  const result = own === undefined ? tidy : withOrigins(tidy, own.origins);
  try {
    validateGraph(result);
  } catch (error) {
    throw asCorrupt(error);
  }
  assertFinite(result);
  return result;
}

/** Exporters put batch norms into the convolutions in front of them unless they are told not to. */
function noteFoldedNorms({ nodes }: Graph, session: ImportSession): void {
  const has = (...ops: readonly string[]): boolean => nodes.some(({ op }) => ops.includes(op));
  if (!has('conv2d', 'depthwiseConv2d') || has('batchNorm', 'groupNorm', 'layerNorm')) return;
  session.note(
    'The model has no batch norm left: the exporter has folded them into the convolutions. Network Slimming is not ' +
      'possible on it, because that ranks channels by the scale (gamma) of their batch norm; the other methods are. To ' +
      'keep the batch norms, export with training=torch.onnx.TrainingMode.PRESERVE and do_constant_folding=False ' +
      '(dynamo=False), or with optimize=False (dynamo=True).',
  );
}

/** torchvision's classifiers of ImageNet are all fed like this. */
const imageNet: Preprocessing = {
  scale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
  channelOrder: 'rgb',
};

function guessedPreprocessing(graph: Graph, { producer }: OnnxGraph): Preprocessing {
  const shapes = inferShapes(graph);
  const classes = shapes.get(graph.outputs[0]!.tensor)!;
  const isImageNet =
    producer === 'pytorch' &&
    graph.inputs[0]!.shape.at(-1) === 3 &&
    classes.length === 1 &&
    classes[0] === 1000 &&
    !startsWithRescaling(graph);
  return isImageNet ? imageNet : guessPreprocessing(graph);
}
