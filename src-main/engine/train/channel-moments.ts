// Mean and variance of channels over images, as a batch norm would see them.

import { setImmediate } from 'node:timers/promises';
import type { EngineContext } from '../context';
import { BatchLoader } from '../data/loader';
import type { ImageSplit } from '../data/types';
import type { Model, TensorId } from '../graph/types';
import { loadBackend, type Backend } from '../runtime/backend';
import { BatchInput } from './batch-input';
import { compile } from './executor';

/** Of each channel of a tensor, over images and positions. */
export interface ChannelMoments {
  readonly mean: Float32Array;
  readonly variance: Float32Array;
}

/** Images that are looked at, a few at a time: all tensors are held at once. */
const batchSize = 16;
const batches = 16;

/**
 * @returns by tensor
 * @throws AppError RUNTIME_UNAVAILABLE, or the reason of the signal
 */
export async function channelMoments(
  model: Model,
  tensors: readonly TensorId[],
  split: ImageSplit,
  context: EngineContext,
  preloaded?: Backend,
): Promise<ReadonlyMap<TensorId, ChannelMoments>> {
  const backend = preloaded ?? (await loadBackend());
  const { tf } = backend;
  const order = { batchSize, seed: 1, shuffle: true, augment: null, samplesPerEpoch: null };
  const loader = new BatchLoader(split, order);
  const input = new BatchInput(tf, split, model.preprocessing);
  const executable = compile(model.graph, backend, tensors);
  const sums = tensors.map(() => ({ count: 0, sum: [] as number[], squares: [] as number[] }));
  try {
    const total = Math.min(batches, Math.ceil(split.count / batchSize));
    for (let done = 0; done < total; done++) {
      const batch = (await loader.next())!;
      tf.tidy(() => {
        const outputs = executable.run([input.images(batch)]);
        outputs.forEach((output, t) => {
          const channels = output.shape.at(-1)!;
          const rows = tf.reshape(output, [-1, channels]);
          const tally = sums[t]!;
          tally.count += rows.shape[0]!;
          // In float64 from here on.
          addTo(tally.sum, tf.sum(rows, 0).dataSync<'float32'>());
          addTo(tally.squares, tf.sum(tf.square(rows), 0).dataSync<'float32'>());
        });
      });
      const label = 'Looking at channels';
      context.progress({ phase: 'calibrating', label, done: done + 1, total });
      await setImmediate();
      context.signal.throwIfAborted();
    }
  } finally {
    executable.dispose();
  }
  return new Map(
    tensors.map((tensor, t) => {
      const { count, sum, squares } = sums[t]!;
      const mean = Float32Array.from(sum, (value) => value / count);
      const variance = Float32Array.from(squares, (value, c) =>
        Math.max(value / count - (sum[c]! / count) ** 2, 0),
      );
      return [tensor, { mean, variance }];
    }),
  );
}

function addTo(sums: number[], values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) sums[i] = (sums[i] ?? 0) + values[i]!;
}
