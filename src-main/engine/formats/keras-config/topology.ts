// The layers of a model and how they are connected, from any of the JSON forms that Keras 2, Keras 3 and
// TensorFlow.js write: Sequential or functional, models within models, layers called several times.

import { Config, isObject, type JsonObject } from './config';
import { corrupt, tooLarge, unsupportedLayer } from './errors';
import { maxLayers, maxNesting } from './limits';

/** An output of a call of a layer. */
export interface TensorRef {
  readonly layer: string;
  readonly call: number;
  readonly output: number;
}

/** What a layer is called with: tensors, and what else stands among them (a number that is added). */
export type Argument =
  | { readonly kind: 'tensor'; readonly ref: TensorRef }
  | { readonly kind: 'value'; readonly value: unknown };

export interface LayerSpec {
  readonly name: string;
  readonly className: string;
  /** Whether it is a function of Keras 3 that was called on tensors ("x + 1"), which is no layer. */
  readonly isOperation: boolean;
  readonly config: Config;
  /** For each call, what it is called with. An input layer has none. */
  readonly calls: readonly (readonly Argument[])[];
  /** The number that references give the first call. */
  readonly firstCall: number;
  /** For a model used as a layer. */
  readonly model: ModelSpec | null;
}

export interface ModelSpec {
  readonly name: string;
  /** By name, in the order of the file. */
  readonly layers: ReadonlyMap<string, LayerSpec>;
  readonly inputs: readonly TensorRef[];
  readonly outputs: readonly TensorRef[];
}

const sequentialClasses: ReadonlySet<string> = new Set(['Sequential']);
const functionalClasses: ReadonlySet<string> = new Set(['Functional', 'Model']);

/** @throws AppError MODEL_CORRUPT, MODEL_UNSUPPORTED_OP (a model of another class), MODEL_TOO_LARGE */
export function parseTopology(json: unknown): ModelSpec {
  if (!isObject(json)) throw corrupt('The description of the model is not an object');
  // A whole Keras file has the model below "model_config", beside the optimizer's settings.
  const root = isObject(json['model_config']) ? json['model_config'] : json;
  const counter = { layers: 0 };
  return parseModel(root, 0, counter);
}

function parseModel(json: JsonObject, depth: number, counter: { layers: number }): ModelSpec {
  if (depth > maxNesting) throw tooLarge('Models within models', depth, maxNesting);
  const className = new Config(json, 'The model').text('class_name');
  const { config } = json;
  const settings: JsonObject = Array.isArray(config)
    ? { layers: config }
    : new Config(json, `The model (${className})`).object('config');
  const name = new Config(settings, 'The model').text('name', 'model');
  const owner = new Config(settings, `The model "${name}"`);
  const entries = owner.list('layers');
  counter.layers += entries.length;
  if (counter.layers > maxLayers) throw tooLarge('Number of layers', counter.layers, maxLayers);
  const layers = entries.map((entry) => parseLayer(entry, depth, counter));
  if (sequentialClasses.has(className)) return chain(name, layers, owner);
  if (!functionalClasses.has(className)) {
    throw unsupportedLayer(
      name,
      className,
      'only Sequential and functional models hold their structure',
      'Rebuild the model with the functional API and export it again.',
    );
  }
  const outputs = parseRefs(owner, 'output_layers');
  const refs = [...layers.flatMap(({ calls }) => calls.flatMap(tensorsOf)), ...outputs];
  const counted = layers.map((layer) => withFirstCall(layer, refs));
  return {
    name,
    layers: byName(counted, name),
    inputs: parseRefs(owner, 'input_layers'),
    outputs,
  };
}

