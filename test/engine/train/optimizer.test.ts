// Steps of the optimizer against a loop over numbers, on both backends.

import { beforeAll, describe, expect, it } from 'vitest';
import { createRng } from '../../../src-main/engine/graph/rng';
import { loadBackend, type Backend } from '../../../src-main/engine/runtime/backend';
import { compile } from '../../../src-main/engine/train/executor';
import { createOptimizer } from '../../../src-main/engine/train/optimizer';
import type { AdamOptions, SgdOptions } from '../../../src-main/engine/train/types';
import { maxAbsDiff } from '../reference';
import { toyModel } from './toy';

const sgd: SgdOptions = {
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
  ])(
    'takes the steps of the formula: $options, sparsity $sparsity',
    async ({ options, sparsity }) => {
      const { tf } = backend;
      const { graph } = toyModel();
      const tensorsBefore = tf.memory().numTensors;
      const executable = compile(graph, backend);
      const optimizer = createOptimizer(executable, graph, options, sparsity);
      const weights = new Map(
        [...executable.trainable.keys()].map((id) => [id, [...graph.weights.get(id)!.data]]),
      );
      const velocities = new Map(
        Array.from(weights, ([id, values]) => [id, values.map(() => 0)] as const),
      );
      const rng = createRng(4);

      for (const rate of [0.1, 0.05, 0.2]) {
        const gradients = new Map(
          Array.from(
            weights,
            ([id, values]) => [id, values.map(() => rng.uniform(-1, 1))] as const,
          ),
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

      const state = await optimizer.state();
      expect(state.steps).toBe(3);
      for (const [id, values] of weights) {
        expect(maxAbsDiff(executable.weights.get(id).dataSync(), values)).toBeLessThan(1e-5);
        expect(maxAbsDiff(state.slots.get(id)![0]!, velocities.get(id)!)).toBeLessThan(1e-5);
      }
      optimizer.dispose();
      executable.dispose();
      expect(tf.memory().numTensors).toBe(tensorsBefore);
    },
  );
});

const adam: AdamOptions = {
  kind: 'adam',
  learningRate: 0.1,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-3,
  weightDecay: 0.05,
  decayAll: false,
};

describe.each(['tensorflow', 'cpu'] as const)('Adam on %s', (name) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await loadBackend(name);
  });

  it.each([
    { options: adam, sparsity: 0 },
    { options: { ...adam, beta1: 0.8, beta2: 0.99, decayAll: true }, sparsity: 0.05 },
    { options: { ...adam, kind: 'adamw' as const }, sparsity: 0 },
    { options: { ...adam, kind: 'adamw' as const, decayAll: true }, sparsity: 0.05 },
  ])("takes PyTorch's steps: $options, sparsity $sparsity", async ({ options, sparsity }) => {
    const { tf } = backend;
    const { beta1, beta2, epsilon, weightDecay, decayAll } = options;
    const { graph } = toyModel();
    const tensorsBefore = tf.memory().numTensors;
    let executable = compile(graph, backend);
    let optimizer = createOptimizer(executable, graph, options, sparsity);
    const numbers = [...executable.trainable.keys()].map((id) => {
      const w = Array.from(graph.weights.get(id)!.data);
      return { id, w, m: w.map(() => 0), v: w.map(() => 0) };
    });
    const rng = createRng(4);

    for (const [i, rate] of [0.1, 0.05, 0.2, 0.1].entries()) {
      const gradients = numbers.map(({ id, w, m, v }) => {
        const given = w.map(() => rng.uniform(-1, 1));
        const isDecayed = id.endsWith('/kernel') || decayAll;
        const penalty = id.endsWith('/gamma') ? sparsity : 0;
        // torch.optim.Adam and AdamW, the latter with param.mul_(1 - lr * weight_decay) before all.
        w.forEach((old, j) => {
          const decay = isDecayed ? weightDecay : 0;
          const inGradient = options.kind === 'adam' ? decay * old : 0;
          const g = given[j]! + inGradient + penalty * Math.sign(old);
          m[j] = beta1 * m[j]! + (1 - beta1) * g;
          v[j] = beta2 * v[j]! + (1 - beta2) * g * g;
          const start = options.kind === 'adamw' ? old * (1 - rate * decay) : old;
          const mean = m[j]! / (1 - beta1 ** (i + 1));
          const square = v[j]! / (1 - beta2 ** (i + 1));
          w[j] = start - (rate * mean) / (Math.sqrt(square) + epsilon);
        });
        return [id, tf.tensor(given, [...graph.weights.get(id)!.shape])] as const;
      });
      optimizer.step(new Map(gradients), rate);
      if (i !== 1) continue;
      // Half way, another optimizer goes on from the state of this one.
      const [state, moved] = [await optimizer.state(), await executable.weights.toGraph()];
      optimizer.dispose();
      executable.dispose();
      executable = compile(moved, backend);
      optimizer = createOptimizer(executable, moved, options, sparsity, state);
    }

    const { slots } = await optimizer.state();
    for (const { id, w, m, v } of numbers) {
      expect(maxAbsDiff(executable.weights.get(id).dataSync(), w)).toBeLessThan(2e-5);
      expect(maxAbsDiff(slots.get(id)![0]!, m)).toBeLessThan(1e-5);
      expect(maxAbsDiff(slots.get(id)![1]!, v)).toBeLessThan(1e-5);
    }
    optimizer.dispose();
    executable.dispose();
    expect(tf.memory().numTensors).toBe(tensorsBefore);
  });
});
