import { describe, expect, it } from 'vitest';
import { silentContext } from '../../../src-main/engine/context';
import { loadBackend } from '../../../src-main/engine/runtime/backend';
import { fineTuneDefaults } from '../../../src-main/engine/train/defaults';
import { measureTrainingSpeed } from '../../../src-main/engine/train/speed';
import { localCompute } from '../../../src-main/engine/train/step';
import { train } from '../../../src-main/engine/train/trainer';
import { toyDataset, toyModel } from './toy';

describe('the speed of a training', () => {
  const dataset = toyDataset({ train: 512, val: 0, test: 0 });
  const options = { ...fineTuneDefaults(3), batchSize: 64, augment: { flip: false, padCrop: 0 } };

  it('is that which the training then has, and nothing is left of the trial', async () => {
    const backend = await loadBackend();
    const compute = localCompute(backend);
    const model = toyModel();
    const before = backend.tf.memory().numTensors;
    const speed = await measureTrainingSpeed(model, dataset, options, silentContext, compute);
    expect(backend.tf.memory().numTensors).toBe(before);
    expect(model).toEqual(toyModel());
    const { history } = await train(model, dataset, options, silentContext, {}, { compute });
    // The machine may be busy with other things now and then: the order of magnitude is what counts.
    const rates = history.map(({ imagesPerSecond }) => imagesPerSecond).sort((a, b) => a - b);
    expect(speed / rates[1]!).toBeGreaterThan(0.25);
    expect(speed / rates[1]!).toBeLessThan(4);
  });

  it('is not measured further once nobody wants it', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    const context = { ...silentContext, signal };
    await expect(measureTrainingSpeed(toyModel(), dataset, options, context)).rejects.toThrow(
      'enough',
    );
  });
});
