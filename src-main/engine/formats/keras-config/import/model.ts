// Builds the graph of a model from its layers: every call of every layer in an order in which each finds what
// it is called on, models within models in place.

import type { GraphBuilder } from '../../../graph/build';
import type { TensorId, Weight, WeightId, WeightRole } from '../../../graph/types';
import { asCorrupt, corrupt, unsupportedLayer } from '../errors';
import {
  type Argument,
  type LayerSpec,
  type ModelSpec,
  type TensorRef,
  tensorsOf,
} from '../topology';
import type { WeightSource } from '../weights';
import { requirePlainNumbers } from './dtype';
import { importerOf } from './table';
import type { CallArgument, LayerCall, WeightedLayer, WeightNames, WeightOptions } from './types';

export interface ImportSession {
  readonly builder: GraphBuilder;
  readonly weights: WeightSource;
  readonly kerasMajor: number;
  readonly notes: string[];
  /** Names for the nodes of a layer's calls, where they were noted when the file was written. */
  readonly nodeNames: Readonly<Record<string, readonly string[]>>;
  /** Weights already handed to the builder, by layer and name. */
  readonly stored: Map<LayerSpec, Map<string, WeightId>>;
  /** Told of every call, and of what it gives. */
  onCall?(layer: LayerSpec, call: number, tensors: readonly TensorId[]): void;
}

/** A call of a layer; input layers and models have calls too. */
interface Call {
  readonly layer: LayerSpec;
  readonly number: number;
  readonly inputs: readonly Argument[];
}

/**
 * Adds a model to the builder and returns its outputs. `inputs` are given for a model within a model; else its
 * input layers become inputs of the graph.
 */
export function importModel(
  session: ImportSession,
  model: ModelSpec,
  inputs: readonly TensorId[] | null,
): readonly TensorId[] {
  const outputs = new Map<string, readonly TensorId[]>();
  const given = new Map(model.inputs.map((ref, i) => [ref.layer, inputs?.[i]]));
  if (inputs !== null && inputs.length !== model.inputs.length) {
    throw corrupt(`The model "${model.name}" is called on another number of inputs than it has`);
  }
  for (const call of inOrder(model)) {
    const { layer } = call;
    let results: readonly TensorId[];
    if (layer.className === 'InputLayer') {
      results = [given.get(layer.name) ?? addInput(session, layer)];
    } else if (layer.model !== null) {
      const tensors = tensorsOf(call.inputs).map((ref) => lookUp(model, outputs, ref));
      results = importModel(session, layer.model, tensors);
    } else {
      const values = call.inputs.map((argument) =>
        argument.kind === 'tensor' ? lookUp(model, outputs, argument.ref) : argument,
      );
      results = [importCall(session, call, values)];
    }
    outputs.set(keyOf(layer, call.number), results);
    session.onCall?.(layer, call.number, results);
  }
  return model.outputs.map((ref) => lookUp(model, outputs, ref));
}

function keyOf(layer: LayerSpec, call: number): string {
  return `${layer.name} ${call}`;
}

function layerOf(model: ModelSpec, name: string): LayerSpec {
  const layer = model.layers.get(name);
  if (layer !== undefined) return layer;
  throw corrupt(`The model "${model.name}" refers to the layer "${name}", which it does not have`);
}

function lookUp(
  model: ModelSpec,
  outputs: ReadonlyMap<string, readonly TensorId[]>,
  ref: TensorRef,
): TensorId {
  const layer = layerOf(model, ref.layer);
  const tensor = outputs.get(keyOf(layer, ref.call - layer.firstCall))?.[ref.output];
  if (tensor !== undefined) return tensor;
  throw corrupt(
    `The model "${model.name}" refers to output ${ref.output} of call ${ref.call} of the layer ` +
      `"${ref.layer}", which there is not`,
  );
}

