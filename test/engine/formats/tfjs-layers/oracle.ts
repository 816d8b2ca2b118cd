// TensorFlow.js itself as the judge: models made, saved, loaded and run by tfjs-layers on its plain backend.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import type { WrittenFile } from '../../../../src-main/engine/formats/types';
import { createRng } from '../../../../src-main/engine/graph/rng';

export { layers, tf };

/** Gives every weight random numbers (variances positive), since new layers are full of zeros and ones. */
export function randomise(model: layers.LayersModel, seed = 7): void {
  const rng = createRng(seed);
  for (const layer of model.layers) {
    const values = layer.weights.map((weight) => {
      const isVariance = weight.name.includes('variance');
      const size = weight.shape.reduce((a, b) => a! * b!, 1)!;
      const data = Float32Array.from({ length: size }, () =>
        isVariance ? rng.uniform(0.5, 2) : rng.uniform(-0.5, 0.5),
      );
      return tf.tensor(data, weight.shape as number[]);
    });
    if (values.length > 0) layer.setWeights(values);
  }
}

/** Saves a model as tfjs does, in one weight file, and gives the path of model.json. */
export async function saveModel(
  model: layers.LayersModel,
  folder: string,
  change: (json: Record<string, unknown>) => void = () => undefined,
): Promise<string> {
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      const data = artifacts.weightData as ArrayBuffer;
      const json: Record<string, unknown> = {
        format: artifacts.format,
        generatedBy: artifacts.generatedBy,
        convertedBy: artifacts.convertedBy,
        modelTopology: artifacts.modelTopology,
        weightsManifest: [{ paths: ['weights.bin'], weights: artifacts.weightSpecs }],
      };
      change(json);
      await writeFile(join(folder, 'model.json'), JSON.stringify(json));
      await writeFile(join(folder, 'weights.bin'), new Uint8Array(data));
      return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
    }),
  );
  return join(folder, 'model.json');
}

/** What tfjs predicts for one sample: one flat array an output. */
export function predict(
  model: layers.LayersModel,
  inputs: readonly Float32Array[],
): readonly Float32Array[] {
  const tensors = inputs.map((input, i) => {
    const shape = model.inputs[i]!.shape.slice(1) as number[];
    return tf.tensor(input, [1, ...shape]);
  });
  const outputs = model.predict(tensors.length === 1 ? tensors[0]! : tensors);
  return [outputs].flat().map((output) => output.dataSync() as Float32Array);
}

/** Loads written files with tfjs's own loader. */
export function loadWritten(files: readonly WrittenFile[]): Promise<layers.LayersModel> {
  const bytesOf = (path: string): Uint8Array => files.find((file) => file.path === path)!.bytes;
  const json = JSON.parse(new TextDecoder().decode(bytesOf('model.json'))) as {
    modelTopology: object;
    weightsManifest: { paths: string[]; weights: tf.io.WeightsManifestEntry[] }[];
  };
  const shards = json.weightsManifest.flatMap(({ paths }) => paths).map(bytesOf);
  return layers.loadLayersModel(
    tf.io.fromMemory({
      modelTopology: json.modelTopology,
      weightSpecs: json.weightsManifest.flatMap(({ weights }) => weights),
      weightData: Uint8Array.from(shards.flatMap((shard) => [...shard])).buffer,
    }),
  );
}
