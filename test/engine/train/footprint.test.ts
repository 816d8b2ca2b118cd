// What a step of training takes in memory, against what tfjs counts.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRng } from '../../../src-main/engine/graph/rng';
import { loadBackend, type Backend } from '../../../src-main/engine/runtime/backend';
import { compile } from '../../../src-main/engine/train/executor';
import { requireMemory, stepFootprint } from '../../../src-main/engine/train/footprint';
import { buildZoo } from '../../../src-main/engine/zoo';

const batch = 4;
let backend: Backend;

beforeAll(async () => {
  backend = await loadBackend();
});

afterAll(() => {
  backend.tf.disposeVariables();
});

describe.each(['resnet20-cifar-b', 'mobilenetv2-cifar', 'lenet5'])('the footprint of %s', (id) => {
  it('is at most what a recorded pass holds, and not far from it', () => {
    const { tf } = backend;
    const model = buildZoo(id, { seed: 1 });
    const executable = compile(model.graph, backend);
    const shape = model.graph.inputs[0]!.shape;
    const before = tf.memory().numBytes;
    const x = tf.zeros([batch, ...shape]);
    const pass = executable.record([x], {
      batchStatistics: true,
      momentum: null,
      dropout: createRng(1),
    });
    const held = tf.memory().numBytes - before;
    pass.dispose();
    tf.dispose([x, ...pass.outputs]);
    executable.dispose();
    const { perImage } = stepFootprint(model, 1);
    expect(perImage * batch).toBeLessThanOrEqual(held);
    expect(perImage * batch).toBeGreaterThan(held / 2);
  });
});

describe('a batch that cannot fit', () => {
  const footprint = { fixed: 100e6, perImage: 10e6 };

  it('is refused with one that fits', () => {
    expect(() => requireMemory(footprint, 128, 1e9)).toThrowError(
      expect.objectContaining({
        code: 'OUT_OF_MEMORY',
        message: expect.stringContaining('at least 1.4 GB of memory; there are 1.0 GB') as string,
        hint: 'Set the batch size to 56 or less.',
        details: expect.objectContaining({ suggestedBatchSize: 56 }) as object,
      }),
    );
    expect(() => requireMemory(footprint, 56, 1e9)).not.toThrow();
  });

  it('is refused without one where none fits', () => {
    expect(() => requireMemory(footprint, 1, 105e6)).toThrowError(
      expect.objectContaining({ hint: expect.stringContaining('Not even one image') as string }),
    );
  });
});
