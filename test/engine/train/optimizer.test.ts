// Steps of the optimizer against a loop over numbers, on both backends.

import { beforeAll, describe, expect, it } from 'vitest';
import { createRng } from '../../../src-main/engine/graph/rng';
import { loadBackend, type Backend } from '../../../src-main/engine/runtime/backend';
import { compile } from '../../../src-main/engine/train/executor';
import { SgdOptimizer } from '../../../src-main/engine/train/optimizer';
import type { OptimizerOptions } from '../../../src-main/engine/train/types';
import { maxAbsDiff } from '../formats/reference';
import { toyModel } from './toy';

const sgd: OptimizerOptions = {
  kind: 'sgd',
  learningRate: 0.1,
  momentum: 0.9,
  nesterov: true,
  weightDecay: 0.01,
  decayAll: false,
};

describe.each(['tensorflow', 'cpu'] as const)('SGD on %s', (name) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await loadBackend(name);
  });

  it.each([
    { options: sgd, sparsity: 0 },
    { options: { ...sgd, nesterov: false, decayAll: true }, sparsity: 0 },
    { options: { ...sgd, weightDecay: 0 }, sparsity: 0.05 },
  ])('takes the steps of the formula: $options, sparsity $sparsity', ({ options, sparsity }) => {
    const { tf } = backend;
    const { graph } = toyModel();
    const tensorsBefore = tf.memory().numTensors;
    const executable = compile(graph, backend);
    const optimizer = new SgdOptimizer(executable, graph, options, sparsity);
    const weights = new Map(
      [...executable.trainable.keys()].map((id) => [id, [...graph.weights.get(id)!.data]]),
    );
    const velocities = new Map(
      Array.from(weights, ([id, values]) => [id, values.map(() => 0)] as const),
    );
    const rng = createRng(4);

    for (const rate of [0.1, 0.05, 0.2]) {
      const gradients = new Map(
        Array.from(weights, ([id, values]) => [id, values.map(() => rng.uniform(-1, 1))] as const),
      );
      const tensors = Array.from(gradients, ([id, values]) => {
        return [id, tf.tensor(values, [...graph.weights.get(id)!.shape])] as const;
      });
      optimizer.step(new Map(tensors), rate);

      for (const [id, values] of weights) {
        const isKernel = id.endsWith('/kernel');
        const decay = isKernel || options.decayAll ? options.weightDecay : 0;
        const penalty = id.endsWith('/gamma') ? sparsity : 0;
        values.forEach((w, i) => {
          const gradient = gradients.get(id)![i]! + decay * w + penalty * Math.sign(w);
          const v = options.momentum * velocities.get(id)![i]! + gradient;
          velocities.get(id)![i] = v;
          values[i]! -= rate * (options.nesterov ? gradient + options.momentum * v : v);
        });
      }
    }

    for (const [id, values] of weights) {
      expect(maxAbsDiff(executable.weights.get(id).dataSync(), values)).toBeLessThan(1e-5);
      expect(maxAbsDiff(optimizer.velocities().get(id)!, velocities.get(id)!)).toBeLessThan(1e-5);
    }
    optimizer.dispose();
    executable.dispose();
    expect(tf.memory().numTensors).toBe(tensorsBefore);
  });
});
