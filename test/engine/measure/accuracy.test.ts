import { beforeAll, describe, expect, it } from 'vitest';
import { silentContext } from '../../../src-main/engine/context';
import type { ImageSplit } from '../../../src-main/engine/data/types';
import { GraphBuilder } from '../../../src-main/engine/graph/build';
import type { Model } from '../../../src-main/engine/graph/types';
import { evaluate } from '../../../src-main/engine/measure/accuracy';
import { loadBackend, type Backend } from '../../../src-main/engine/runtime/backend';

const classes = 7;

/** Images of one pixel: its value is the class that the model answers. */
function splitOf(pixels: readonly number[], labels: readonly number[]): ImageSplit {
  return {
    count: pixels.length,
    height: 1,
    width: 1,
    channels: 1,
    labels: Int32Array.from(labels),
    read: (indices, target) => indices.forEach((index, i) => (target[i] = pixels[index]!)),
  };
}

/** Logit of class k for pixel x: -(x - k)^2, so near classes rank high. */
function nearestClass(outputKind: 'logits' | 'softmax'): Model {
  const b = new GraphBuilder('nearest');
  const x = b.flatten(b.input('pixel', [1, 1, 1]));
  const ascending = Float32Array.from({ length: classes }, (_, k) => k);
  // -(x - k)^2 = 2kx - k^2 - x^2, and x^2 is the same for all classes.
  let y = b.dense(x, {
    units: classes,
    weights: {
      kernel: { shape: [1, classes], dtype: 'float32', data: ascending.map((k) => 2 * k) },
      bias: { shape: [classes], dtype: 'float32', data: ascending.map((k) => -k * k) },
    },
  });
  if (outputKind === 'softmax') y = b.apply('softmax', [y], { axis: -1 });
  b.output(y);
  return {
    graph: b.build(),
    preprocessing: { scale: 1, mean: [0], std: [1], channelOrder: 'gray' },
    labels: null,
    outputKind,
  };
}

function lossOf(pixel: number, label: number): number {
  const scores = Array.from({ length: classes }, (_, k) => -((pixel - k) ** 2));
  return Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0)) - scores[label]!;
}

describe('evaluate', () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await loadBackend('tensorflow');
  });

  const pixels = [0, 1, 2, 3, 3, 6, 0];
  const labels = [0, 1, 3, 3, 2, 6, 6];
  const split = splitOf(pixels, labels);

  it.each(['logits', 'softmax'] as const)('counts right and wrong answers, %s', async (kind) => {
    const before = backend.tf.memory().numTensors;
    const result = await evaluate(nearestClass(kind), split, 'test', silentContext, {
      backend,
      batchSize: 3,
    });
    expect(result.samples).toBe(7);
    expect(result.top1).toBeCloseTo(4 / 7, 10);
    // Only the last one is farther than four other classes.
    expect(result.top5).toBeCloseTo(6 / 7, 10);
    expect(result.loss).toBeCloseTo(
      pixels.reduce((sum, pixel, i) => sum + lossOf(pixel, labels[i]!), 0) / 7,
      4,
    );
    expect(result.perClass).toEqual([1, 1, 0, 1 / 2, 0, 0, 1 / 2]);
    expect(result.confusion[3]).toEqual([0, 0, 1, 1, 0, 0, 0]);
    expect(result.confusion[6]).toEqual([1, 0, 0, 0, 0, 0, 1]);
    expect(result).toMatchObject({ split: 'test', backend: backend.detail });
    expect(backend.tf.memory().numTensors).toBe(before);
  });

  it('takes evenly spaced images when limited', async () => {
    const sorted = splitOf([0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 2, 2]);
    const options = { backend, limit: 3 };
    const result = await evaluate(nearestClass('logits'), sorted, 'val', silentContext, options);
    expect(result.confusion.slice(0, 3).map((row) => row.reduce((a, b) => a + b))).toEqual([
      1, 1, 1,
    ]);
  });

  it('reports progress and stops when cancelled', async () => {
    const controller = new AbortController();
    const done: number[] = [];
    const context = {
      ...silentContext,
      signal: controller.signal,
      progress: (progress: { readonly done: number }) => {
        done.push(progress.done);
        if (done.length === 2) controller.abort(new Error('enough'));
      },
    };
    const options = { backend, batchSize: 2 };
    await expect(evaluate(nearestClass('logits'), split, 'test', context, options)).rejects.toThrow(
      'enough',
    );
    expect(done).toEqual([2, 4]);
  });

  it('refuses an empty split', async () => {
    const empty = splitOf([], []);
    await expect(
      evaluate(nearestClass('logits'), empty, 'val', silentContext, { backend }),
    ).rejects.toMatchObject({ code: 'DATA_MISMATCH', message: expect.stringContaining('"val"') });
  });
});
