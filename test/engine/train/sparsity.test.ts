import { describe, expect, it } from 'vitest';
import { silentContext } from '../../../src-main/engine/context';
import { GraphBuilder } from '../../../src-main/engine/graph/build';
import { filledWeight } from '../../../src-main/engine/graph/initialise';
import { createRng } from '../../../src-main/engine/graph/rng';
import type { Model } from '../../../src-main/engine/graph/types';
import { fineTuneDefaults, optimizerDefaults } from '../../../src-main/engine/train/defaults';
import { gammasOf } from '../../../src-main/engine/train/gammas';
import { gammaTravel } from '../../../src-main/engine/train/sparsity';
import { train } from '../../../src-main/engine/train/trainer';
import type { TrainOptions } from '../../../src-main/engine/train/types';
import { toyClasses, toyDataset, toyModel } from './toy';

const options: TrainOptions = {
  ...fineTuneDefaults(20),
  batchSize: 32,
  augment: { flip: false, padCrop: 0 },
  gammaSparsity: 0.02,
  keepBest: false,
};

/** A batch norm whose channels nothing depends on: its output is multiplied by 0. */
function deafModel(): Model {
  const b = new GraphBuilder('deaf', { rng: createRng(1) });
  const x = b.input('image', [8, 8, 3]);
  const heard = b.globalAvgPool(b.conv2d(x, { kernelSize: 3, filters: 4 }));
  const norm = b.batchNorm(b.conv2d(x, { kernelSize: 1, filters: 5, bias: false }), { name: 'bn' });
  const zeros = b.constant(filledWeight([5], 0));
  const silenced = b.mul([b.globalAvgPool(norm), zeros]);
  b.output(b.dense(b.concat([heard, silenced]), { units: toyClasses }));
  return { ...toyModel(), graph: b.build() };
}

describe('the travel of a gamma under the penalty', () => {
  it('is that of gammas which nothing else holds', async () => {
    const dataset = toyDataset({ train: 256, val: 0, test: 0 });
    const { model } = await train(deafModel(), dataset, options, silentContext);
    const expected = gammaTravel(options, 256)!;
    expect(expected).toBeGreaterThan(0.1);
    for (const gamma of gammasOf(model.graph)!.values) {
      expect(1 - gamma).toBeGreaterThan(0.9 * expected);
      expect(1 - gamma).toBeLessThan(1.02 * expected);
    }
  });

  it('grows with penalty, rate and momentum, and is not told of Adam', () => {
    const of = (changes: Partial<TrainOptions>): number | null =>
      gammaTravel({ ...options, ...changes }, 256);
    const { sgd, adam } = optimizerDefaults['fine-tune'];
    expect(of({ gammaSparsity: 0.04 })).toBeCloseTo(2 * of({})!, 10);
    expect(of({ optimizer: { ...sgd, momentum: 0 } })).toBeCloseTo(of({})! / 10, 10);
    // Half the images make half the steps of an epoch.
    expect(of({ samplesPerEpoch: 128 })! / of({})!).toBeCloseTo(0.5, 1);
    expect(of({ optimizer: adam })).toBeNull();
  });
});
