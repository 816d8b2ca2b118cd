// Losses of 50 steps beside those that Keras had on the same weights and batches (test/fixtures/keras-training).

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ImageShape } from '../../../src-main/engine/data/types';
import { GraphBuilder } from '../../../src-main/engine/graph/build';
import type { Model, Weight } from '../../../src-main/engine/graph/types';
import { loadBackend } from '../../../src-main/engine/runtime/backend';
import { fullTrainingDefaults, optimizerDefaults } from '../../../src-main/engine/train/defaults';
import { localCompute } from '../../../src-main/engine/train/step';
import type { TrainOptions } from '../../../src-main/engine/train/types';
import { maxAbsDiff } from '../reference';

interface Recorded {
  readonly weights: Readonly<Record<string, readonly number[]>>;
  readonly pixels: readonly number[];
  readonly labels: readonly number[];
  readonly curves: Readonly<Record<string, readonly number[]>>;
}

const file = join(import.meta.dirname, '../../fixtures/keras-training/curves.json');
const keras = JSON.parse(readFileSync(file, 'utf8')) as Recorded;
const [batches, size, side, channels] = [4, 8, 6, 2];
const batchBytes = size * side * side * channels;

function weight(path: string, shape: readonly number[]): Weight {
  return { shape, dtype: 'float32', data: Float32Array.from(keras.weights[path]!) };
}

/** The network of make.py, with its weights. */
function recordedModel(): Model {
  const b = new GraphBuilder('keras');
  const norm = (x: string, name: string): string =>
    b.batchNorm(x, {
      name,
      epsilon: 1e-3,
      weights: {
        gamma: weight(`${name}/gamma`, [4]),
        beta: weight(`${name}/beta`, [4]),
        mean: weight(`${name}/moving_mean`, [4]),
        variance: weight(`${name}/moving_variance`, [4]),
      },
    });
  const stem = b.conv2d(b.input('image', [side, side, channels]), {
    kernelSize: 3,
    filters: 4,
    bias: false,
    weights: { kernel: weight('stem/kernel', [3, 3, 2, 4]) },
  });
  const y = b.activation(norm(stem, 'bn1'), 'relu');
  const block = b.conv2d(y, {
    kernelSize: 3,
    filters: 4,
    weights: {
      kernel: weight('block/kernel', [3, 3, 4, 4]),
      bias: weight('block/bias', [4]),
    },
  });
  const sum = b.activation(b.add([y, norm(block, 'bn2')]), 'relu');
  b.output(
    b.dense(b.globalAvgPool(sum), {
      units: 3,
      weights: { kernel: weight('classes/kernel', [4, 3]), bias: weight('classes/bias', [3]) },
    }),
  );
  return {
    graph: b.build(),
    preprocessing: { scale: 0.1, mean: [0], std: [1], channelOrder: 'rgb' },
    labels: null,
    outputKind: 'logits',
  };
}

const sgd = { ...optimizerDefaults.full.sgd, nesterov: false, weightDecay: 0, learningRate: 0.2 };
const base: TrainOptions = { ...fullTrainingDefaults(1), batchSize: size, optimizer: sgd };
const runs: Readonly<Record<string, TrainOptions>> = {
  sgd: base,
  nesterov: { ...base, optimizer: { ...sgd, nesterov: true } },
  smoothed: { ...base, labelSmoothing: 0.1 },
  adam: {
    ...base,
    optimizer: { ...optimizerDefaults.full.adam, weightDecay: 0, learningRate: 0.01 },
  },
};

describe.each(['tensorflow', 'cpu'] as const)('on %s', (name) => {
  it.each(Object.keys(keras.curves))("goes down Keras's curve: %s", async (run) => {
    const backend = await loadBackend(name);
    const options = runs[run]!;
    const shape = { height: side, width: side, channels } as ImageShape;
    const model = recordedModel();
    const request = { model, shape, task: 'classes', options, teacher: null, state: null } as const;
    const step = await localCompute(backend).begin(request);
    const losses: number[] = [];
    for (const i of keras.curves[run]!.keys()) {
      const at = i % batches;
      const images = Uint8Array.from(keras.pixels.slice(at * batchBytes, (at + 1) * batchBytes));
      const labels = Int32Array.from(keras.labels.slice(at * size, (at + 1) * size));
      const batch = { images, labels, count: size };
      const { loss } = await step.take(batch, options.optimizer.learningRate);
      losses.push(loss / size);
    }
    await step.dispose();
    expect(losses).toHaveLength(50);
    expect(maxAbsDiff(losses, keras.curves[run]!)).toBeLessThan(1e-3);
  });
});
