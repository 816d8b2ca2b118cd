// Scratch training starts from new weights of the same shapes.

import { describe, expect, it } from 'vitest';

import { reinitialise } from '../../../src-main/engine/train/reinitialise';
import { buildZoo } from '../../../src-main/engine/zoo';

describe('reinitialise', () => {
  const model = buildZoo('resnet20-cifar', { seed: 1 });

  it('repeats on a seed, differs between seeds, keeps shapes', () => {
    const a = reinitialise(model, 5);
    const b = reinitialise(model, 5);
    const c = reinitialise(model, 6);
    let differing = 0;
    for (const [id, weight] of model.graph.weights) {
      expect(a.graph.weights.get(id)?.shape).toEqual(weight.shape);
      expect(a.graph.weights.get(id)?.data).toEqual(b.graph.weights.get(id)?.data);
      if (a.graph.weights.get(id)?.data[0] !== c.graph.weights.get(id)?.data[0]) differing++;
    }
    // Every kernel differs; biases, gamma, beta and statistics start equal.
    expect(differing).toBe(
      model.graph.nodes.filter((node) => node.weights.kernel !== undefined).length,
    );
  });

  it('leaves the original alone', () => {
    const before = [...model.graph.weights].map(([id, weight]) => [id, weight.data.slice()]);
    reinitialise(model, 9);
    for (const [id, data] of before)
      expect(model.graph.weights.get(id as string)?.data).toEqual(data);
  });
});
