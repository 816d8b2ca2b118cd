// Reads a TensorFlow Lite model. Files of float32 and float16 numbers are imported; those of integers can only be looked
// at.

import { readFile, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import type { EngineContext } from '../../context';
import { toAppError } from '../../errors';
import type { Graph, Model, NodeId, Op } from '../../graph/types';
import { assertFinite, validateGraph } from '../../graph/validate';
import { outputKindOf } from '../keras-config/output-kind';
import { fittingLabels, requireReasonableSize } from '../model-checks';
import { guessPreprocessing, startsWithRescaling } from '../preprocessing-guess';
import type { ImportResult, ModelReader, QuantizedTensor } from '../types';
import { corrupt, tooLarge, unsupportedOperator } from './errors';
import { maxFileBytes } from './limits';
import { readMetadata } from './metadata/read';
import { metadataName } from './metadata/schema';
import { parseFile, type ParsedFile } from './parse';
import type { ProgramData } from './program';
import { raiseProgram } from './read/raise';
import { fileIdentifier } from './schema';

export const tfliteReader: ModelReader = {
  format: 'tflite',
  detect(_path, head) {
    return Promise.resolve(
      new TextDecoder('latin1').decode(head.subarray(4, 8)) === fileIdentifier,
    );
  },
  async read(path, context) {
    return readTflite(await readBytes(path), basename(path, extname(path)), context);
  },
};

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > maxFileBytes) throw tooLarge('Bytes of the file', size, maxFileBytes);
    return await readFile(path);
  } catch (error) {
    throw toAppError(error);
  }
}

/** @throws AppError MODEL_CORRUPT, MODEL_UNSUPPORTED_OP, MODEL_TOO_LARGE, MODEL_NOT_FINITE, CANCELLED */
export async function readTflite(
  bytes: Uint8Array,
  name: string,
  context: EngineContext,
): Promise<ImportResult> {
  const file = parseFile(bytes);
  context.signal.throwIfAborted();
  requireFixedInputs(file);
  const isOpen = (tensor: number, axis: number): boolean =>
    file.openAxes.get(tensor)?.includes(axis) ?? false;
  const { graph: raised } = raiseProgram(file.program, isOpen);
  context.signal.throwIfAborted();
  const graph = withoutUnread({ ...raised, name });
  requireReasonableSize(graph);
  validateGraph(graph);
  assertFinite(graph);
  const channels = graph.inputs[0]!.shape.at(-1) ?? 1;
  const metadata = await readMetadata(file.metadata.get(metadataName), bytes, channels);
  const notes = [...metadata.notes, ...foldedNormNote(graph)];
  const model: Model = {
    graph: { ...graph, name: metadata.name || name },
    preprocessing: metadata.preprocessing ?? guessPreprocessing(graph),
    labels: fittingLabels(graph, metadata.labels ?? undefined, notes),
    outputKind: outputKindOf(graph),
  };
  const quantized = quantizedTensors(file.program);
  return {
    model,
    format: 'tflite',
    preprocessingKnown: metadata.preprocessing !== null || startsWithRescaling(graph),
    notes,
    ...(quantized.length === 0 ? {} : { quantized }),
  };
}

function requireFixedInputs({ program, openAxes }: ParsedFile): void {
  for (const { name, tensor } of program.inputs) {
    const open = (openAxes.get(tensor) ?? []).filter((axis) => axis > 0);
    if (open.length === 0) continue;
    throw unsupportedOperator(
      name,
      'input',
      `axis ${open.join(' and ')} of its shape has no fixed size`,
    );
  }
  if (program.inputs.length === 0) throw corrupt('it has no inputs');
  if (program.outputs.length === 0) throw corrupt('it has no outputs');
}

/** Converters fold batch norms away; what that rules out. */
function foldedNormNote({ nodes }: Graph): readonly string[] {
  const has = (...ops: readonly Op[]): boolean => nodes.some(({ op }) => ops.includes(op));
  if (!has('conv2d', 'depthwiseConv2d') || has('batchNorm')) return [];
  return [
    'The model has no batch norm left: the converter has folded them into the convolutions. Network Slimming is not ' +
      'possible on it, because that ranks channels by the scale (gamma) of their batch norm; the other methods are. ' +
      'Batch norms that change nothing can be put back for training with sparsity: --reinsert-bn, or the tick in the window.',
  ];
}

/** The graph without layers that no output depends on, and without their weights. */
function withoutUnread(graph: Graph): Graph {
  const wanted = new Set(graph.outputs.map(({ tensor }) => tensor));
  const kept = new Set<NodeId>();
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((tensor) => wanted.has(tensor))) continue;
    kept.add(node.id);
    for (const tensor of node.inputs) wanted.add(tensor);
  }
  const nodes = graph.nodes.filter(({ id }) => kept.has(id));
  const weights = new Set(nodes.flatMap((node) => Object.values(node.weights)));
  return {
    ...graph,
    nodes,
    weights: new Map([...graph.weights].filter(([id]) => weights.has(id))),
  };
}

/** Tensors of integers that stand for real numbers; none in a file of real numbers. */
function quantizedTensors(program: ProgramData): readonly QuantizedTensor[] {
  return program.tensors.flatMap(({ name, shape, type, buffer, quantization }) => {
    if (quantization === null || type === 'float32' || type === 'float16') return [];
    const scales = [...quantization.scales];
    return {
      name,
      type,
      shape,
      isStored: buffer !== null,
      scales,
      zeroPoints: [...quantization.zeroPoints],
      axis: scales.length > 1 ? quantization.axis : null,
    };
  });
}
