// Runs written files with TensorFlow.js's own loader and layers: the judge of what the writer wrote.

import type * as tfjs from '@tensorflow/tfjs-core';
import { loadBackend } from '../../runtime/backend';
import { readArtifacts } from '../tfjs-weights/artifacts';
import type { FileRunner } from '../types';

/**
 * Opens a model.json that this program wrote (foreign ones go through the reader).
 * @throws AppError RUNTIME_UNAVAILABLE
 */
export async function openTfjsRunner(folder: string): Promise<FileRunner> {
  const { json, weights } = await readArtifacts(folder);
  const { weightSpecs, weightData } = weights;
  const { modelTopology } = json;
  return runLayers({ modelTopology, weightSpecs, weights: [new Uint8Array(weightData)] });
}

export interface LayersArtifacts {
  readonly modelTopology: object;
  readonly weightSpecs: tfjs.io.WeightsManifestEntry[];
  /** Bytes of the weights, in the order of their specs. */
  readonly weights: readonly Uint8Array[];
}

/** Loads a model with TensorFlow.js Layers. @throws AppError RUNTIME_UNAVAILABLE */
export async function runLayers(artifacts: LayersArtifacts): Promise<FileRunner> {
  const { tf, detail } = await loadBackend();
  const layers = await import('@tensorflow/tfjs-layers');
  const { modelTopology, weightSpecs, weights } = artifacts;
  const weightData = Uint8Array.from(Buffer.concat(weights)).buffer;
  const model = await layers.loadLayersModel(
    tf.io.fromMemory({ modelTopology, weightSpecs, weightData }),
  );
  const shape = model.inputs[0]!.shape.slice(1) as number[];
  return {
    runtime: `TensorFlow.js Layers ${layers.version_layers} (${detail})`,
    async run(input) {
      const outputs = tf.tidy(() => {
        const predicted = model.predict(tf.tensor(input, [1, ...shape]));
        return Array.isArray(predicted) ? predicted : [predicted];
      });
      const data = await Promise.all(outputs.map((output) => output.data<'float32'>()));
      tf.dispose(outputs);
      return data;
    },
    close() {
      model.dispose();
    },
  };
}