function parseLayer(json: unknown, depth: number, counter: { layers: number }): LayerSpec {
  if (!isObject(json)) throw corrupt('An entry of "layers" is not an object');
  const entry = new Config(json, 'A layer');
  const className = entry.text('class_name');
  // A nested Sequential of old Keras versions has a list for its config.
  const settings = isObject(json['config']) ? json['config'] : {};
  const name = typeof json['name'] === 'string' ? json['name'] : settings['name'];
  if (typeof name !== 'string' || name === '') throw corrupt(`A layer (${className}) has no name`);
  refuseCustom(entry, name, className);
  const isModel = sequentialClasses.has(className) || functionalClasses.has(className);
  const inbound = json['inbound_nodes'] ?? [];
  if (!Array.isArray(inbound)) throw corrupt(`Layer "${name}" (${className}): bad "inbound_nodes"`);
  return {
    name,
    className,
    isOperation: /^keras\.(src\.)?ops\b/.test(moduleOf(json)),
    config: new Config(settings, `Layer "${name}" (${className})`),
    calls: inbound.map((call) => parseCall(call, name, className)),
    firstCall: 0,
    model: isModel ? parseModel(json, depth + 1, counter) : null,
  };
}

/**
 * A model that is used as a layer was called once already when it was made. Keras 2 and TensorFlow.js count
 * that call in their references and Keras 3, in most of its versions, does not: the numbers in use tell.
 */
function withFirstCall(layer: LayerSpec, refs: readonly TensorRef[]): LayerSpec {
  if (layer.model === null) return layer;
  const numbers = refs.filter((ref) => ref.layer === layer.name).map(({ call }) => call);
  return { ...layer, firstCall: numbers.includes(0) ? 0 : 1 };
}

function moduleOf(json: JsonObject): string {
  return typeof json['module'] === 'string' ? json['module'] : '';
}

/**
 * Keras 3 names the module and package of each class: one that is not Keras's own may compute anything, also
 * under a name that Keras has.
 */
function refuseCustom(entry: Config, name: string, className: string): void {
  const registered = entry.raw('registered_name');
  const isRegistered = typeof registered === 'string' && registered.includes('>');
  const module = entry.text('module', '');
  const isForeign =
    module !== '' && !/^(keras|tf_keras|tensorflow\.(python\.)?keras)\b/.test(module);
  if (!isRegistered && !isForeign) return;
  const where = isRegistered ? `registered as "${registered}"` : `from the module "${module}"`;
  throw unsupportedLayer(
    name,
    className,
    `it is a class of somebody's own, ${where}, and the file does not say what it computes`,
  );
}

/** The tensors among the arguments of a call. */
export function tensorsOf(call: readonly Argument[]): readonly TensorRef[] {
  return call.flatMap((argument) => (argument.kind === 'tensor' ? [argument.ref] : []));
}

/** A call is a list of references (Keras 2), or arguments with tensors in them (Keras 3). */
function parseCall(json: unknown, layer: string, className: string): readonly Argument[] {
  if (Array.isArray(json)) {
    const single = json.length > 0 && typeof json[0] === 'string';
    return (single ? [json] : (json as unknown[])).flatMap((entry) =>
      parseEntry(entry, layer, className),
    );
  }
  if (isObject(json) && Array.isArray(json['args'])) {
    const keywords = isObject(json['kwargs']) ? json['kwargs'] : {};
    return [
      ...(json['args'] as unknown[]).flatMap((value) => parseArgument(value, layer)),
      ...Object.values(keywords).flatMap((value) =>
        parseArgument(value, layer).filter(({ kind }) => kind === 'tensor'),
      ),
    ];
  }
  throw corrupt(`Layer "${layer}": a call in "inbound_nodes" has no form that Keras writes`);
}

/** Keras 2 writes a constant in place of a tensor under this name, and further arguments beside the first. */
const constantName = '_CONSTANT_VALUE';

function parseEntry(json: unknown, layer: string, className: string): readonly Argument[] {
  const keywords: unknown = Array.isArray(json) ? json[3] : undefined;
  const others = isObject(keywords) ? keywords : {};
  refuseTraining(others, layer, className);
  const first: Argument =
    Array.isArray(json) && json[0] === constantName
      ? { kind: 'value', value: json[2] }
      : { kind: 'tensor', ref: parseRef(json, layer) };
  const second = others['y'];
  if (second === undefined || second === null) return [first];
  const isRef = Array.isArray(second) && typeof second[0] === 'string';
  return [
    first,
    isRef ? { kind: 'tensor', ref: parseRef(second, layer) } : { kind: 'value', value: second },
  ];
}

