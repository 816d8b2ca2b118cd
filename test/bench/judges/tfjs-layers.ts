// The same training by tfjs-layers' `fit`, on the same native backend.

import type * as tfjsLayers from '@tensorflow/tfjs-layers';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';

export interface FitTask {
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
  readonly version: string;
}

type Layers = typeof tfjsLayers;

/** ResNet-20 with projection shortcuts (He et al. 2016, section 4.2, option B). */
function resnet20(tfl: Layers, size: number, classes: number): LayersModel {
  const conv = (x: SymbolicTensor, filters: number, kernelSize: number, strides: number) => {
    const options = { filters, kernelSize, strides, padding: 'same', useBias: false } as const;
    const y = tfl.layers.conv2d(options).apply(x);
    return tfl.layers.batchNormalization().apply(y) as SymbolicTensor;
  };
  const relu = (x: SymbolicTensor) => tfl.layers.reLU().apply(x) as SymbolicTensor;
  const input = tfl.input({ shape: [size, size, 3] });
  let x = relu(conv(input, 16, 3, 1));
  for (const filters of [16, 32, 64]) {
    for (const block of [0, 1, 2]) {
      const strides = block === 0 && filters > 16 ? 2 : 1;
      const y = conv(relu(conv(x, filters, 3, strides)), filters, 3, 1);
      const shortcut = strides === 1 ? x : conv(x, filters, 1, strides);
      x = relu(tfl.layers.add().apply([y, shortcut]) as SymbolicTensor);
    }
  }
  const pooled = tfl.layers.globalAveragePooling2d({}).apply(x);
  const output = tfl.layers.dense({ units: classes, activation: 'softmax' }).apply(pooled);
  return tfl.model({ inputs: input, outputs: output as SymbolicTensor });
}

export async function fitWithLayers(task: FitTask): Promise<FitResult> {
  const tf = await import('@tensorflow/tfjs-core');
  const tfl = await import('@tensorflow/tfjs-layers');
  const { size, classes, batchSize, batches, epochs } = task;
  const images = batchSize * batches;
  const model = resnet20(tfl, size, classes);
  model.compile({
    optimizer: tf.train.momentum(0.1, 0.9, true),
    loss: 'categoricalCrossentropy',
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
