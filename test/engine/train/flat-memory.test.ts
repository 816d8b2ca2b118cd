// A long training takes no more memory at its end than at its beginning: neither tensors nor pages of the process.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { silentContext } from '../../../src-main/engine/context';
import { loadBackend } from '../../../src-main/engine/runtime/backend';
import { fullTrainingDefaults } from '../../../src-main/engine/train/defaults';
import { localCompute } from '../../../src-main/engine/train/step';
import { train } from '../../../src-main/engine/train/trainer';
import type { EpochRecord, TrainOptions } from '../../../src-main/engine/train/types';
import { toyDataset, toyModel } from './toy';

const epochs = 200;
/** Caches of TensorFlow, compiled code and the heap of JavaScript have grown to their size by then. */
const warmUp = 50;
/** Epochs over which memory is averaged at either end: what is resident jumps by pages. */
const span = 20;

const options: TrainOptions = {
  ...fullTrainingDefaults(epochs),
  batchSize: 16,
  augment: { flip: false, padCrop: 1 },
  gammaSparsity: 1e-4,
  ema: 0.99,
};

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

describe('memory over 200 epochs', () => {
  it('is flat, in tensors and in the process', { timeout: 120_000 }, async () => {
    const backend = await loadBackend();
    const { tf } = backend;
    const compute = localCompute(backend);
    const before = tf.memory();
    const tensors: number[] = [];
    const bytes: number[] = [];
    const [early, late]: [number[], number[]] = [[], []];
    const onEpoch = ({ epoch }: EpochRecord): void => {
      tensors.push(tf.memory().numTensors);
      bytes.push(tf.memory().numBytes);
      const isEarly = epoch > warmUp && epoch <= warmUp + span;
      if (!isEarly && epoch <= epochs - span) return;
      collectGarbage();
      (isEarly ? early : late).push(process.memoryUsage().rss);
    };
    const dataset = toyDataset({ train: 32, val: 16, test: 0 });
    await train(toyModel(), dataset, options, silentContext, { onEpoch }, { compute });

    expect(tensors).toHaveLength(epochs);
    expect(new Set(tensors.slice(1)).size, 'tensors').toBe(1);
    expect(new Set(bytes.slice(1)).size, 'bytes of tensors').toBe(1);
    expect([early.length, late.length]).toEqual([span, span]);
    expect(mean(late) / mean(early), 'resident memory').toBeLessThan(1.05);
    expect(tf.memory().numTensors, 'after it').toBe(before.numTensors);
  });
});
