import { beforeAll, describe, expect, it } from 'vitest';
import { silentContext } from '../../../src-main/engine/context';
import type { ImageSplit } from '../../../src-main/engine/data/types';
import { GraphBuilder } from '../../../src-main/engine/graph/build';
import { createRng } from '../../../src-main/engine/graph/rng';
import type { Model } from '../../../src-main/engine/graph/types';
import { loadBackend, type Backend } from '../../../src-main/engine/runtime/backend';
import { recalibrateBatchNorm } from '../../../src-main/engine/train/recalibrate';
import { toyDataset, toyModel } from './toy';

/** Batch norm straight on the pixels: its statistics are those of the images. */
function bare(): Model {
  const b = new GraphBuilder('bare', { rng: createRng(1) });
  const x = b.batchNorm(b.input('image', [8, 8, 3]), { name: 'bn' });
  b.output(b.dense(b.globalAvgPool(x), { units: 4 }));
  return { ...toyModel(), graph: b.build() };
}

/** Mean and unbiased variance of a channel of all images, as the model sees them. */
function statistics(split: ImageSplit, channel: number): { mean: number; variance: number } {
  const pixels = new Uint8Array(split.count * 8 * 8 * 3);
  split.read(
    Int32Array.from({ length: split.count }, (_, i) => i),
    pixels,
  );
  const values = [...pixels]
    .filter((_, i) => i % 3 === channel)
    .map((pixel) => (pixel / 255 - 0.25) / 0.2);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const squares = values.reduce((a, b) => a + (b - mean) ** 2, 0);
  return { mean, variance: squares / (values.length - 1) };
}

describe.each(['tensorflow', 'cpu'] as const)('recalibrateBatchNorm on %s', (name) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await loadBackend(name);
  });

  const split = toyDataset({ train: 60, val: 0, test: 0 }).split('train');

  it('puts the statistics of the images in place, whatever stood there', async () => {
    const options = { batches: 1, batchSize: 60, seed: 1, backend };
    const { graph } = await recalibrateBatchNorm(bare(), split, options, silentContext);
    for (const channel of [0, 1, 2]) {
      const expected = statistics(split, channel);
      expect(graph.weights.get('bn/mean')!.data[channel]).toBeCloseTo(expected.mean, 4);
      expect(graph.weights.get('bn/variance')!.data[channel]).toBeCloseTo(expected.variance, 4);
    }
  });

  it('averages over batches', async () => {
    const options = { batches: 3, batchSize: 20, seed: 1, backend };
    const { graph } = await recalibrateBatchNorm(bare(), split, options, silentContext);
    // The batches together are all images: their means average exactly.
    expect(graph.weights.get('bn/mean')!.data[1]).toBeCloseTo(statistics(split, 1).mean, 4);
  });

  it('changes nothing else, and leaves no tensor behind', async () => {
    const model = toyModel();
    const before = backend.tf.memory().numTensors;
    const options = { batches: 2, batchSize: 16, seed: 1, backend };
    const result = await recalibrateBatchNorm(model, split, options, silentContext);
    expect(backend.tf.memory().numTensors).toBe(before);
    for (const [id, { data }] of model.graph.weights) {
      const same = Buffer.from(data.buffer).equals(
        Buffer.from(Float32Array.from(result.graph.weights.get(id)!.data).buffer),
      );
      expect(same).toBe(!/\/(mean|variance)$/.test(id));
    }
  });

  it('stops when cancelled', async () => {
    const context = { ...silentContext, signal: AbortSignal.abort() };
    const options = { batches: 2, batchSize: 16, seed: 1, backend };
    await expect(recalibrateBatchNorm(toyModel(), split, options, context)).rejects.toThrow();
  });
});