/** Tensors wherever they stand; a list without any is one value. */
function parseArgument(json: unknown, layer: string, depth = 0): readonly Argument[] {
  if (isKerasTensor(json)) {
    return [{ kind: 'tensor', ref: parseRef(json.config.keras_history, layer) }];
  }
  if (Array.isArray(json) && depth < maxNesting) {
    const parts = (json as unknown[]).flatMap((part) => parseArgument(part, layer, depth + 1));
    if (parts.some(({ kind }) => kind === 'tensor')) return parts;
  }
  return [{ kind: 'value', value: json }];
}

/**
 * A layer that is told to behave as in training whenever it is called gives random or batch-bound results. (A
 * model of Keras 3 overrules what its layers were told.)
 */
function refuseTraining(keywords: JsonObject, layer: string, className: string): void {
  if (keywords['training'] !== true) return;
  throw unsupportedLayer(
    layer,
    className,
    'it is called with training=True, so that it works as in training when the model is used',
    'Call the layer without that argument and export the model again.',
  );
}

interface KerasTensor {
  readonly config: { readonly keras_history: unknown };
}

function isKerasTensor(value: unknown): value is KerasTensor {
  return isObject(value) && value['class_name'] === '__keras_tensor__' && isObject(value['config']);
}

function parseRef(json: unknown, reader: string): TensorRef {
  if (Array.isArray(json)) {
    const [layer, call, output] = json as readonly unknown[];
    if (typeof layer === 'string' && isIndex(call) && isIndex(output)) {
      return { layer, call, output };
    }
  }
  throw corrupt(`"${reader}" refers to a layer in a form that Keras does not write`);
}

function isIndex(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

/** One reference, a list of them, or several by name. */
function parseRefs(owner: Config, key: string): readonly TensorRef[] {
  const value = owner.raw(key);
  const list = isObject(value) ? Object.values(value) : owner.list(key);
  const refs = typeof list[0] === 'string' ? [list] : list;
  return refs.map((ref) => parseRef(ref, key));
}

function byName(layers: readonly LayerSpec[], model: string): ReadonlyMap<string, LayerSpec> {
  const map = new Map<string, LayerSpec>();
  for (const layer of layers) {
    if (map.has(layer.name)) {
      throw corrupt(`The model "${model}" has two layers named "${layer.name}"`);
    }
    map.set(layer.name, layer);
  }
  return map;
}

/** A Sequential model as a functional one: each layer is called on the one before it. */
function chain(name: string, layers: readonly LayerSpec[], owner: Config): ModelSpec {
  const [first] = layers;
  if (first === undefined) throw corrupt(`The model "${name}" has no layers`);
  const startsWithInput = first.className === 'InputLayer';
  const all = startsWithInput ? layers : [inputFor(first, owner), ...layers];
  const chained = all.map((layer, i): LayerSpec => {
    const before = all[i - 1];
    if (before === undefined) return { ...layer, calls: [] };
    const ref = { layer: before.name, call: before.firstCall, output: 0 };
    return { ...layer, calls: [[{ kind: 'tensor', ref }]] };
  });
  const last = all.at(-1)!;
  return {
    name,
    layers: byName(chained, name),
    inputs: [{ layer: all[0]!.name, call: 0, output: 0 }],
    outputs: [{ layer: last.name, call: last.firstCall, output: 0 }],
  };
}

/** The input that a Sequential model has without naming it. */
function inputFor(first: LayerSpec, owner: Config): LayerSpec {
  const shape =
    first.config.any('batch_input_shape', 'batch_shape') ?? owner.raw('build_input_shape');
  const nested = [...(first.model?.layers.values() ?? [])][0]?.config.any(
    'batch_input_shape',
    'batch_shape',
  );
  const name = `${first.name}_input`;
  return {
    name,
    className: 'InputLayer',
    isOperation: false,
    config: new Config({ batch_shape: shape ?? nested }, `Layer "${name}" (InputLayer)`),
    calls: [],
    firstCall: 0,
    model: null,
  };
}
