// A model's layers as JSON: as Keras 2 writes it, which Keras 3 reads as well, and as Keras 3 does.

import { AppError } from '../../errors';
import { GraphBuilder } from '../../graph/build';
import type { Model, Shape, Weight } from '../../graph/types';
import {
  exportGraph,
  type ExportedLayer,
  type InboundTensor,
  type LayersModel,
} from '../keras-config/export/model';
import { importModel } from '../keras-config/import/model';
import { describeMetadata } from '../keras-config/metadata';
import { parseTopology, type LayerSpec, type ModelSpec } from '../keras-config/topology';
import { inKerasOrder } from './layer-order';

type Json = Readonly<Record<string, unknown>>;

export interface DescribedLayers {
  readonly name: string;
  /** In Keras's order. */
  readonly layers: readonly ExportedLayer[];
  readonly exported: LayersModel;
  /** What a reader finds in the description. */
  readonly topology: ModelSpec;
  weightOf(layer: LayerSpec, variable: string): Weight | undefined;
  /** What lies beside the layers so that reading them gives the very same model. */
  readonly metadata: Json;
}

/** @throws AppError EXPORT_UNSUPPORTED naming the layer that Keras cannot hold */
export function describeLayers(model: Model): DescribedLayers {
  const { graph } = model;
  const exported = exportGraph(graph, 'keras');
  const layers = inKerasOrder(exported);
  // Keras 3 refuses names with a slash.
  const name = graph.name.replaceAll('/', '_');
  const topology = parseTopology(legacyDescription(name, layers, exported));
  return {
    name,
    layers,
    exported,
    topology,
    weightOf: (layer, variable) => exported.weights.get(`${layer.name}/${variable}`),
    metadata: describeMetadata(model, {
      ...exported.notes,
      ...(name === graph.name ? {} : { name: graph.name }),
      order: graph.nodes.map(({ name }) => name),
    }),
  };
}

function legacyDescription(
  name: string,
  layers: readonly ExportedLayer[],
  { inputs, outputs }: LayersModel,
): Json {
  return {
    class_name: 'Functional',
    config: { name, layers, input_layers: inputs, output_layers: outputs },
  };
}

/** For an .h5 file. @throws AppError EXPORT_UNSUPPORTED for a layer that Keras 3 misreads there */
export function asKeras2({ name, layers, exported }: DescribedLayers): Json {
  for (const { name: layer, config } of layers) {
    const { axis } = config;
    if (!Array.isArray(axis) || axis.length < 2) continue;
    throw new AppError(
      'EXPORT_UNSUPPORTED',
      `Layer "${layer}" cannot be written to an .h5 file: Keras 3 forgets there that it has several axes.`,
      'Export as .keras.',
      { details: { layer } },
    );
  }
  return legacyDescription(name, layers, exported);
}

/** Layers that are called on a list of tensors, even on one. */
const merging: ReadonlySet<string> = new Set([
  'Add',
  'Average',
  'Concatenate',
  'Maximum',
  'Minimum',
  'Multiply',
  'Subtract',
]);

/** Settings that have other names since Keras 3. */
const renamed: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  InputLayer: { batch_input_shape: 'batch_shape' },
  LeakyReLU: { alpha: 'negative_slope' },
};

/** For a .keras archive. */
export function asKeras3(described: DescribedLayers): Json {
  const { name, layers, exported } = described;
  const shapeOf = tensorShapes(described);
  const tensor = ([layer, call]: InboundTensor): Json => ({
    class_name: '__keras_tensor__',
    config: {
      shape: [null, ...shapeOf(layer, call)],
      dtype: 'float32',
      keras_history: [layer, call, 0],
    },
  });
  const single = <T>(list: readonly T[]): T | readonly T[] => (list.length === 1 ? list[0]! : list);
  return {
    module: 'keras.src.models.functional',
    class_name: 'Functional',
    config: {
      name,
      trainable: true,
      layers: layers.map((layer) => ({
        module: 'keras.layers',
        class_name: layer.class_name,
        config: { dtype: 'float32', trainable: true, ...settings(layer) },
        registered_name: null,
        name: layer.name,
        inbound_nodes: layer.inbound_nodes.map((tensors) => {
          const args = tensors.map(tensor);
          return { args: merging.has(layer.class_name) ? [args] : args, kwargs: {} };
        }),
      })),
      input_layers: single(exported.inputs),
      output_layers: single(exported.outputs),
    },
    registered_name: 'Functional',
    build_config: { input_shape: null },
    compile_config: null,
  };
}

function settings({ class_name, config }: ExportedLayer): Json {
  const names = renamed[class_name] ?? {};
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [names[key] ?? key, value]),
  );
}

/** Shapes of the results of calls, from reading the description as any reader would. */
function tensorShapes({
  topology,
  weightOf,
}: DescribedLayers): (layer: string, call: number) => Shape {
  const shapes = new Map<string, Shape>();
  const builder = new GraphBuilder(topology.name);
  importModel(
    {
      builder,
      weights: { find: weightOf },
      kerasMajor: 3,
      notes: [],
      nodeNames: {},
      stored: new Map(),
      onCall: (layer, call, [tensor]) =>
        shapes.set(`${layer.name} ${call}`, builder.shapeOf(tensor!)),
    },
    topology,
    null,
  );
  return (layer, call) => shapes.get(`${layer} ${call}`)!;
}
