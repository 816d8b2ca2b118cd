// What front ends are shown of a model without changing anything: import preview and layer table.

import { basename } from 'node:path';

import type { ImportPreview } from '../../ipc/contract';
import type { EngineContext } from '../../engine/context';
import { inspectModel } from '../../engine/formats/table';
import { nodeCosts, graphCost } from '../../engine/graph/cost';
import { diffGraphs, type LayerDiff } from '../../engine/graph/diff';
import { inferShapes } from '../../engine/graph/shapes';
import type { Node } from '../../engine/graph/types';
import {
  analyse,
  convolutionsWithoutNorm,
  defaultStructure,
  explainLayers,
  structureChoices,
  type Analysis,
} from '../../engine/prune';
import type { LayerReport } from '../../engine/prune/types';
import type { LayerRow } from '../../project/types';
import type { ModelDescription } from '../analyst-protocol';
import { examine } from './model-cache';
import { classCount } from './versions';

/** Reads a foreign file and says what was found; keeps nothing. @throws AppError MODEL_* */
export async function inspectFile(
  path: string,
  context: EngineContext,
): Promise<Omit<ImportPreview, 'token'>> {
  const result = await inspectModel(path, context);
  const { model } = result;
  const analysis = analyse(model);
  const reports = explainLayers(model, analysis);
  const frozen = reports.filter((report) => report.code !== 'PRUNABLE');
  const why = new Map(frozen.map((report) => [report.node, report.reason]));
  const group = groupByMember(analysis);
  const shapes = inferShapes(model.graph);
  const costs = nodeCosts(model.graph);
  return {
    fileName: basename(path),
    format: result.format,
    modelName: model.graph.name,
    inputShape: model.graph.inputs[0]?.shape ?? [],
    classes: classCount(model),
    labels: model.labels,
    preprocessing: model.preprocessing,
    preprocessingKnown: result.preprocessingKnown,
    cost: graphCost(model.graph),
    layers: model.graph.nodes.map((node) => ({
      name: node.name,
      op: node.op,
      outputShape: shapes.get(node.outputs[0] ?? '') ?? [],
      params: costs.get(node.id)?.params ?? 0,
      macs: costs.get(node.id)?.macs ?? 0,
      group: group.get(node.id) ?? null,
      frozen: why.get(node.id) ?? null,
    })),
    groups: analysis.groups,
    prunableLayers: reports.length - frozen.length,
    frozen: frozen.map((report) => ({ layer: report.name, reason: report.reason })),
    withoutNorm: convolutionsWithoutNorm(model).length,
    quantized: result.quantized ?? null,
    notes: result.notes,
  };
}

/** The group that each node's channels belong to. */
function groupByMember({ groups }: Analysis): ReadonlyMap<string, number> {
  return new Map(
    groups.flatMap((group) => group.producers.map((node) => [node, group.id] as const)),
  );
}

/** Channels of output 0. */
function channelsNow(node: Node, shapes: ReadonlyMap<string, readonly number[]>): number {
  const output = node.outputs[0];
  return (output === undefined ? undefined : shapes.get(output)?.at(-1)) ?? 0;
}

/** The layer table of a version, beside its parent and its first ancestor where these are there. */
export async function describeLayers(
  file: string,
  ancestors: { readonly parent: string | null; readonly original: string | null },
  reports: readonly LayerReport[] | null,
): Promise<ModelDescription> {
  const examined = await examine(file);
  const { model } = examined;
  const analysis = examined.analysis();
  const shapes = inferShapes(model.graph);
  const costs = nodeCosts(model.graph);
  const channelsOf = async (other: string | null): Promise<ReadonlyMap<string, number>> => {
    if (other === null) return new Map();
    const { graph } = (await examine(other)).model;
    const otherShapes = inferShapes(graph);
    return new Map(graph.nodes.map((node) => [node.id, channelsNow(node, otherShapes)]));
  };
  const parent = await channelsOf(ancestors.parent);
  const original = await channelsOf(ancestors.original);
  const explained = new Map(
    (reports ?? explainLayers(model, analysis)).map((report) => [report.node, report]),
  );
  const groupOf = groupByMember(analysis);
  const layers = model.graph.nodes.map((node): LayerRow => {
    const now = channelsNow(node, shapes);
    const cost = costs.get(node.id);
    const report = explained.get(node.id);
    return {
      node: node.id,
      name: node.name,
      op: node.op,
      outputShape: shapes.get(node.outputs[0] ?? '') ?? [],
      params: cost?.params ?? 0,
      macs: cost?.macs ?? 0,
      channels: {
        original: original.get(node.id) ?? now,
        parent: parent.get(node.id) ?? now,
        now,
      },
      group: report?.group ?? groupOf.get(node.id) ?? null,
      report: report ? { code: report.code, reason: report.reason, cause: report.cause } : null,
    };
  });
  return {
    layers,
    groups: analysis.groups,
    choices: structureChoices(examined.analysis({ ...defaultStructure, trunk: 'select' })),
    labels: model.labels,
    preprocessing: model.preprocessing,
    outputKind: model.outputKind,
  };
}

/** Two versions layer by layer. */
export async function diffVersions(a: string, b: string): Promise<readonly LayerDiff[]> {
  const [left, right] = await Promise.all([examine(a), examine(b)]);
  return diffGraphs(left.model.graph, right.model.graph);
}
