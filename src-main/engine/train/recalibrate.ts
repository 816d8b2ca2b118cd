// Batch norm statistics computed anew, without gradients: what a cut network needs first.

import { setImmediate } from 'node:timers/promises';
import type { EngineContext } from '../context';
import { BatchLoader } from '../data/loader';
import type { ImageSplit } from '../data/types';
import type { Model } from '../graph/types';
import { loadBackend, type Backend } from '../runtime/backend';
import { BatchInput } from './batch-input';
import { compile } from './executor';
import type { RecalibrateOptions } from './types';

/**
 * Replaces mean and variance of every batch norm by their averages over batches of the split, each batch
 * weighing the same. All other weights stay.
 * @throws AppError RUNTIME_UNAVAILABLE, or the reason of the signal
 */
export async function recalibrateBatchNorm(
  model: Model,
  split: ImageSplit,
  options: RecalibrateOptions & { readonly backend?: Backend },
  context: EngineContext,
): Promise<Model> {
  const backend = options.backend ?? (await loadBackend());
  const { tf } = backend;
  const batchSize = Math.min(options.batchSize, split.count);
  const batches = Math.min(options.batches, Math.floor(split.count / batchSize));
  const loader = new BatchLoader(split, {
    batchSize,
    seed: options.seed,
    shuffle: true,
    augment: null,
    samplesPerEpoch: null,
  });
  const input = new BatchInput(tf, split, model.preprocessing);
  const executable = compile(model.graph, backend);
  try {
    for (let done = 0; done < batches; done++) {
      const batch = (await loader.next())!;
      tf.tidy(() => {
        // The average of the first n + 1 is n / (n + 1) of that of the first n, and 1 / (n + 1) of the last.
        const momentum = done / (done + 1);
        executable.run([input.images(batch)], { batchStatistics: true, momentum, dropout: null });
      });
      const label = 'Recomputing batch norm statistics';
      context.progress({ phase: 'calibrating', label, done: done + 1, total: batches });
      await setImmediate();
      context.signal.throwIfAborted();
    }
    return { ...model, graph: await executable.weights.toGraph() };
  } finally {
    executable.dispose();
  }
}
