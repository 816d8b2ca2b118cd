// The same training by tfjs-layers' `fit`, on the same native backend.

import type { Scalar, Tensor2D } from '@tensorflow/tfjs-core';
import { formatWriter } from '../../../src-main/engine/formats/table';
import type { Model } from '../../../src-main/engine/graph/types';

export interface FitTask {
  readonly architecture: string;
  readonly size: number;
  readonly classes: number;
  readonly batchSize: number;
  readonly batches: number;
  /** Measured ones; one more to warm up comes first. */
  readonly epochs: number;
}

export interface FitResult {
  /** Of the best epoch. */
  readonly imagesPerSecond: number;
  /** The same for running without gradients, where that was measured. */
  readonly evaluation?: number;
  readonly version: string;
}

interface ModelJson {
  readonly modelTopology: object;
  readonly weightsManifest: readonly { readonly weights: never[] }[];
}

/** @param network the one that is measured beside it, without a softmax at its end */
export async function fitWithLayers(task: FitTask, network: Model): Promise<FitResult> {
  const tf = await import('@tensorflow/tfjs-core');
  const tfl = await import('@tensorflow/tfjs-layers');
  const { size, classes, batchSize, batches, epochs } = task;
  const images = batchSize * batches;
  const [description, ...shards] = await formatWriter('tfjs-layers').write(network, {
    precision: 'fp32',
    name: 'network',
  });
  const json = JSON.parse(new TextDecoder().decode(description!.bytes)) as ModelJson;
  const model = await tfl.loadLayersModel(
    tf.io.fromMemory({
      modelTopology: json.modelTopology,
      weightSpecs: json.weightsManifest.flatMap(({ weights }) => weights),
      weightData: Uint8Array.from(Buffer.concat(shards.map(({ bytes }) => bytes))).buffer,
    }),
  );
  model.compile({
    optimizer: tf.train.momentum(0.1, 0.9, true),
    loss: (labels, logits) =>
      tf.losses.softmaxCrossEntropy(labels as Tensor2D, logits as Tensor2D) as Scalar,
    metrics: ['accuracy'],
  });
  const x = tf.randomUniform([images, size, size, 3], 0, 1, 'float32', 1);
  const y = tf.oneHot(tf.randomUniform([images], 0, classes, 'int32', 2), classes);
  const seconds: number[] = [];
  for (let epoch = 0; epoch <= epochs; epoch++) {
    const start = performance.now();
    await model.fit(x, y, { batchSize, epochs: 1, verbose: 0 });
    seconds.push((performance.now() - start) / 1000);
  }
  tf.dispose([x, y]);
  const best = Math.min(...seconds.slice(1));
  return { imagesPerSecond: images / best, version: `tfjs-layers ${tfl.version_layers}` };
}
