// Runs written Keras files. There is no Keras in the app: the file is read back, and its layers and weights are run
// by TensorFlow.js Layers, which is another program than the one that wrote them. Where a layer means something
// else to TensorFlow.js, or nothing, the graph that our own reader makes of the file is run instead; the runner
// says which of the two it is.

import { join } from 'node:path';
import { silentContext } from '../../context';
import { AppError } from '../../errors';
import type { Weight } from '../../graph/types';
import { loadBackend } from '../../runtime/backend';
import { compile } from '../../train/executor';
import { assembleModel } from '../keras-config/assemble';
import type { Config } from '../keras-config/config';
import { tensorsOf, type LayerSpec, type ModelSpec } from '../keras-config/topology';
import { runLayers } from '../tfjs-layers/runner';
import type { FileRunner } from '../types';
import { openContent, type KerasContent } from './reader';
import { layersOf, variablesOf } from './variables';

type Check = (config: Config) => boolean;

const always: Check = () => true;
const isOne = (pair: readonly number[]): boolean => pair.every((n) => n === 1);

/** Activations that mean the same to both. */
const sameActivations: ReadonlySet<string> = new Set(
  ['linear', 'relu', 'elu', 'selu', 'sigmoid', 'softmax', 'softplus', 'softsign', 'tanh'].concat(
    'swish',
    'gelu',
  ),
);

function plainActivation(config: Config): boolean {
  return sameActivations.has(String(config.raw('activation') ?? 'linear'));
}

/** Classes that TensorFlow.js Layers has, and the settings with which they compute what Keras computes. */
const sameLayers: Readonly<Record<string, Check>> = {
  Activation: plainActivation,
  Add: always,
  Average: always,
  AveragePooling2D: always,
  BatchNormalization: always,
  Concatenate: always,
  Conv2D: (config) => config.int('groups', 1) === 1 && plainActivation(config),
  Conv2DTranspose: (config) => !config.has('output_padding') && plainActivation(config),
  Cropping2D: always,
  Dense: plainActivation,
  DepthwiseConv2D: (config) =>
    isOne(config.pair('dilation_rate', [1, 1])) && plainActivation(config),
  Dropout: always,
  ELU: (config) => config.number('alpha', 1) === 1,
  Flatten: always,
  GlobalAveragePooling2D: (config) => !config.flag('keepdims', false),
  GlobalMaxPooling2D: (config) => !config.flag('keepdims', false),
  InputLayer: always,
  LayerNormalization: always,
  LeakyReLU: always,
  MaxPooling2D: always,
  Maximum: always,
  Minimum: always,
  Multiply: always,
  PReLU: always,
  Permute: always,
  ReLU: always,
  Rescaling: always,
  Reshape: always,
  Softmax: (config) => config.number('axis', -1) === -1,
  UpSampling2D: (config) => config.text('interpolation', 'nearest') === 'nearest',
  ZeroPadding2D: always,
};

function runsInTfjs({ className, config, model }: LayerSpec): boolean {
  if (model !== null) return false;
  return Object.hasOwn(sameLayers, className) && sameLayers[className]!(config);
}

/** @throws AppError MODEL_* when the file cannot be read back, RUNTIME_UNAVAILABLE */
export async function openKerasRunner(
  folder: string,
  files: readonly string[],
): Promise<FileRunner> {
  const content = await openContent(join(folder, files[0]!), silentContext);
  const { topology } = content;
  return [...topology.layers.values()].every(runsInTfjs)
    ? openWithTfjs(content)
    : openWithExecutor(content);
}

interface StoredWeight {
  readonly name: string;
  readonly weight: Weight;
}

function storedWeights({ topology, weights }: KerasContent): readonly StoredWeight[] {
  return layersOf(topology).flatMap((layer) =>
    variablesOf(layer).map(({ name }, place) => {
      const weight = weights.find(layer, name, place);
      if (weight !== undefined) return { name: `${layer.name}/${name}`, weight };
      throw new AppError(
        'EXPORT_MISMATCH',
        `The written file lacks the weight "${name}" of the layer "${layer.name}".`,
        'Report the model structure; nothing was exported.',
      );
    }),
  );
}

/** The layers in the form that TensorFlow.js reads. */
function tfjsTopology({ name, layers, inputs, outputs }: ModelSpec): object {
  const ref = ({
    layer,
    call,
    output,
  }: {
    layer: string;
    call: number;
    output: number;
  }): unknown => [layer, call, output];
  return {
    class_name: 'Functional',
    config: {
      name,
      layers: [...layers.values()].map((layer) => ({
        name: layer.name,
        class_name: layer.className,
        config: tfjsSettings(layer),
        inbound_nodes: layer.calls.map((call) =>
          tensorsOf(call).map((tensor) => [tensor.layer, tensor.call, tensor.output, {}]),
        ),
      })),
      input_layers: inputs.map(ref),
      output_layers: outputs.map(ref),
    },
  };
}

function tfjsSettings({ config, className }: LayerSpec): object {
  const settings = { ...config.all() };
  const rename = (from: string, to: string): void => {
    if (config.has(from)) settings[to] = config.raw(from);
  };
  if (className === 'InputLayer') rename('batch_shape', 'batch_input_shape');
  if (className === 'LeakyReLU') rename('negative_slope', 'alpha');
  return settings;
}

async function openWithTfjs(content: KerasContent): Promise<FileRunner> {
  const stored = storedWeights(content);
  const runner = await runLayers({
    modelTopology: tfjsTopology(content.topology),
    weightSpecs: stored.map(({ name, weight: { shape, dtype } }) => ({
      name,
      shape: [...shape],
      dtype,
    })),
    weights: stored.map(
      ({ weight: { data } }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    ),
  });
  return {
    ...runner,
    runtime: `${runner.runtime}, on the layers and weights read back from the file`,
  };
}

async function openWithExecutor(content: KerasContent): Promise<FileRunner> {
  const backend = await loadBackend();
  const { tf } = backend;
  // Without what Secateur noted beside the layers: only what Keras itself will read counts.
  const { graph } = assembleModel({ ...content, metadata: {} }).model;
  const executable = compile(graph, backend);
  const shape = graph.inputs[0]!.shape;
  return {
    runtime: `Secateur's own reader of Keras files (${backend.detail}); TensorFlow.js has not all of its layers`,
    async run(input) {
      const outputs = tf.tidy(() => executable.run([tf.tensor(input, [1, ...shape])]));
      const data = await Promise.all(outputs.map((output) => output.data<'float32'>()));
      tf.dispose([...outputs]);
      return data;
    },
    close() {
      executable.dispose();
    },
  };
}
