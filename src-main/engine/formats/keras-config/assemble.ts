// From the layers of a model and where its weights are to a model: what every format does that describes its
// layers as Keras does.

import { GraphBuilder } from '../../graph/build';
import type { Graph, Model } from '../../graph/types';
import { assertFinite, validateGraph } from '../../graph/validate';
import { fittingLabels, requireReasonableSize, withOrigins } from '../model-checks';
import { guessPreprocessing, startsWithRescaling } from '../preprocessing-guess';
import { restoreComposites } from './composites';
import { asCorrupt } from './errors';
import { importModel, type ImportSession } from './import/model';
import { userMetadataSchema, type SecateurMetadata } from './metadata';
import { outputKindOf } from './output-kind';
import type { ModelSpec } from './topology';
import type { WeightSource } from './weights';

export interface DescribedModel {
  readonly topology: ModelSpec;
  readonly weights: WeightSource;
  /** Version of Keras that made the file, 0 when TensorFlow.js or nobody did. */
  readonly kerasMajor: number;
  /** What Secateur added when it wrote the file, as it stands there. */
  readonly metadata: unknown;
}

export interface AssembledModel {
  readonly model: Model;
  readonly preprocessingKnown: boolean;
  readonly notes: string[];
}

/**
 * @throws AppError MODEL_CORRUPT, MODEL_UNSUPPORTED_OP naming the layer, MODEL_TOO_LARGE, MODEL_NOT_FINITE
 */
export function assembleModel(described: DescribedModel): AssembledModel {
  const { topology, weights, kerasMajor } = described;
  const notes: string[] = [];
  const metadata = parseMetadata(described.metadata, notes);
  const own = metadata.secateur;
  const session: ImportSession = {
    builder: new GraphBuilder(own?.name ?? topology.name),
    weights,
    kerasMajor,
    notes,
    nodeNames: own?.nodes ?? {},
    stored: new Map(),
  };
  const graph = buildGraph(session, topology, own);
  requireReasonableSize(graph);
  assertFinite(graph);
  const model: Model = {
    graph,
    preprocessing: own?.preprocessing ?? guessPreprocessing(graph),
    labels: fittingLabels(graph, metadata.labels, notes),
    outputKind: own?.outputKind ?? outputKindOf(graph),
  };
  return { model, preprocessingKnown: own !== undefined || startsWithRescaling(graph), notes };
}

function buildGraph(
  session: ImportSession,
  topology: ModelSpec,
  own: SecateurMetadata | undefined,
): Graph {
  try {
    const outputs = importModel(session, topology, null);
    const names = own?.outputs.length === outputs.length ? own.outputs : outputs;
    outputs.forEach((tensor, i) => session.builder.output(tensor, names[i]));
    const graph = session.builder.build();
    if (own === undefined) return graph;
    const whole = restoreComposites(graph, own.composites);
    const restored = withOrigins(inNotedOrder(whole, own.order), own.origins);
    validateGraph(restored);
    return restored;
  } catch (error) {
    throw asCorrupt(error);
  }
}

/** The nodes in the order in which they were when the file was written, where that is noted and possible. */
function inNotedOrder(graph: Graph, order: readonly string[] | undefined): Graph {
  const byName = new Map(graph.nodes.map((node) => [node.name, node]));
  const nodes = (order ?? []).flatMap((name) => byName.get(name) ?? []);
  const isWhole = nodes.length === graph.nodes.length && new Set(nodes).size === nodes.length;
  const made = new Set(graph.inputs.map(({ tensor }) => tensor));
  const isPossible = nodes.every((node) => {
    for (const tensor of node.outputs) made.add(tensor);
    return node.inputs.every((tensor) => made.has(tensor));
  });
  return isWhole && isPossible ? { ...graph, nodes } : graph;
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

/** The major version of Keras in a version that a file states ("3.15.1", "keras v2.1"), 0 where there is none. */
export function majorVersion(stated: unknown): number {
  const version = /^(?:keras v)?(\d+)\./.exec(String(stated ?? ''));
  return version === null ? 0 : Number(version[1]);
}