/** All calls, each after those whose outputs it reads, else in the order of the file. */
function inOrder(model: ModelSpec): readonly Call[] {
  const calls = new Map<string, Call>();
  for (const layer of model.layers.values()) {
    const list = layer.className === 'InputLayer' ? [[]] : layer.calls;
    list.forEach((inputs, number) => calls.set(keyOf(layer, number), { layer, number, inputs }));
  }
  const ordered: Call[] = [];
  const state = new Map<Call, 'open' | 'done'>();
  for (const root of calls.values()) {
    // Depth first with a stack of its own: a deep network would exhaust that of the program.
    const stack = [root];
    while (stack.length > 0) {
      const call = stack.at(-1)!;
      if (state.get(call) === 'done') {
        stack.pop();
        continue;
      }
      const before = tensorsOf(call.inputs).flatMap((ref) => {
        const layer = layerOf(model, ref.layer);
        const needed = calls.get(keyOf(layer, ref.call - layer.firstCall));
        return needed === undefined || state.get(needed) === 'done' ? [] : [needed];
      });
      if (before.length === 0) {
        state.set(call, 'done');
        ordered.push(call);
        stack.pop();
      } else if (state.get(call) === 'open') {
        throw corrupt(`The layers of "${model.name}" form a circle at "${call.layer.name}"`);
      } else {
        state.set(call, 'open');
        stack.push(...before.reverse());
      }
    }
  }
  return ordered;
}

function addInput({ builder, nodeNames }: ImportSession, layer: LayerSpec): TensorId {
  const { config, name, className } = layer;
  const shape = config.any('batch_shape', 'batch_input_shape');
  if (!Array.isArray(shape)) throw config.wrong('batch_shape', 'a shape');
  const sample = shape.slice(1) as unknown[];
  if (sample.some((size) => size === null)) {
    throw unsupportedLayer(
      name,
      className,
      `its shape [${sample.map((size) => size ?? '?').join(', ')}] is not fixed`,
      'Export the model with a fixed input size (for instance Input(shape=(224, 224, 3))).',
    );
  }
  if (!sample.every((size): size is number => Number.isInteger(size) && (size as number) > 0)) {
    throw config.wrong('batch_shape', 'a shape');
  }
  return builder.input(nodeNames[name]?.[0] ?? name, sample);
}

function importCall(
  session: ImportSession,
  { layer, number }: Call,
  values: readonly CallArgument[],
): TensorId {
  const { name, className, config } = layer;
  const importer = importerOf(layer);
  const inputs = values.filter((value) => typeof value === 'string');
  const call: LayerCall = {
    name: session.nodeNames[name]?.[number] ?? (number === 0 ? name : `${name}_call${number + 1}`),
    className,
    config,
    arguments: values,
    inputs,
    get input() {
      const [only] = inputs;
      if (only !== undefined && inputs.length === 1) return only;
      throw corrupt(`${config.owner} is called on ${inputs.length} tensors, it takes one`);
    },
    builder: session.builder,
    kerasMajor: session.kerasMajor,
    weights: (names, options = {}) =>
      storeWeights(session, layer, importer, call.name, names, options),
    value: (variable) => findWeight(session, layer, importer, variable),
    note(text) {
      if (!session.notes.includes(text)) session.notes.push(text);
    },
    unsupported: (why, remedy) => unsupportedLayer(name, className, why, remedy),
  };
  requirePlainNumbers(call);
  try {
    return importer.add(call);
  } catch (error) {
    throw asCorrupt(error);
  }
}

/** The weights of a layer: handed to the builder at its first call, shared by the others. */
function storeWeights(
  session: ImportSession,
  layer: LayerSpec,
  importer: WeightedLayer,
  callName: string,
  names: WeightNames,
  { node = callName }: WeightOptions,
): Partial<Record<WeightRole, WeightId>> {
  const stored = session.stored.get(layer) ?? new Map<string, WeightId>();
  session.stored.set(layer, stored);
  const ids: Partial<Record<WeightRole, WeightId>> = {};
  for (const [role, name] of Object.entries(names)) {
    let id = stored.get(name);
    if (id === undefined) {
      const weight = findWeight(session, layer, importer, name);
      id = session.builder.addWeight(`${node}/${role}`, asStored(role as WeightRole, weight));
      stored.set(name, id);
    }
    ids[role as WeightRole] = id;
  }
  return ids;
}

function findWeight(
  { weights }: ImportSession,
  layer: LayerSpec,
  importer: WeightedLayer,
  name: string,
): Weight {
  const place = importer.variables(layer.config).findIndex((variable) => variable.name === name);
  const weight = weights.find(layer, name, place);
  if (weight !== undefined) return weight;
  throw corrupt(`${layer.config.owner}: the file has no weight "${layer.name}/${name}"`);
}

/** PReLU's slopes have a size of 1 on shared axes: those in front say nothing when shapes broadcast. */
function asStored(role: WeightRole, weight: Weight): Weight {
  if (role !== 'alpha') return weight;
  const first = weight.shape.findIndex((size) => size !== 1);
  return { ...weight, shape: first < 0 ? [1] : weight.shape.slice(first) };
}
